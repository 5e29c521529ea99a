/** The store of this machine's daemon: changes go through the daemon, files are read where they are. */
import path from "node:path";
import {
  canonicalPath,
  type Derivation,
  equalHashes,
  FirnError,
  type Hash,
  storePathBaseName,
  wire,
} from "@firn/formats";
import { disk } from "../fs/disk.ts";
import { dumpPath } from "../fs/dump.ts";
import * as fs from "../fs/files.ts";
import { readDerivationFile } from "../local/derivation-file.ts";
import { hashTree } from "../local/hash-tree.ts";
import { readBuildLog } from "../local/logs.ts";
import { checkNewRoot } from "../local/roots.ts";
import { requirePathInfo } from "../store/closure.ts";
import type { StoreLocation } from "../store/location.ts";
import type { MachineStore, Offers } from "../store/store.ts";
import type { VerifyOptions } from "../store/upkeep.ts";
import { DaemonStore, type DaemonStoreOptions } from "./daemon-store.ts";

/** A store of this machine that a daemon owns. */
export class LocalDaemonStore extends DaemonStore implements MachineStore {
  readonly location: StoreLocation;
  override readonly offers: Partial<Offers>;

  constructor(options: DaemonStoreOptions & { readonly location: StoreLocation }) {
    super(options);
    this.location = options.location;
    this.offers = {
      listing: this,
      graph: this,
      hashParts: this,
      writing: this,
      content: this,
      sources: this,
      signatures: this,
      files: this,
      roots: this,
      realisations: this,
      logs: this,
      logWriting: this,
      upkeep: this,
      building: this,
      server: this,
    };
  }

  /** Returns the place of a store path on disk. */
  realPath(storePath: string): string {
    return `${this.location.realStoreDir}/${storePathBaseName(storePath)}`;
  }

  readDerivation(storePath: string): Derivation {
    return readDerivationFile(storePath, { file: this.realPath(storePath), storeDir: this.storeDir });
  }

  override async *narFromPath(storePath: string): AsyncGenerator<Uint8Array, void, undefined> {
    if (!(await this.isValidPath(storePath))) {
      throw new FirnError("invalid-path", `path '${storePath}' is not valid`);
    }
    yield* dumpPath(this.realPath(storePath));
  }

  async addPermRoot(storePath: string, link: string): Promise<string> {
    const absolute = canonicalPath(link);
    checkNewRoot(absolute, this.storeDir);
    await this.addTempRoot(storePath);
    disk.mkdirs(path.posix.dirname(absolute));
    disk.replaceSymlink(storePath, absolute);
    await this.addIndirectRoot(absolute);
    return absolute;
  }

  async buildLog(drvPath: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return readBuildLog(this.location, drvPath);
  }

  verifyStore({ checkContents = false, repair }: VerifyOptions): Promise<boolean> {
    return this.verify({ checkContents, repair: repair !== undefined });
  }

  currentHash(storePath: string): Hash {
    return hashTree(this.realPath(storePath)).hash;
  }

  async isIntact(storePath: string): Promise<boolean> {
    const { narHash } = await requirePathInfo(this, storePath);
    if (fs.lstatSync(this.realPath(storePath), { throwIfNoEntry: false }) === undefined) return false;
    return equalHashes(this.currentHash(storePath), narHash);
  }

  async optimiseStore(): Promise<undefined> {
    await this.optimise();
  }
}

/** A store of another machine's daemon whose files are mounted on this one. Roots are links on the other machine. */
export class MountedDaemonStore extends LocalDaemonStore {
  override addPermRoot(storePath: string, link: string): Promise<string> {
    return this.call(wire.workerOperations.AddPermRoot, { path: storePath, link: canonicalPath(link) });
  }
}
