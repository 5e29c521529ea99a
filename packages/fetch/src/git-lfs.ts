/** Files of a repository that Git LFS keeps elsewhere: the revision has pointers to them, a server of the remote the contents. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { FirnError, withoutPasswords } from "@firn/formats";
import { disk, parseSshAuthority } from "@firn/store";
import { closeSync, existsSync, lstatSync, openSync, readFileSync, readSync } from "@firn/store/files";
import type { FetchContext } from "./context.ts";
import { discardDownload } from "./download.ts";
import type { GitRepository } from "./git-repository.ts";
import { programOutcome } from "./source-program.ts";
import { parseUrl } from "./url.ts";

/** Size in bytes above which a file is no pointer. */
export const LARGEST_POINTER = 1024;
/** Number of objects that a server is asked for at once, as Git LFS itself does. */
const BATCH = 100;
/** Size in bytes of the largest answer to such a question. */
const LARGEST_ANSWER = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;
const mediaType = "application/vnd.git-lfs+json";

/** A pointer: the SHA-256 of the contents in base 16, and their size in bytes as the pointer states it. */
export interface LfsPointer {
  readonly oid: string;
  readonly size: number;
}

/** An address to download from, and the header that its server wants to be asked with. */
interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Parses a pointer as the specification of Git LFS has it, given a file's size and its contents, at least the first
 * {@link LARGEST_POINTER} bytes; a string says why the text is none: `invalid` or `too large`, in the reference's words.
 */
export function parseLfsPointer(content: Buffer, fileSize: number): LfsPointer | "invalid" | "too large" {
  const text = content.toString("latin1", 0, LARGEST_POINTER);
  const [version, ...lines] = text.split("\n");
  if (version !== "version https://git-lfs.github.com/spec/v1") return "invalid";
  if (fileSize > LARGEST_POINTER) return "too large";
  const values = new Map(lines.map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]));
  const oid = /^sha256:([0-9a-f]{64})$/.exec(values.get("oid") ?? "")?.[1];
  const size = /^\d{1,15}$/.exec(values.get("size") ?? "")?.[0];
  return oid === undefined || size === undefined ? "invalid" : { oid, size: Number(size) };
}

/** The contents that the pointers of one repository stand for. */
export class LfsObjects {
  readonly #repository: GitRepository;
  readonly #context: FetchContext;
  #endpoint: Promise<Endpoint> | undefined;

  constructor(repository: GitRepository, context: FetchContext) {
    this.#repository = repository;
    this.#context = context;
  }

  /** Warns of a file that the attributes hand to Git LFS and that is no pointer; it stays as it is. */
  warn(path: string, why: "invalid" | "too large"): void {
    const text = `encountered file '/${path}' that should have been a git-lfs pointer, but is ${why}`;
    this.#context.emit({ kind: "warning", text });
  }

  /**
   * Downloads the contents of pointers that are not on this machine yet. Errors `git` when the repository has no server for them or
   * the server's answer cannot be used, `not-found` for contents that it lacks, `hash-mismatch` for others than the pointer
   * names, and those of downloads.
   */
  async obtain(pointers: readonly LfsPointer[]): Promise<void> {
    const wanted = [...new Map(pointers.map((pointer) => [pointer.oid, pointer])).values()].filter(
      ({ oid }) => this.#place(oid) === undefined,
    );
    for (let start = 0; start < wanted.length; start += BATCH) {
      const batch = wanted.slice(start, start + BATCH);
      const sources = await this.#ask(batch);
      for (const { oid } of batch) {
        const source = sources.get(oid);
        if (source === undefined) throw missing(oid, undefined);
        await this.#download(oid, source);
      }
    }
  }

  /** Passes the contents of an obtained pointer on, a piece at a time. Error `hash-mismatch` when they have changed. */
  read({ oid }: LfsPointer, write: (chunk: Uint8Array) => void): void {
    const file = this.#place(oid);
    if (file === undefined) throw missing(oid, undefined);
    if (hashFile(file, write) !== oid) throw changed(oid, `'${file}'`);
  }

