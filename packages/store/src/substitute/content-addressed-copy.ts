/** Copies of paths under names that follow from their contents, so that they need no signature. */
import {
  type ContentAddress,
  createHasher,
  type Hash,
  isContentAddressed,
  makeFixedOutputPath,
  type PathInfo,
  storePathHashPart,
  storePathName,
} from "@firn/formats";
import { readFileChunks } from "../fs/dump.ts";
import * as fs from "../fs/files.ts";
import { withTemporaryDirectory } from "../fs/temporary-directory.ts";
import { hashNarContent } from "../local/content-hash.ts";
import { HashRewriter } from "../references/rewrite.ts";
import { computeClosure, requirePathInfo } from "../store/closure.ts";
import type { NarChunks, PathFacts } from "../store/paths.ts";
import { sortByReferences } from "../store/query.ts";
import { offered, type Store } from "../store/store.ts";

/** The stores of a copy; `report` hears of each path that is copied. */
export interface ContentAddressedCopy {
  readonly from: PathFacts;
  readonly to: Store;
  readonly report: (from: string, to: string) => void;
}

/**
 * Copies the closures of `roots` to a store so that every path is content-addressed, with references rewritten to match. Returns the new
 * path of each old one. Errors `invalid-path`, those of adding.
 */
export async function copyContentAddressed(
  roots: Iterable<string>,
  options: ContentAddressedCopy,
): Promise<ReadonlyMap<string, string>> {
  const { from } = options;
  const renamed = new Map<string, string>();
  for (const path of await sortByReferences(from, await computeClosure(from, roots))) {
    const info = await requirePathInfo(from, path);
    const copy = await withTemporaryDirectory("firn-rewrite-", (directory) =>
      copyOne(info, renamed, { ...options, file: `${directory}/archive` }),
    );
    options.report(path, copy);
    renamed.set(path, copy);
  }
  return renamed;
}

async function copyOne(
  info: PathInfo,
  renamed: ReadonlyMap<string, string>,
  { from, to, file }: ContentAddressedCopy & { readonly file: string },
): Promise<string> {
  const self = info.references.includes(info.path);
  const others = info.references.filter((path) => path !== info.path);
  const parts = new Map<string, string>();
  for (const path of others) {
    const next = renamed.get(path) ?? path;
    if (next !== path) parts.set(storePathHashPart(path), storePathHashPart(next));
  }
  await rewriteTo(file, from.narFromPath(info.path), parts);
  const oldPart = storePathHashPart(info.path);
  const hash = hashNarContent(readFileChunks(file), { method: "nar", algorithm: "sha256", self: oldPart });
  const ca: ContentAddress = { method: "nar", hash };
  const references = { others: others.map((path) => renamed.get(path) ?? path).sort(), self };
  const path = makeFixedOutputPath(ca, { name: storePathName(info.path), storeDir: to.storeDir, references });
  const final = `${file}.final`;
  await rewriteTo(final, readFileChunks(file), new Map([[oldPart, storePathHashPart(path)]]));
  const hasher = createHasher("sha256");
  let narSize = 0;
  for (const chunk of readFileChunks(final)) {
    hasher.update(chunk);
    narSize += chunk.length;
  }
  const narHash: Hash = { algorithm: "sha256", bytes: hasher.digest() };
  const all = [...references.others, ...(self ? [path] : [])].sort();
  const copy: PathInfo = { path, narHash, narSize, references: all, signatures: [], ca };
  await offered(to, "writing").addToStore(copy, readFileChunks(final), { checkSignatures: !isContentAddressed(copy) });
  return path;
}

/** Writes an archive to a file with hash parts replaced. */
async function rewriteTo(file: string, nar: NarChunks, parts: ReadonlyMap<string, string>): Promise<void> {
  const fd = fs.openSync(file, "w");
  try {
    const rewriter = new HashRewriter(parts, (chunk) => fs.writeSync(fd, chunk));
    for await (const chunk of nar) rewriter.push(chunk);
    rewriter.finish();
  } finally {
    fs.closeSync(fd);
  }
}
