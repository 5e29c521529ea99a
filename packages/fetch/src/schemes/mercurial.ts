/**
 * `hg+file:`, `hg+https:`, `hg+http:`, `hg+ssh:`: a revision of a Mercurial repository. A local work tree without `ref` or `rev` that
 * has changes is taken as it stands, tracked files only.
 */

import { dirname, join } from "node:path";
import { digestOf, FirnError, toNix32, withoutPasswords } from "@firn/formats";
import { disk, removePath, withTemporaryDirectory } from "@firn/store";
import { existsSync } from "@firn/store/files";
import { cachedTree, type WantedTree } from "../cached-tree.ts";
import type { FetchContext } from "../context.ts";
import { copyToStore } from "../copy-to-store.ts";
import { type FetchedTree, type Input, nameOf, requireString, stringAttribute, withAttributes } from "../input.ts";
import { type RemoteAddress, remoteAddress } from "../login.ts";
import { mercurial, mercurialOutcome } from "../mercurial-program.ts";
import { parseUrl, percentDecode, printUrl } from "../url.ts";

/** Fetches a revision, or a work tree with changes, into the store. */
export async function fetchMercurial(input: Input, context: FetchContext): Promise<FetchedTree> {
  const workTree = mercurialWorkTree(input);
  if (workTree !== undefined) {
    const changes = await mercurial(["status", "-R", workTree, "--modified", "--added", "--removed"]);
    if (changes.length > 0) return fetchWorkTree(workTree, input, context);
  }
  const url = parseUrl(requireString(input, "url"));
  return fetchRevision(url.scheme === "file" ? percentDecode(url.path) : printUrl(url), input, context);
}

/** Returns the directory of the Mercurial work tree that an input means as it stands; undefined for revisions and other machines. */
export function mercurialWorkTree(input: Input): string | undefined {
  const url = parseUrl(requireString(input, "url"));
  if (url.scheme !== "file" || input.has("ref") || input.has("rev")) return undefined;
  const directory = percentDecode(url.path);
  return existsSync(join(directory, ".hg")) ? directory : undefined;
}

async function fetchWorkTree(directory: string, input: Input, context: FetchContext): Promise<FetchedTree> {
  if (!context.allowDirty) throw new FirnError("hg-dirty", `Mercurial tree '${directory}' is unclean`);
  if (context.warnDirty) context.emit({ kind: "warning", text: `Mercurial tree '"${directory}"' is unclean` });
  const ref = (await mercurial(["branch", "-R", directory])).toString("latin1").trim();
  const listed = await mercurial([
    "status",
    "-R",
    directory,
    "--clean",
    "--modified",
    "--added",
    "--no-status",
    "--print0",
  ]);
  const only = new Set(
    listed
      .toString("latin1")
      .split("\0")
      .filter((name) => name !== ""),
  );
  const name = nameOf(input);
  const { storePath, narHash } = await copyToStore(`${directory}/`, context, () =>
    context.store.addTree({ name, path: directory, only }),
  );
  return { storePath, locked: withAttributes(input, { ref, narHash }) };
}

async function fetchRevision(url: string, input: Input, context: FetchContext): Promise<FetchedTree> {
  const wanted = stringAttribute(input, "rev") ?? stringAttribute(input, "ref") ?? "default";
  const repository = await cloneOf(url, { wanted, isRevision: input.has("rev") }, context);
  const found = (await mercurial(["log", "-R", repository, "-r", wanted, "--template", "{node} {rev} {branch}"]))
    .toString("latin1")
    .split(" ");
  const [rev = "", revCount = "", ...branch] = found;
  if (!/^[0-9a-f]{40}$/.test(rev) || !/^\d+$/.test(revCount)) {
    throw new FirnError(
      "hg",
      `hg does not name a revision '${wanted}' of '${withoutPasswords(url)}' but '${found.join(" ")}'`,
    );
  }
  const name = nameOf(input);
  const wantedTree: WantedTree = {
    domain: "hg-tree",
    key: { rev },
    name,
    shown: `${repository}/`,
    async export(target) {
      await mercurial(["archive", "-R", repository, "-r", rev, target]);
      removePath(join(target, ".hg_archival.txt"));
    },
  };
  const tree = await cachedTree(wantedTree, context);
  const ref = stringAttribute(input, "ref") ?? branch.join(" ");
  return {
    storePath: tree.storePath,
    locked: withAttributes(input, { ref, rev, revCount: BigInt(revCount), narHash: tree.narHash }),
  };
}

/** Makes or updates a clone in the cache that has the wanted revision, or the present state of a branch or tag; returns its directory. */
async function cloneOf(
  url: string,
  want: { readonly wanted: string; readonly isRevision: boolean },
  context: FetchContext,
): Promise<string> {
  const directory = join(context.cacheDirectory, "hg", toNix32(digestOf("sha256", url)));
  const exists = existsSync(join(directory, ".hg"));
  if (exists && want.isRevision) {
    const { code } = await mercurialOutcome(["log", "-R", directory, "-r", want.wanted, "--template", "1"]);
    if (code === 0) return directory;
  }
  const shown = withoutPasswords(url);
  const key = { url: shown, ref: want.wanted };
  const isLocal = url.startsWith("/");
  const remote = isLocal ? { url, login: undefined } : remoteAddress(url);
  if (exists && !isLocal && !want.isRevision) {
    const hit = context.cache.lookup("hg-pull", key, context.tarballTtl);
    if (hit !== undefined && !hit.expired) return directory;
  }
  context.emit({ kind: "fetching", what: shown });
  if (exists) await mercurial(["pull", "-R", directory, "--", remote.url], remote.login);
  else await clone(remote, directory);
  if (!isLocal) context.cache.insert("hg-pull", key, { done: true });
  context.emit({ kind: "fetched", what: shown });
  return directory;
}

/** Clones beside the target and moves the clone there, so that an interrupted clone is never taken for a repository. */
async function clone(remote: RemoteAddress, directory: string): Promise<void> {
  disk.mkdirs(dirname(directory));
  await withTemporaryDirectory(`${directory}-`, async (made) => {
    const repository = join(made, "repository");
    await mercurial(["clone", "--noupdate", "--", remote.url, repository], remote.login);
    // Another process may have been faster.
    if (!existsSync(directory)) disk.rename(repository, directory);
  });
}
