/** Flake references as data: an input and a directory in it, written as a URL, a path or a registry name (manual: "Flake references"). */
import {
  type Input,
  inputFromAttributes,
  inputFromUrl,
  inputToUrl,
  parseUrl,
  percentDecode,
  printUrl,
  type Registry,
  resolveInput,
  stringAttribute,
  withAttributes,
} from "@firn/fetch/inputs";
import { canonicalPath, FirnError, type FlakeAttributes, withoutPasswords } from "@firn/formats";

/** A flake: the tree that holds it and the directory of its flake.nix in that tree. */
export interface FlakeRef {
  readonly input: Input;
  /** Directory relative to the tree, "" for its root. */
  readonly dir: string;
}

/** Options of reading a reference. */
export interface ReferenceContext {
  /** Directory for relative paths; without it they are an error. */
  readonly baseDirectory?: string;
  /** False for inputs with `flake = false`, for which no flake.nix is searched. */
  readonly isFlake?: boolean;
  /** True to keep `path:./x` and `./x` relative, as for inputs of a flake in its own tree. */
  readonly keepRelative?: boolean;
  /** True to keep only `path:./x` relative, for a reference that is read and not fetched. */
  readonly keepsRelativeUrls?: boolean;
  /** Receives messages about what has a meaning other than it seems to have, or none. */
  warn?(text: string, level: "info" | "warn"): void;
  /** Finds the flake that contains an absolute path; without it a path is the directory of a flake. */
  findFlake?(path: string, query: ReadonlyMap<string, string>): FlakeRef;
}

/** `id`, `id/ref`, `id/rev` and `id/ref/rev`; more parts are a mistake, not a path. */
const idPattern = /^[a-zA-Z][a-zA-Z0-9_-]*(?:\/[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*)?$/;

/** Splits `reference#fragment`; the fragment is decoded and empty when there is none. */
export function splitFragment(text: string): [reference: string, fragment: string] {
  const hash = text.indexOf("#");
  return hash < 0 ? [text, ""] : [text.slice(0, hash), percentDecode(text.slice(hash + 1))];
}

/** Parses a reference without fragment and without reading any file. Fails with `bad-flake-ref`, `not-found` or the scheme's errors. */
export function parseReference(text: string, context: ReferenceContext = {}): FlakeRef {
  if (idPattern.test(text)) {
    const url = { scheme: "flake", authority: undefined, path: text, query: new Map<string, string>(), fragment: "" };
    return { input: inputFromUrl(url, true), dir: "" };
  }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text)) {
    try {
      return fromUrl(text, context);
    } catch (error) {
      // A URL that cannot be read is taken for a path, as in the reference; one with a password is not told as such.
      const isPath = error instanceof FirnError && error.code === "bad-url" && withoutPasswords(text) === text;
      if (!isPath) throw error;
    }
  }
  return fromPath(text, context);
}

function fromUrl(text: string, context: ReferenceContext): FlakeRef {
  const url = parseUrl(text, (warning) => context.warn?.(warning, "warn"));
  const query = new Map(url.query);
  const dir = query.get("dir") ?? "";
  query.delete("dir");
  if (url.scheme === "path" && context.keepsRelativeUrls === true) {
    return { input: inputFromUrl({ ...url, query, path: url.path === "" ? "/" : url.path }, true), dir };
  }
  if (url.scheme === "path" && !url.path.startsWith("/") && context.keepRelative !== true) {
    if (context.baseDirectory === undefined) {
      throw new FirnError("bad-flake-ref", `flake reference '${text}' is not an absolute path`);
    }
    const input = inputFromUrl(
      { ...url, query, path: absolutePath(context.baseDirectory, url.path) },
      context.isFlake !== false,
    );
    return { input, dir };
  }
  // A repository beside the current directory, as `git+file:.`.
  const isBeside = url.scheme === "git+file" && !url.path.startsWith("/") && (url.authority ?? "") === "";
  const path =
    isBeside && context.baseDirectory !== undefined ? absolutePath(context.baseDirectory, url.path) : url.path;
  return { input: inputFromUrl({ ...url, path, query, fragment: "" }, context.isFlake !== false), dir };
}

function fromPath(text: string, context: ReferenceContext): FlakeRef {
  const question = text.indexOf("?");
  const query =
    question < 0
      ? new Map<string, string>()
      : parseUrl(`path:${text.slice(question)}`, (warning) => context.warn?.(warning, "warn")).query;
  const written = question < 0 ? text : text.slice(0, question);
  if (context.keepRelative === true && !written.startsWith("/")) {
    return { input: pathInput(written, query), dir: query.get("dir") ?? "" };
  }
  if (context.baseDirectory === undefined) {
    if (!written.startsWith("/")) {
      throw new FirnError("bad-flake-ref", `flake reference '${text}' is not an absolute path`);
    }
    return { input: pathInput(written, query), dir: query.get("dir") ?? "" };
  }
  const path = absolutePath(context.baseDirectory, written);
  if (context.isFlake === false || context.findFlake === undefined) {
    return { input: pathInput(path, query), dir: query.get("dir") ?? "" };
  }
  return context.findFlake(path, query);
}

function absolutePath(base: string, path: string): string {
  return canonicalPath(path.startsWith("/") ? path : `${base}/${path}`);
}

/** Returns the input of a directory, with the attributes from a query. */
export function pathInput(path: string, query: ReadonlyMap<string, string>): Input {
  const rest = new Map(query);
  rest.delete("dir");
  const authority = path.startsWith("/") ? "" : undefined;
  return inputFromUrl({ scheme: "path", authority, path, query: rest, fragment: "" }, true);
}

/** Returns the reference of attributes in the form of flake.nix and flake.lock: the input's, and `dir`. */
export function flakeRefFromAttributes(attributes: FlakeAttributes): FlakeRef {
  return {
    input: inputFromAttributes(withAttributes(attributes, { dir: undefined })),
    dir: stringAttribute(attributes, "dir") ?? "",
  };
}

/** Resolves a reference through registries. Fails with `registry` when they lack a name, or form a circle. */
export function resolveReference(ref: FlakeRef, registries: readonly Registry[]): FlakeRef {
  const { input, dir } = resolveInput(ref.input, registries);
  return { input, dir: dir ?? ref.dir };
}

/** Returns the attributes of a reference, including `dir` when it has one. */
export function flakeRefToAttributes(ref: FlakeRef): FlakeAttributes {
  return ref.dir === "" ? ref.input : withAttributes(ref.input, { dir: ref.dir });
}

/** Returns the URL of a reference. */
export function showFlakeRef(ref: FlakeRef): string {
  const url = inputToUrl(ref.input);
  if (ref.dir === "") return printUrl(url);
  return printUrl({ ...url, query: new Map([...url.query, ["dir", ref.dir]]) });
}

/** Tells whether two references have the same attributes. */
export function sameFlakeRef(a: FlakeRef, b: FlakeRef): boolean {
  return (
    a.dir === b.dir &&
    a.input.size === b.input.size &&
    [...a.input].every(([name, value]) => b.input.get(name) === value)
  );
}

/** Returns the relative path of an input in its parent's tree; undefined for all others. */
export function relativePathOf(ref: FlakeRef): string | undefined {
  if (ref.input.get("type") !== "path") return undefined;
  const path = stringAttribute(ref.input, "path") ?? "";
  return path.startsWith("/") ? undefined : path;
}