  /** Returns the file with the contents: the one of this user's cache, or of the repository itself. */
  #place(oid: string): string | undefined {
    const kept = this.#kept(oid);
    if (existsSync(kept)) return kept;
    if (this.#repository.lfsObjects === undefined) return undefined;
    const own = join(this.#repository.lfsObjects, oid.slice(0, 2), oid.slice(2, 4), oid);
    return lstatSync(own, { throwIfNoEntry: false })?.isFile() === true && hashFile(own) === oid ? own : undefined;
  }

  #kept(oid: string): string {
    return join(this.#context.cacheDirectory, "git-lfs", oid);
  }

  /** Asks the server where objects are; returns their addresses by name. */
  async #ask(pointers: readonly LfsPointer[]): Promise<Map<string, Endpoint>> {
    this.#endpoint ??= endpointOf(this.#repository);
    const endpoint = await this.#endpoint;
    const url = `${endpoint.url}/objects/batch`;
    const objects = pointers.map(({ oid, size }) => ({ oid, size }));
    const { file } = await this.#context.download({
      url,
      headers: { ...endpoint.headers, accept: mediaType, "content-type": mediaType },
      post: Buffer.from(JSON.stringify({ objects, operation: "download" })),
    });
    if (file === undefined) throw new FirnError("git", `the Git LFS server '${withoutPasswords(url)}' gave no answer`);
    try {
      if ((lstatSync(file)?.size ?? 0) > LARGEST_ANSWER) {
        throw new FirnError("git", `the answer of the Git LFS server '${withoutPasswords(url)}' is too large`);
      }
      return parseAnswer(readFileSync(file, "utf8"), url);
    } finally {
      discardDownload(file);
    }
  }

  async #download(oid: string, source: Endpoint): Promise<void> {
    const { file } = await this.#context.download(source);
    if (file === undefined) throw missing(oid, undefined);
    try {
      disk.mkdirs(join(this.#context.cacheDirectory, "git-lfs"));
      // Another process may put the same contents there; each writes a file of its own first.
      const temporary = `${this.#kept(oid)}.tmp-${process.pid}`;
      const fd = disk.create(temporary);
      let hash: string;
      try {
        hash = hashFile(file, (chunk) => disk.write(fd, chunk));
      } finally {
        closeSync(fd);
      }
      if (hash !== oid) {
        disk.unlink(temporary);
        throw changed(oid, `'${withoutPasswords(source.url)}'`);
      }
      disk.rename(temporary, this.#kept(oid));
    } finally {
      discardDownload(file);
    }
  }
}

/** Returns the SHA-256 of a file in base 16, and passes its contents on. */
function hashFile(file: string, write: (chunk: Uint8Array) => void = () => undefined): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(CHUNK);
  const fd = openSync(file, "r");
  try {
    for (;;) {
      const chunk = buffer.subarray(0, readSync(fd, buffer));
      if (chunk.length === 0) return hash.digest("hex");
      hash.update(chunk);
      write(chunk);
    }
  } finally {
    closeSync(fd);
  }
}

function missing(oid: string, why: string | undefined): FirnError {
  return new FirnError("not-found", `the Git LFS server has no object '${oid}'${why === undefined ? "" : `: ${why}`}`);
}

function changed(oid: string, where: string): FirnError {
  return new FirnError("hash-mismatch", `the Git LFS object '${oid}' has other contents in ${where}`);
}

function parseAnswer(text: string, shown: string): Map<string, Endpoint> {
  const invalid = (): FirnError =>
    new FirnError("git", `the answer of the Git LFS server '${withoutPasswords(shown)}' is not valid`);
  const sources = new Map<string, Endpoint>();
  const objects = member(parsedJson(text), "objects");
  if (!Array.isArray(objects)) throw invalid();
  for (const object of objects) {
    const oid = member(object, "oid");
    if (typeof oid !== "string") throw invalid();
    const problem = member(object, "error");
    if (problem !== undefined) {
      const message = member(problem, "message");
      throw missing(oid, typeof message === "string" ? message : undefined);
    }
    const action = member(member(object, "actions"), "download");
    const href = member(action, "href");
    // An answer may not name files of this machine.
    if (typeof href !== "string" || !/^https?:\/\//.test(href)) throw invalid();
    sources.set(oid, { url: Buffer.from(href).toString("latin1"), headers: authorizationOf(action) });
  }
  return sources;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** Returns the header by which a server knows who asks; others are not sent, as in the reference. */
function authorizationOf(answer: unknown): Record<string, string> {
  const value = member(member(answer, "header"), "Authorization");
  return typeof value === "string" && !/[\r\n\0]/.test(value) ? { authorization: value } : {};
}

/** Returns the server of a repository's remote: the one that its configuration names, or the remote itself. */
async function endpointOf({ remote: origin, lfsRemote, shown }: GitRepository): Promise<Endpoint> {
  const remote = lfsRemote ?? origin;
  if (remote === undefined) {
    throw new FirnError("git", `Git repository '${shown}' has no remote that has its Git LFS objects`, {
      hint: "set one with: git remote add origin URL",
    });
  }
  const short = /^([^:/\s]+):(?!\/\/)(.+)$/.exec(remote);
  if (short?.[1] !== undefined && short[2] !== undefined) return overSsh(short[1], short[2]);
  const url = remote.includes("://") ? parseUrl(remote) : undefined;
  switch (url?.scheme) {
    case "http":
    case "https":
      return { url: `${remote.replace(/\/+$/, "")}/info/lfs`, headers: {} };
    case "ssh":
      return overSsh(url.authority ?? "", url.path.replace(/^\//, ""));
    default:
      throw new FirnError("git", `Git LFS objects cannot be downloaded from '${withoutPasswords(remote)}'`, {
        hint: "they are found below .git/lfs of a repository on this machine, or through http, https and ssh",
      });
  }
}

/** Asks a machine for the server of a repository there, with the program that Git LFS has for this. */
async function overSsh(authority: string, path: string): Promise<Endpoint> {
  const { host, words } = parseSshAuthority(authority);
  const command = `git-lfs-authenticate '${path.replaceAll("'", "'\\''")}' download`;
  const ssh = { name: "ssh", debianPackage: "openssh-client", environment: {} };
  const { code, stdout, stderr } = await programOutcome(ssh, [...words, "-x", host, "--", command]);
  const answer = parsedJson(stdout.toString("utf8"));
  const href = member(answer, "href");
  if (code !== 0 || typeof href !== "string" || !/^https?:\/\//.test(href)) {
    throw new FirnError("git", `'git-lfs-authenticate' on '${host}' did not name a server: ${stderr.trim()}`);
  }
  return { url: href.replace(/\/+$/, ""), headers: authorizationOf(answer) };
}
