/** An EvalHost without a machine: files in memory, store paths computed and remembered. For browsers and tests. */
import {
  bytesOf,
  canonicalPath,
  createHasher,
  FirnError,
  makeFixedOutputPath,
  makeTextPath,
  NarEncoder,
  nixVersion,
  parseHash,
} from "@firn/formats";
import { fetchurlSource } from "./builtins/internal-sources.ts";
import {
  type AddPathRequest,
  defaultEvalMode,
  type EvalHost,
  type EvalMessage,
  type EvalMode,
  type FileType,
  type SearchPathEntry,
} from "./host.ts";

/** Options of a host in memory. */
export interface MemoryHostOptions {
  /** Files: absolute path → contents (byte strings). Directories follow from the paths. */
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly searchPath?: readonly SearchPathEntry[];
  readonly mode?: Partial<EvalMode>;
  readonly storeDir?: string;
  readonly currentSystem?: string;
}

/** An EvalHost that also shows the actions of the evaluation. */
export interface MemoryHost extends EvalHost {
  readonly messages: readonly EvalMessage[];
  /** Derivations that were written, by path: their ATerm text. */
  readonly derivations: ReadonlyMap<string, string>;
}

/** Makes a host over files in memory. Calls that need a store, a builder or the network fail with a FirnError. */
export function createMemoryHost(options: MemoryHostOptions = {}): MemoryHost {
  const files = new Map(Object.entries(options.files ?? {}).map(([path, text]) => [canonicalPath(path), text]));
  const derivations = new Map<string, string>();
  const messages: EvalMessage[] = [];
  const storeDir = options.storeDir ?? "/nix/store";
  const missing = (path: string) => new FirnError("path-not-found", `path '${path}' does not exist`);
  const unavailable = (what: string) => new FirnError("no-store", `${what}: this evaluation has no store`);

  function children(path: string): Map<string, FileType> {
    const prefix = path === "/" ? "/" : `${path}/`;
    const found = new Map<string, FileType>();
    for (const file of files.keys()) {
      if (!file.startsWith(prefix)) continue;
      const rest = file.slice(prefix.length);
      const slash = rest.indexOf("/");
      found.set(slash < 0 ? rest : rest.slice(0, slash), slash < 0 ? "regular" : "directory");
    }
    return found;
  }

  function fileType(path: string): FileType | undefined {
    if (files.has(path)) return "regular";
    return path === "/" || children(path).size > 0 ? "directory" : undefined;
  }

  function archive(encoder: NarEncoder, path: string, filter: AddPathRequest["filter"]): void {
    const text = files.get(path);
    if (text !== undefined) {
      encoder.file(text.length, false);
      if (text.length > 0) encoder.data(bytesOf(text));
      return;
    }
    encoder.directory();
    const entries = [...children(path)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, type] of entries) {
      const child = path === "/" ? `/${name}` : `${path}/${name}`;
      if (filter !== undefined && !filter(child, type)) continue;
      encoder.entry(name);
      archive(encoder, child, filter);
      encoder.endEntry();
    }
    encoder.endDirectory();
  }

  function addPathToStore({ path, name, method, filter, expectedHash, references = [] }: AddPathRequest): string {
    if (fileType(path) === undefined) throw missing(path);
    const hasher = createHasher("sha256");
    if (method === "flat") hasher.update(bytesOf(files.get(path) ?? ""));
    else {
      const encoder = new NarEncoder();
      archive(encoder, path, filter);
      for (const chunk of encoder.take(true)) hasher.update(chunk);
    }
    const hash = { algorithm: "sha256" as const, bytes: hasher.digest() };
    const storePath = makeFixedOutputPath(
      { method, hash },
      { name, storeDir, references: { others: references, self: false } },
    );
    if (expectedHash !== undefined) {
      const expected = makeFixedOutputPath({ method, hash: parseHash(expectedHash) }, { name, storeDir });
      if (expected !== storePath) {
        throw new FirnError("path-mismatch", `store path mismatch in (possibly filtered) path added from '${path}'`);
      }
    }
    return storePath;
  }

  return {
    messages,
    derivations,
    mode: { ...defaultEvalMode, ...options.mode },
    storeDir,
    currentSystem: options.currentSystem ?? "x86_64-linux",
    nixVersion,
    searchPath: options.searchPath ?? [],
    currentTime: () => 0,
    environment: (name) => options.environment?.[name] ?? "",
    homeDirectory: () => "/homeless-shelter",
    readFile(path) {
      if (path === "/__corepkgs__/fetchurl.nix") return fetchurlSource;
      const text = files.get(path);
      if (text === undefined) throw missing(path);
      return text;
    },
    readDirectory(path) {
      if (fileType(path) !== "directory") throw missing(path);
      return [...children(path)];
    },
    fileType: (path) => (path === "/__corepkgs__/fetchurl.nix" ? "regular" : fileType(path)),
    resolveSymlinks(path) {
      if (fileType(path) === undefined) throw missing(path);
      return path;
    },
    allowPath: () => undefined,
    checkUri: () => undefined,
    addPathToStore,
    addTextToStore: (name, contents, others) =>
      makeTextPath(contents, { name, storeDir, references: { others, self: false } }),
    writeDerivation({ drvPath, contents }) {
      derivations.set(drvPath, contents);
    },
    readDerivation(drvPath) {
      const text = derivations.get(drvPath);
      if (text === undefined) throw unavailable(`cannot read '${drvPath}'`);
      return text;
    },
    realiseContext(elements) {
      const built = elements.find((element) => element.kind !== "opaque");
      if (built !== undefined) throw unavailable(`cannot build '${built.drvPath}'`);
      return new Map();
    },
    ensurePath(path) {
      throw unavailable(`path '${path}' is not valid`);
    },
    queryPath: () => undefined,
    runProgram(words) {
      throw unavailable(`cannot run '${words[0] ?? ""}'`);
    },
    fetch() {
      throw unavailable("cannot fetch");
    },
    resolveSearchPathEntry: (path) => (fileType(path) === undefined ? undefined : path),
    report(message) {
      messages.push(message);
    },
  };
}
