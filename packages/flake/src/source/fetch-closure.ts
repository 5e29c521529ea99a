/** `builtins.fetchClosure`: a path and its closure from a binary cache, unchanged or rewritten to be content-addressed. */
import {
  FirnError,
  isContentAddressed,
  makeFixedOutputPath,
  type PathInfo,
  storePathHashPart,
  storePathName,
} from "@firn/formats";
import type { FetchRequest } from "@firn/language";
import {
  computeClosure,
  copyClosure,
  HashRewriter,
  hashContent,
  type NarChunks,
  type PathWriter,
  requirePathInfo,
  type Store,
  sortTopologically,
} from "@firn/store";

type ClosureRequest = FetchRequest & { readonly kind: "closure" };

/** Fetches the closure of a request; returns the path that is valid now. The messages are those of the reference. */
export async function fetchClosure(request: ClosureRequest, from: Store, to: Store & PathWriter): Promise<string> {
  const { fromPath, toPath, inputAddressed } = request;
  if (toPath !== undefined) return rewrittenClosure(fromPath, toPath, { from, to });
  if (!(await to.isValidPath(fromPath))) await copyClosure([fromPath], { from, to });
  const addressed = isContentAddressed(await requirePathInfo(to, fromPath));
  if (addressed === !inputAddressed) return fromPath;
  throw new FirnError(
    "fetch-closure",
    addressed
      ? `The store object referred to by 'fromPath' at '${fromPath}' is not input-addressed, but 'inputAddressed' is set to 'true'.\n\nRemove the 'inputAddressed' attribute (it defaults to 'false') to expect 'fromPath' to be content-addressed`
      : `The 'fromPath' value '${fromPath}' is input-addressed, but 'inputAddressed' is set to 'false' (default).\n\nIf you do intend to fetch an input-addressed store path, add\n\n    inputAddressed = true;\n\nto the 'fetchClosure' arguments.\n\nNote that to ensure authenticity input-addressed store paths, users must configure a trusted binary cache public key on their systems. This is not needed for content-addressed paths.`,
  );
}

interface Route {
  readonly from: Store;
  readonly to: Store & PathWriter;
}

async function rewrittenClosure(fromPath: string, toPath: string, route: Route): Promise<string> {
  if (toPath === "" || !(await route.to.isValidPath(toPath))) {
    const rewritten = await makeContentAddressed(fromPath, route);
    if (toPath === "") {
      throw new FirnError(
        "fetch-closure",
        `rewriting '${fromPath}' to content-addressed form yielded '${rewritten}'\nUse this value for the 'toPath' attribute passed to 'fetchClosure'`,
      );
    }
    if (rewritten !== toPath) {
      throw new FirnError(
        "fetch-closure",
        `rewriting '${fromPath}' to content-addressed form yielded '${rewritten}', while '${toPath}' was expected`,
      );
    }
  }
  if (isContentAddressed(await requirePathInfo(route.to, toPath))) return toPath;
  throw new FirnError(
    "fetch-closure",
    `The 'toPath' value '${toPath}' is input-addressed, so it can't possibly be the result of rewriting to a content-addressed path.\n\nSet 'toPath' to an empty string to make Nix report the correct content-addressed path.`,
  );
}

/** Copies a closure with every path replaced by its content-addressed form; returns the new path of `root`. */
async function makeContentAddressed(root: string, { from, to }: Route): Promise<string> {
  const infos = new Map<string, PathInfo>();
  for (const path of await computeClosure(from, [root])) infos.set(path, await requirePathInfo(from, path));
  const replaced = new Map<string, string>();
  for (const path of sortTopologically(infos.keys(), (each) => infos.get(each)?.references ?? [])) {
    const info = infos.get(path);
    if (info === undefined) continue;
    const others = info.references.filter((each) => each !== path).map((each) => replaced.get(each) ?? each);
    const references = { others: others.sort(), self: info.references.includes(path) };
    const self = storePathHashPart(path);
    const hashes = new Map(
      info.references
        .filter((each) => each !== path)
        .map((each) => [storePathHashPart(each), storePathHashPart(replaced.get(each) ?? each)]),
    );
    const content = await hashContent(rewritten(from.narFromPath(path), hashes), {
      method: "nar",
      algorithm: "sha256",
      ...(references.self ? { self } : {}),
    });
    const ca = { method: "nar" as const, hash: content.hash };
    const target = makeFixedOutputPath(ca, { name: storePathName(path), storeDir: to.storeDir, references });
    replaced.set(path, target);
    if (await to.isValidPath(target)) continue;
    hashes.set(self, storePathHashPart(target));
    const { narHash, narSize } = await hashContent(rewritten(from.narFromPath(path), hashes), {
      method: "nar",
      algorithm: "sha256",
    });
    const all = references.self ? [...references.others, target].sort() : references.others;
    const made: PathInfo = { path: target, narHash, narSize, references: all, signatures: [], ca };
    await to.addToStore(made, rewritten(from.narFromPath(path), hashes));
  }
  return replaced.get(root) ?? root;
}

async function* rewritten(nar: NarChunks, hashes: ReadonlyMap<string, string>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const rewriter = new HashRewriter(hashes, (chunk) => ready.push(chunk));
  for await (const chunk of nar) {
    rewriter.push(chunk);
    yield* ready;
    ready = [];
  }
  rewriter.finish();
  yield* ready;
}
