/** The parameters of stores' URLs (`local?read-only=true`), with the reference's names and kinds (manual: "Store Types"). */
import path from "node:path";
import { FirnError } from "@firn/formats";
import { type Compression, compressions } from "../substitute/compression.ts";

/** The type of a parameter's text. */
export type ParameterKind = "boolean" | "compression" | "directory" | "integer" | "text" | "words";

interface ParameterValues {
  readonly boolean: boolean;
  readonly compression: Compression;
  /** An absolute path; undefined when the text is empty. */
  readonly directory: string | undefined;
  readonly integer: number;
  readonly text: string;
  readonly words: readonly string[];
}

/** The parameters that a kind of store has. */
export type ParameterTable = Readonly<Record<string, ParameterKind>>;

const everyStore = {
  "path-info-cache-size": "integer",
  priority: "integer",
  store: "directory",
  "system-features": "words",
  trusted: "boolean",
  "want-mass-query": "boolean",
} as const;

const directories = { log: "directory", real: "directory", root: "directory", state: "directory" } as const;

const connections = { "max-connection-age": "integer", "max-connections": "integer" } as const;

/** Stores in a directory of this machine. */
export const localParameters = {
  ...everyStore,
  ...directories,
  "build-dir": "directory",
  "ignore-gc-delete-failure": "boolean",
  "read-only": "boolean",
  "require-sigs": "boolean",
  "use-roots-daemon": "boolean",
} as const;

/** Stores of a daemon on this machine. */
export const daemonParameters = { ...everyStore, ...directories, ...connections } as const;

/** Stores that have nothing. */
export const dummyParameters = { ...everyStore, "read-only": "boolean" } as const;

/** Binary caches in a directory. */
export const fileCacheParameters = {
  ...everyStore,
  compression: "compression",
  "compression-level": "integer",
  "index-debug-info": "boolean",
  "local-nar-cache": "text",
  "parallel-compression": "boolean",
  "secret-key": "text",
  "secret-keys": "text",
  "write-nar-listing": "boolean",
} as const;

/** Binary caches on web servers. */
export const httpCacheParameters = {
  ...fileCacheParameters,
  "log-compression": "compression",
  "ls-compression": "compression",
  "narinfo-compression": "compression",
  "tls-certificate": "text",
  "tls-private-key": "text",
} as const;

/** Binary caches in buckets of S3. */
export const s3CacheParameters = {
  ...httpCacheParameters,
  "addressing-style": "text",
  "buffer-size": "integer",
  endpoint: "text",
  "multipart-chunk-size": "integer",
  "multipart-threshold": "integer",
  "multipart-upload": "boolean",
  profile: "text",
  region: "text",
  scheme: "text",
  "storage-class": "text",
} as const;

const overSsh = {
  ...everyStore,
  "base64-ssh-public-host-key": "text",
  compress: "boolean",
  "max-connections": "integer",
  "remote-program": "words",
  "remote-store": "text",
  "ssh-key": "text",
} as const;

/** Stores of other machines by the serve protocol. */
export const sshParameters = { ...overSsh, "log-fd": "integer" } as const;

/** Stores of other machines by the worker protocol. */
export const sshNgParameters = { ...overSsh, ...connections } as const;

/** Stores of other machines by the worker protocol, whose files are mounted on this one. */
export const mountedSshParameters = { ...sshNgParameters, ...directories } as const;

/** The parameters of one store, read by their kinds. */
export class StoreParameters<Table extends ParameterTable> {
  readonly #values: ReadonlyMap<string, ParameterValues[ParameterKind]>;

  /** Reads texts by a table; `warn` receives a warning for parameters that the table lacks. Error `bad-setting` for a bad value. */
  constructor(table: Table, texts: ReadonlyMap<string, string>, warn: (text: string) => void) {
    const values = new Map<string, ParameterValues[ParameterKind]>();
    for (const [name, text] of texts) {
      const kind = Object.hasOwn(table, name) ? table[name] : undefined;
      if (kind === undefined) warn(`unknown setting '${name}'`);
      else values.set(name, readParameter(name, kind, text));
    }
    this.#values = values;
  }

  /** Returns the value of a parameter; undefined when the URL lacks it. */
  get<Name extends string & keyof Table>(name: Name): ParameterValues[Table[Name]] | undefined {
    // `readParameter` makes the value of each kind.
    return this.#values.get(name) as ParameterValues[Table[Name]] | undefined;
  }
}

function readInteger(name: string, text: string): number {
  const match = /^(-?[0-9]{1,15})([KMGT])?$/i.exec(text);
  const number = Number(match?.[1]) * 1024 ** " KMGT".indexOf(match?.[2]?.toUpperCase() ?? " ");
  if (Number.isSafeInteger(number)) return number;
  throw new FirnError("bad-setting", `setting '${name}' has invalid value '${text}'`);
}

function readCompression(name: string, text: string): Compression {
  const found = compressions.find((method) => method === text);
  if (found !== undefined) return found;
  throw new FirnError("bad-setting", `option '${name}' has invalid value '${text}'`);
}

/** Returns the absolute path that a parameter is; undefined for an empty text, which `store` cannot be. Error `bad-setting`. */
export function readDirectory(name: string, text: string): string | undefined {
  if (text.startsWith("/")) return path.resolve(text);
  if (text !== "") throw new FirnError("bad-setting", `not an absolute path: "${text}"`);
  if (name === "store") throw new FirnError("bad-setting", `setting '${name}' is a path and paths cannot be empty`);
  return undefined;
}

function readParameter(name: string, kind: ParameterKind, text: string): ParameterValues[ParameterKind] {
  switch (kind) {
    case "boolean":
      if (["true", "yes", "1"].includes(text)) return true;
      if (["false", "no", "0"].includes(text)) return false;
      throw new FirnError("bad-setting", `Boolean setting '${name}' has invalid value '${text}'`);
    case "integer":
      return readInteger(name, text);
    case "compression":
      return readCompression(name, text);
    case "directory":
      return readDirectory(name, text);
    case "words":
      return text.split(/\s+/).filter((word) => word !== "");
    case "text":
      return text;
  }
}
