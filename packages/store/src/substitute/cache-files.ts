/** The files of binary caches, in a directory or on a web server. */
import path from "node:path";
import { FirnError } from "@firn/formats";
import { disk } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { pathOfFileUrl, treatsFilesAsRemote } from "../surroundings.ts";
import { collect, type Transferrer } from "./transfer.ts";

/** The files of one binary cache; names are relative to it, with `/`. */
export interface CacheFiles {
  /** The cache's URL, without a slash at its end. */
  readonly uri: string;
  /** True when there need be nothing yet. */
  readonly mayBeEmpty: boolean;
  /** The directory in which files that will be added are made; by default one for temporary files. */
  readonly workDirectory?: string;
  /** Returns a small text of at most `limit` bytes as a byte string; undefined when there is no such file. Errors of transfers. */
  text(name: string, limit?: number): Promise<string | undefined>;
  /** Opens a file. Errors `not-found`, those of transfers. */
  open(name: string): Promise<AsyncIterable<Uint8Array>>;
  /** Opens what another web address gives; absent in caches that do not point to any. Errors as of `open`. */
  openAddress?(url: string): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Tells whether there is such a file; with `size`, whether it is whole where sizes are told: some servers keep what they got of an upload
   * that broke off.
   */
  has(name: string, size?: number): Promise<boolean>;
  /** Writes a small file. */
  put(name: string, data: Uint8Array): Promise<void>;
  /** Adds a file of the work directory, which it may move away. */
  putFile(name: string, file: string, size: number): Promise<void>;
  /** Returns the names of the files at the top; present where they can be listed. */
  names?(): string[];
  close(): Promise<void>;
}

/** Limit of what a server says after an upload, in bytes. */
const maxAnswer = 16 * 1024 * 1024;

/** Returns the files of a cache at a URL `file://DIR`, `http://…` or `https://…`. */
export function cacheFilesAt(url: string, transferrer: Transferrer): CacheFiles {
  const uri = url.replace(/\/+$/, "");
  const isDirectory = uri.startsWith("file:") && !treatsFilesAsRemote();
  return isDirectory ? new DirectoryFiles(uri, transferrer) : new WebFiles(uri, transferrer);
}

/** Files on a web server, written with `PUT`. */
class WebFiles implements CacheFiles {
  readonly uri: string;
  readonly mayBeEmpty = false;
  readonly #transferrer: Transferrer;

  constructor(uri: string, transferrer: Transferrer) {
    this.uri = uri;
    this.#transferrer = transferrer;
  }

  text(name: string, limit?: number): Promise<string | undefined> {
    return this.#transferrer.text(`${this.uri}/${name}`, limit);
  }

  open(name: string): Promise<AsyncIterable<Uint8Array>> {
    return this.openAddress(`${this.uri}/${name}`);
  }

  async openAddress(url: string): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#transferrer.open({ url, progress: true })).body;
  }

  async has(name: string): Promise<boolean> {
    try {
      (await this.#transferrer.open({ url: `${this.uri}/${name}`, method: "HEAD" })).cancel();
      return true;
    } catch (error) {
      if (error instanceof FirnError && error.code === "not-found") return false;
      throw error;
    }
  }

  async put(name: string, data: Uint8Array): Promise<void> {
    const transfer = await this.#transferrer.open({ url: `${this.uri}/${name}`, method: "PUT", body: data });
    await collect(transfer, maxAnswer);
  }

  async putFile(name: string, file: string, size: number): Promise<void> {
    const request = { url: `${this.uri}/${name}`, method: "PUT", body: { file, size } } as const;
    await collect(await this.#transferrer.open(request), maxAnswer);
  }

  async close(): Promise<void> {}
}

/** Files in a directory of this machine. */
class DirectoryFiles implements CacheFiles {
  readonly uri: string;
  readonly mayBeEmpty = true;
  readonly workDirectory: string;
  readonly #directory: string;
  readonly #transferrer: Transferrer;

  constructor(uri: string, transferrer: Transferrer) {
    this.uri = uri;
    this.#directory = pathOfFileUrl(uri);
    this.workDirectory = path.join(this.#directory, "nar");
    this.#transferrer = transferrer;
  }

  text(name: string, limit?: number): Promise<string | undefined> {
    return this.#transferrer.text(`${this.uri}/${name}`, limit);
  }

  async open(name: string): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#transferrer.open({ url: `${this.uri}/${name}`, progress: true })).body;
  }

  async has(name: string, size?: number): Promise<boolean> {
    const status = fs.statSync(path.join(this.#directory, name), { throwIfNoEntry: false });
    return status !== undefined && (size === undefined || status.size === size);
  }

  async put(name: string, data: Uint8Array): Promise<void> {
    const target = path.join(this.#directory, name);
    disk.mkdirs(path.dirname(target));
    disk.replaceFile(target, data);
  }

  async putFile(name: string, file: string): Promise<void> {
    const target = path.join(this.#directory, name);
    disk.mkdirs(path.dirname(target));
    fs.renameSync(file, target);
  }

  names(): string[] {
    return fs.readdirSync(this.#directory);
  }

  async close(): Promise<void> {}
}
