/** The stream of `nix-store --export`: paths with their archives, references and derivers, one after the other. */
import {
  createHasher,
  equalHashes,
  FirnError,
  type Hash,
  ignoringNarSink,
  NarParser,
  type PathInfo,
  printHash,
  wire,
} from "@firn/formats";
import { readFileChunks } from "../fs/dump.ts";
import * as fs from "../fs/files.ts";
import { withTemporaryDirectory } from "../fs/temporary-directory.ts";
import { WireConnection } from "../remote/wire.ts";
import { requirePathInfo, sortTopologically } from "../store/closure.ts";
import type { PathFacts } from "../store/paths.ts";
import type { AddOptions, PathWriter } from "../store/writing.ts";

const MAGIC = 0x4558494e;

/** Yields the export of exactly `paths`, each after those it refers to. Errors `invalid-path`, `hash-mismatch`. */
export async function* exportPaths(
  store: PathFacts,
  paths: Iterable<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const infos = new Map<string, PathInfo>();
  for (const path of paths) infos.set(path, await requirePathInfo(store, path));
  const peer: wire.WirePeer = { storeDir: store.storeDir, version: 0, features: new Set() };
  for (const path of sortTopologically(infos.keys(), (known) => infos.get(known)?.references ?? [])) {
    const info = infos.get(path)!;
    yield wire.encodeWire(wire.number, 1, peer);
    const hasher = createHasher("sha256");
    for await (const chunk of store.narFromPath(path)) {
      hasher.update(chunk);
      yield chunk;
    }
    const hash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
    if (!equalHashes(hash, info.narHash)) {
      throw new FirnError(
        "hash-mismatch",
        `hash of path '${path}' has changed from '${printHash(info.narHash, "nix32")}' to '${printHash(hash, "nix32")}'!`,
      );
    }
    yield wire.encodeWire(wire.number, MAGIC, peer);
    yield wire.encodeWire(wire.storePath, path, peer);
    yield wire.encodeWire(wire.storePaths, info.references, peer);
    yield wire.encodeWire(wire.optionalStorePath, info.deriver, peer);
    yield wire.encodeWire(wire.number, 0, peer);
  }
  yield wire.encodeWire(wire.number, 0, peer);
}

/**
 * Adds the paths of an export to a store; returns all of them, also those that were there. Archives wait in a temporary file until
 * the facts that follow them are known. Errors `bad-nar`, `protocol`, `connection-closed`, those of adding.
 */
export async function importPaths(
  store: PathFacts & PathWriter,
  input: AsyncIterable<Uint8Array>,
  options: AddOptions = {},
): Promise<string[]> {
  return importFrom(store, new WireConnection({ input, write: async () => {} }), options);
}

/** Adds the paths of an export that comes on a connection, as {@link importPaths} does; what follows it is left unread. */
export async function importFrom(
  store: PathFacts & PathWriter,
  ends: WireConnection,
  options: AddOptions,
): Promise<string[]> {
  const peer: wire.WirePeer = { storeDir: store.storeDir, version: 0, features: new Set() };
  const paths: string[] = [];
  await withTemporaryDirectory("firn-import-", async (directory) => {
    for (;;) {
      const more = await ends.read(wire.bigNumber, peer);
      if (more === 0n) return;
      if (more !== 1n) {
        throw new FirnError("bad-export", "input doesn't look like something created by 'nix-store --export'");
      }
      const file = `${directory}/archive`;
      const archive = await saveArchive(ends, file);
      if ((await ends.read(wire.number, peer)) !== MAGIC) {
        throw new FirnError("bad-export", "Nix archive cannot be imported; wrong format");
      }
      const path = await ends.read(wire.storePath, peer);
      const references = await ends.read(wire.storePaths, peer);
      const deriver = await ends.read(wire.optionalStorePath, peer);
      // Very old exports carried a signature here; nothing reads it any more.
      if ((await ends.read(wire.number, peer)) === 1) await ends.read(wire.string, peer);
      const facts = { path, references, signatures: [], ...(deriver === undefined ? {} : { deriver }) };
      await store.addToStore({ ...facts, ...archive }, readFileChunks(file), options);
      paths.push(path);
    }
  });
  return paths;
}

/** Writes one archive, which ends where its format says, to a file; returns its hash and size. */
async function saveArchive(
  ends: WireConnection,
  file: string,
): Promise<{ readonly narHash: Hash; readonly narSize: number }> {
  const parser = new NarParser(ignoringNarSink);
  const hasher = createHasher("sha256");
  let narSize = 0;
  const fd = fs.openSync(file, "w");
  try {
    while (!parser.done) {
      const chunk = await ends.piece();
      const taken = parser.pushSome(chunk);
      const part = parser.done ? chunk.subarray(0, taken) : chunk;
      if (parser.done) ends.input.putBack(chunk.subarray(taken));
      hasher.update(part);
      fs.writeSync(fd, part);
      narSize += part.length;
    }
  } finally {
    fs.closeSync(fd);
  }
  return { narHash: { algorithm: "sha256", bytes: hasher.digest() }, narSize };
}
