/**
 * `git+file:`, `git+https:`, `git+ssh:`, `git+http:`: a revision of a repository. A local work tree without `ref` or
 * `rev` is taken as it stands, tracked files only, and is then locked by hash instead of revision when it is dirty.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FirnError, withoutPasswords } from "@firn/formats";
import { TreeWriter } from "@firn/store";
import { existsSync, lstatSync, mkdirSync, readFileSync } from "@firn/store/files";
import { treatsFilesAsRemote, workingDirectory } from "@firn/store/surroundings";
import type { CacheValue } from "../cache.ts";
import { cachedTree, type WantedTree } from "../cached-tree.ts";
import { asksForSignature, checkSignature, needsSignature } from "../commit-signature.ts";
import type { AddedTree, FetchContext } from "../context.ts";
import { copyToStore } from "../copy-to-store.ts";
import { exportedFiles } from "../git-export.ts";
import { LfsObjects } from "../git-lfs.ts";
import { git, gitOutcome, gitText } from "../git-program.ts";
import { type GitRepository, withRepository } from "../git-repository.ts";
import { writeRevision } from "../git-tree.ts";
import {
  booleanAttribute,
  type FetchedTree,
  type Input,
  type LocalTree,
  nameOf,
  requireString,
  stringAttribute,
  withAttributes,
} from "../input.ts";
import { remoteAddress } from "../login.ts";
import { parseUrl, percentDecode, printUrl } from "../url.ts";
import { gitInputs, gitTransports } from "./git-input.ts";

/** Fetches a revision, or a work tree as it stands, into the store. */
export function fetchGit(input: Input, context: FetchContext): Promise<FetchedTree> {
  return openGit(input, context, fetchWorkTree);
}

/** Finds a work tree as it stands; everything else is fetched into the store. */
export function locateGit(input: Input, context: FetchContext): Promise<FetchedTree | LocalTree> {
  return openGit<FetchedTree | LocalTree>(input, context, async (repository) => {
    const since = Date.now();
    const tree = await examineWorkTree(repository, input, context);
    const only = await tree.files();
    if (only === undefined) return storedWorkTree(tree, repository, context);
    const { locked, rev } = tree;
    const directory = repository.shown;
    const later = { ...tree, files: async () => only };
    return {
      directory,
      name: nameOf(input),
      only,
      since,
      isRevision: rev !== undefined,
      locked,
      store: () => withRepository(directory, (opened) => storedLater(later, opened, context), context.cache),
    };
  });
}

async function openGit<Tree>(
  input: Input,
  context: FetchContext,
  fromWorkTree: (repository: GitRepository, input: Input, context: FetchContext) => Promise<Tree>,
): Promise<Tree | FetchedTree> {
  if (asksForSignature(input) && !context.verifiedFetches) {
    throw new FirnError(
      "experimental-feature",
      "experimental Nix feature 'verified-fetches' is disabled; add '--extra-experimental-features verified-fetches' to enable it",
    );
  }
  const local = localRepository(input);
  if (local === undefined) return fetchRemote(input, context);
  return withRepository<Tree | FetchedTree>(
    local,
    (repository) => {
      const bare = repository.call.workTree === undefined;
      if (!input.has("ref") && !input.has("rev") && !bare) return fromWorkTree(repository, input, context);
      return fetchRevision({ repository, input, context });
    },
    context.cache,
  );
}

/** Returns the directory of a `file:` repository; undefined for a remote one. Fails when it is no repository. */
export function localRepository(input: Input): string | undefined {
  const url = parseUrl(requireString(input, "url"));
  if (url.scheme !== "file" || treatsFilesAsRemote()) return undefined;
  // As in the reference, a relative one starts at the working directory of the program.
  const path = url.path.startsWith("/") ? url.path : join(workingDirectory(), url.path);
  if (!existsSync(join(path, ".git")) && !existsSync(join(path, "HEAD"))) {
    const known = existsSync(path);
    const text = `'${path}' does not appear to be a git repository`;
    throw new FirnError("git", known ? text : `Git repository "${path}" does not exist.`);
  }
  return path;
}

/** A work tree whose state is known, and what pins it. */
interface ExaminedTree {
  readonly input: Input;
  /** The input's attributes with all that pins it but the hash. */
  readonly locked: Input;
  /** The revision that the files are those of; undefined when they may differ from it. */
  readonly rev: string | undefined;
  /** Lists the files that make up the tree; undefined when they are to be taken from the objects of the revision. */
  files(): Promise<ReadonlySet<string> | undefined>;
}

/** Looks at a work tree as it stands: the revision, whether it is dirty, and its files. Fails where it may not be fetched. */
async function examineWorkTree(repository: GitRepository, input: Input, context: FetchContext): Promise<ExaminedTree> {
  const submodules = booleanAttribute(input, "submodules");
  const exportIgnore = booleanAttribute(input, "exportIgnore");
  const { rev, ref, dirty } = await workTreeState(repository, submodules);
  if (submodules && exportIgnore) throw notTogether();
  const directory = repository.shown;
  let listed: Promise<TrackedFiles> | undefined;
  const tracked = (): Promise<TrackedFiles> => {
    listed ??= trackedFiles({ repository, submodules, context, isClean: !dirty });
    return listed;
  };
  const chosenFiles = async (): Promise<ReadonlySet<string>> => {
    const { files } = await tracked();
    return exportIgnore ? exportedFiles(repository.call, files) : files;
  };
  if (rev !== undefined && !dirty) {
    const named = withAttributes(input, { ref, rev });
    await checkSignature(repository, rev, input);
    const shallow = booleanAttribute(input, "shallow");
    // The files are those of the revision, unless they differ from its objects.
    if (!(await isConverted(tracked, { repository, rev, submodules, context }))) {
      await checkDepth(repository, { shallow, fromWorkTree: true });
      const facts = await revisionFacts(repository, rev, { shallow, context });
      const files = (): Promise<ReadonlySet<string> | undefined> => plainFiles(repository, input, tracked);
      return { input, locked: withAttributes(named, { ...facts }), rev, files };
    }
    const facts = await revisionFacts(repository, rev, { shallow, context });
    return { input, locked: withAttributes(named, { ...facts }), rev: undefined, files: chosenFiles };
  }
  if (needsSignature(input)) {
    const shown = printUrl(gitInputs.toUrl(input));
    throw new FirnError(
      "bad-signature",
      `commit verification is required for Git repository '${shown}', but it's dirty`,
    );
  }
  if (!context.allowDirty) throw new FirnError("git-dirty", `Git tree '${directory}' is dirty`);
  await tracked();
  if (context.warnDirty) context.emit({ kind: "warning", text: `Git tree '${directory}' is dirty` });
  const lastModified = rev === undefined ? 0n : await commitTime(repository, rev);
  const dirtyRev = rev === undefined ? {} : { dirtyRev: `${rev}-dirty`, dirtyShortRev: `${rev.slice(0, 7)}-dirty` };
  const locked = withAttributes(input, { lastModified, ...dirtyRev });
  return { input, locked, rev: undefined, files: chosenFiles };
}

async function fetchWorkTree(repository: GitRepository, input: Input, context: FetchContext): Promise<FetchedTree> {
  return storedWorkTree(await examineWorkTree(repository, input, context), repository, context);
}

/** Copies a work tree into the store. */
async function storedWorkTree(
  { input, locked, rev, files }: ExaminedTree,
  repository: GitRepository,
  context: FetchContext,
): Promise<FetchedTree> {
  const path = repository.shown;
  const addFiles = async (): Promise<AddedTree> => {
    const only = await files();
    const tree = { name: nameOf(input), path, ...(only === undefined ? {} : { only }) };
    return copyToStore(`${path}/`, context, () => context.store.addTree(tree));
  };
  const { storePath, narHash } =
    rev === undefined ? await addFiles() : await revisionTree({ repository, input, context, workTree: { files } }, rev);
  return { storePath, locked: withAttributes(locked, { narHash }) };
}

/** Copies a work tree into the store some time after it was looked at; that of a revision is still that of the revision. */
async function storedLater(tree: ExaminedTree, repository: GitRepository, context: FetchContext): Promise<FetchedTree> {
  const { input, rev } = tree;
  if (rev === undefined) return storedWorkTree(tree, repository, context);
  const isUnchanged = async (): Promise<boolean> => {
    const now = await workTreeState(repository, booleanAttribute(input, "submodules"));
    return now.rev === rev && !now.dirty;
  };
  const workTree = { files: () => tree.files(), isUnchanged };
  const { storePath, narHash } = await revisionTree({ repository, input, context, workTree }, rev);
  return { storePath, locked: withAttributes(tree.locked, { narHash }) };
}

function notTogether(): FirnError {
  return new FirnError("git", "exportIgnore and submodules are not supported together yet");
}

/** Words of `.gitattributes` that make git convert files on checkout. */
const converting = /\b(?:filter|text|eol|crlf|ident|working-tree-encoding)\b/;

/** The tracked files of a work tree, relative to it. */
interface TrackedFiles {
  readonly files: ReadonlySet<string>;
  /** True when they may differ from the objects of the revision. */
  readonly converted: boolean;
  /** True when git was told not to look for changes of some, or a submodule is not there. */
  readonly hidden: boolean;
}

/** A work tree whose tracked files are listed, with `submodules` also those of the work trees in it. */
interface ListedTree {
  readonly repository: GitRepository;
  readonly submodules: boolean;
  readonly context: FetchContext;
  /** True when git has found no changes: files are there unless it was told not to look. */
  readonly isClean?: boolean;
}

async function trackedFiles(tree: ListedTree): Promise<TrackedFiles> {
  const { repository, submodules, context, isClean = false } = tree;
  const files = new Set<string>();
  let converted = repository.convertsLines;
  let hidden = false;
  const listed = await git({ ...repository.call, args: ["ls-files", "-z", "-v", "--stage"] });
  for (const line of listed.toString("latin1").split("\0")) {
    const [, tag = "", mode, name] = /^(\S) (\d+) [0-9a-f]+ \d\t(.+)$/s.exec(line) ?? [];
    if (name === undefined) continue;
    // Small letters and S are files of `git update-index --assume-unchanged` and `--skip-worktree`.
    const isHidden = /[a-zS]/.test(tag);
    hidden ||= isHidden;
    const path = `${repository.shown}/${name}`;
    const isAttributes = /(?:^|\/)\.gitattributes$/.test(name);
    if (mode !== "160000" && isClean && !isHidden && !isAttributes) {
      files.add(name);
    } else if (mode !== "160000") {
      const status = lstatSync(path, { throwIfNoEntry: false });
      // A tracked file that is absent from the work tree, of a sparse one too, is not part of it.
      if (status === undefined) {
        converted = true;
        continue;
      }
      files.add(name);
      if (isAttributes && status.isFile() && converting.test(readFileSync(path, "latin1"))) {
        converted = true;
      }
    } else if (submodules && !existsSync(join(path, ".git"))) {
      hidden = true;
    } else if (submodules) {
      const inner = await withRepository(path, async (module) => {
        if (context.warnDirty && (await isDirty(module, true))) {
          context.emit({ kind: "warning", text: `Git tree '${module.shown}' is dirty` });
        }
        return trackedFiles({ ...tree, repository: module });
      });
      for (const file of inner.files) files.add(`${name}/${file}`);
      converted ||= inner.converted;
      hidden ||= inner.hidden;
    }
  }
  return { files, converted, hidden };
}

/** The state of a work tree: its revision, if it has one, the reference by which that is checked out, and whether files differ from it. */
interface WorkTreeState {
  readonly rev: string | undefined;
  readonly ref: string;
  readonly dirty: boolean;
}

async function workTreeState(repository: GitRepository, submodules: boolean): Promise<WorkTreeState> {
  const args = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty", "-z"];
  const lines = (await git({ ...repository.call, args })).toString("latin1").split("\0");
  const header = (name: string): string =>
    lines.find((line) => line.startsWith(`# ${name} `))?.slice(name.length + 3) ?? "";
  const rev = /^[0-9a-f]+$/.exec(header("branch.oid"))?.[0];
  const changed = lines.some((line) => line !== "" && !line.startsWith("# "));
  const head = header("branch.head");
  // A branch may have the name by which git tells that there is none, or one that looks whole.
  const unclear = head === "" || head === "(detached)" || head.startsWith("refs/");
  const ref = unclear ? await symbolicHead(repository) : `refs/heads/${head}`;
  return {
    rev,
    ref,
    dirty: changed || (submodules && (await isDirty(repository, true))),
  };
}

async function symbolicHead(repository: GitRepository): Promise<string> {
  const branch = await gitOutcome({ ...repository.call, args: ["symbolic-ref", "--quiet", "HEAD"] });
  return branch.code === 0 ? branch.stdout.toString("latin1").trim() : "HEAD";
}

/**
 * Tells whether the files of a clean work tree, listed by `tracked` where need be, may differ from the objects of its revision. That of an
 * index they do not differ is kept.
 */
async function isConverted(
  tracked: () => Promise<TrackedFiles>,
  { repository, rev, submodules, context }: ListedTree & { readonly rev: string },
): Promise<boolean> {
  const index = repository.call.workTree?.index;
  if (repository.convertsLines) return (await tracked()).converted;
  const key =
    submodules || index === undefined || repository.splitIndex || !existsSync(index)
      ? undefined
      : { rev, index: createHash("sha256").update(readFileSync(index)).digest("hex") };
  if (key !== undefined && context.cache.lookup("git-plain", key, Number.MAX_SAFE_INTEGER) !== undefined) return false;
  const { converted } = await tracked();
  if (key !== undefined && !converted) context.cache.insert("git-plain", key, { plain: true });
  return converted;
}

/**
 * Tells whether tracked files differ from the revision. Submodules count only when they are included, and each is examined
 * through a view of its own.
 */
async function isDirty(repository: GitRepository, submodules: boolean): Promise<boolean> {
  const args = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty", "-z"];
  if ((await git({ ...repository.call, args })).length > 0) return true;
  if (!submodules) return false;
  const listed = await git({ ...repository.call, args: ["ls-files", "-z", "--stage"] });
  for (const line of listed.toString("latin1").split("\0")) {
    const name = /^160000 [0-9a-f]+ \d\t(.+)$/s.exec(line)?.[1];
    if (name === undefined) continue;
    const path = join(repository.shown, name);
    if (existsSync(join(path, ".git")) && (await withRepository(path, (module) => isDirty(module, true)))) return true;
  }
  return false;
}

interface RevisionRequest {
  readonly repository: GitRepository;
  readonly input: Input;
  readonly context: FetchContext;
  /** Set for a clean work tree, which lacks the directories of submodules that are not fetched. */
  readonly workTree?: CleanWorkTree;
}

/** A clean work tree: its files, where they are the revision's, and whether they still are. */
interface CleanWorkTree extends Pick<ExaminedTree, "files"> {
  isUnchanged?(): Promise<boolean>;
}

async function fetchRevision(request: RevisionRequest): Promise<FetchedTree> {
  const { repository, input, context } = request;
  const ref = stringAttribute(input, "ref");
  const rev = stringAttribute(input, "rev") ?? (await resolveRef(repository, ref ?? "HEAD"));
  const shallow = booleanAttribute(input, "shallow");
  await checkSignature(repository, rev, input);
  await checkDepth(repository, { shallow, fromWorkTree: false });
  const facts = await revisionFacts(repository, rev, { shallow, context });
  const tree = await revisionTree(request, rev);
  return {
    storePath: tree.storePath,
    locked: withAttributes(input, {
      // As in the reference, also a revision that was named has the branch that HEAD is.
      ref: ref ?? (await symbolicHead(repository)),
      rev,
      narHash: tree.narHash,
      lastModified: facts.lastModified,
      revCount: facts.revCount,
    }),
  };
}

/** Returns the files of a clean work tree, when they are those of the revision as it is fetched. */
async function plainFiles(
  repository: GitRepository,
  input: Input,
  tracked: () => Promise<TrackedFiles>,
): Promise<ReadonlySet<string> | undefined> {
  if (booleanAttribute(input, "exportIgnore") || booleanAttribute(input, "lfs") || !repository.keepsTypes) {
    return undefined;
  }
  const { files, converted, hidden } = await tracked();
  return converted || hidden ? undefined : files;
}

/** Refuses a shallow repository unless it is asked for; the work tree around it may be taken as it is. */
async function checkDepth(
  repository: GitRepository,
  asked: { readonly shallow: boolean; readonly fromWorkTree: boolean },
): Promise<void> {
  if (asked.shallow || repository.call.workTree === undefined) return;
  if (asked.fromWorkTree && lstatSync(join(repository.shown, ".git")).isDirectory()) return;
  const answer = await gitText({ ...repository.call, args: ["rev-parse", "--is-shallow-repository"] });
  if (answer !== "true") return;
  throw new FirnError(
    "git",
    `'${repository.shown}' is a shallow Git repository, but shallow repositories are only allowed when \`shallow = true;\` is specified`,
  );
}

async function resolveRef(repository: GitRepository, ref: string): Promise<string> {
  for (const candidate of ref.startsWith("refs/") || ref === "HEAD"
    ? [ref]
    : [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${candidate}^{commit}`];
    const { code, stdout } = await gitOutcome({ ...repository.call, args });
    if (code === 0) return stdout.toString("latin1").trim();
  }
  throw new FirnError("git", `Cannot find Git revision '${ref}' in '${repository.shown}'`);
}

/** Returns the time of a commit, in seconds since 1970. */
async function commitTime(repository: GitRepository, rev: string): Promise<bigint> {
  const args = ["log", "-1", "--format=%ct", "--no-show-signature", "--end-of-options", rev];
  return BigInt(await gitText({ ...repository.call, args }));
}

async function revisionFacts(
  repository: GitRepository,
  rev: string,
  options: { readonly shallow: boolean; readonly context: FetchContext },
): Promise<{ readonly lastModified: bigint; readonly revCount: bigint | undefined }> {
  const key: CacheValue = { rev, shallow: options.shallow };
  const hit = options.context.cache.lookup("git-revision", key, Number.MAX_SAFE_INTEGER);
  if (hit !== undefined) {
    const { lastModified, revCount } = hit.value;
    return {
      lastModified: BigInt(Number(lastModified)),
      revCount: revCount === undefined ? undefined : BigInt(Number(revCount)),
    };
  }
  const lastModified = await commitTime(repository, rev);
  const revCount = options.shallow
    ? undefined
    : await gitText({ ...repository.call, args: ["rev-list", "--count", "--end-of-options", rev] });
  options.context.cache.insert("git-revision", key, {
    lastModified: Number(lastModified),
    ...(revCount === undefined ? {} : { revCount: Number(revCount) }),
  });
  return { lastModified, revCount: revCount === undefined ? undefined : BigInt(revCount) };
}

function revisionTree(request: RevisionRequest, rev: string): Promise<AddedTree> {
  const { repository, input, context, workTree } = request;
  const submodules = booleanAttribute(input, "submodules");
  const links = submodules || workTree === undefined;
  const exportIgnore = booleanAttribute(input, "exportIgnore");
  const lfs = booleanAttribute(input, "lfs");
  if (submodules && exportIgnore) throw notTogether();
  const wanted: WantedTree = {
    domain: "git-tree",
    key: { rev, submodules, exportIgnore: exportIgnore ? "attributes" : "", links, ...(lfs ? { lfs } : {}) },
    name: nameOf(input),
    shown: `${repository.shown}/`,
    async find() {
      // Files of a clean work tree are those of the revision.
      const only = await workTree?.files();
      return only === undefined ? undefined : { path: repository.shown, only };
    },
    ...(workTree?.isUnchanged === undefined ? {} : { isUnchanged: () => workTree.isUnchanged!() }),
    async export(target) {
      const fault = (what: string): FirnError => new FirnError("git", `Git tree '${rev}': ${what}`);
      const tree = new TreeWriter(target, { fault, refuseGit: true });
      try {
        const objects = lfs ? new LfsObjects(repository, context) : undefined;
        await writeRevision(repository, { rev, links, exportIgnore, lfs: objects, place: "" }, tree);
        if (submodules) await writeSubmodules({ repository, input, context }, { rev, place: "" }, tree);
      } finally {
        tree.close();
      }
    },
  };
  return cachedTree(wanted, context);
}

/** Writes the submodules of a revision at a place of the tree, recursively. */
async function writeSubmodules(
  request: RevisionRequest,
  { rev, place }: { readonly rev: string; readonly place: string },
  tree: TreeWriter,
): Promise<void> {
  const modules = await gitOutcome({
    ...request.repository.call,
    args: ["config", "--no-includes", "--blob", `${rev}:.gitmodules`, "--get-regexp", "^submodule\\..*\\.(path|url)$"],
  });
  if (modules.code !== 0) return;
  const found = new Map<string, { path?: string; url?: string }>();
  for (const line of modules.stdout.toString("latin1").split("\n")) {
    const match = /^submodule\.(.*)\.(path|url) (.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const module = found.get(match[1]) ?? {};
    module[match[2] as "path" | "url"] = match[3] ?? "";
    found.set(match[1], module);
  }
  for (const { path, url } of found.values()) {
    if (path === undefined || url === undefined || path.split("/").includes("..") || path.startsWith("/")) continue;
    const entry = (await gitText({ ...request.repository.call, args: ["ls-tree", rev, "--", path] })).split(/\s+/);
    if (entry[1] !== "commit" || entry[2] === undefined) continue;
    const address = requireString(request.input, "url");
    const base = relativeBase(request.repository.remote, address);
    const module = { rev: entry[2], url: moduleUrl(url, { base, parent: address }) };
    const files = { rev: module.rev, links: true, exportIgnore: false, place: `${place}/${path}` };
    await withModule(module, request.context, async (repository) => {
      const lfs = booleanAttribute(request.input, "lfs") ? new LfsObjects(repository, request.context) : undefined;
      await writeRevision(repository, { ...files, lfs }, tree);
      const input = withAttributes(request.input, { url: module.url });
      await writeSubmodules({ ...request, repository, input }, files, tree);
    });
  }
}

/** Returns the address from which those of submodules start: that of the remote, as for git itself, else the repository's own. */
function relativeBase(remote: string | undefined, address: string): string {
  if (remote === undefined) return address;
  return /^(?:\/|[a-z+]+:\/\/|[a-zA-Z0-9][^:/\s]*:(?!:))/.test(remote) ? remote : address;
}

/** Returns a relative address of a submodule as an absolute one, the way of git: as words between slashes, also of `host:path`. */
function resolveModule(base: string, address: string): string {
  let start = base.replace(/\/+$/, "");
  let rest = address;
  for (;;) {
    if (rest.startsWith("./")) rest = rest.slice(2);
    else if (rest.startsWith("../")) {
      const end = start.lastIndexOf("/");
      const colon = start.lastIndexOf(":");
      const fits = end > start.indexOf("://") + 2;
      if (!fits && (colon < 0 || start.includes("://"))) {
        throw new FirnError("git", `the submodule address '${address}' leads out of '${withoutPasswords(base)}'`);
      }
      start = fits ? start.slice(0, end) : start.slice(0, colon);
      if (!fits) return `${start}:${rest.slice(3)}`.replace(/\/+$/, "");
      rest = rest.slice(3);
    } else return `${start}/${rest}`.replace(/\/+$/, "");
  }
}

/**
 * Returns the address of a submodule. Refuses addresses that git takes for programs or options, and files of this machine for
 * repositories of another.
 */
function moduleUrl(address: string, { base, parent }: { readonly base: string; readonly parent: string }): string {
  const url = /^\.\.?\//.test(address) ? resolveModule(base, address) : address;
  const full = url.startsWith("/")
    ? printUrl({ scheme: "file", authority: "", path: url, query: new Map(), fragment: "" })
    : url;
  const scheme = /^([a-z]+):\/\//.exec(full)?.[1];
  const overSsh = /^[a-zA-Z0-9][^:/\s]*:(?!:)[^\s]/.test(full) && scheme === undefined;
  if (!overSsh && (scheme === undefined || !gitTransports.has(scheme))) {
    throw new FirnError("git", `the submodule address '${withoutPasswords(url)}' is none that Firn fetches from`);
  }
  if (scheme === "file" && parseUrl(parent).scheme !== "file") {
    throw new FirnError(
      "git",
      `the submodule address '${url}' names a file of this machine, which '${withoutPasswords(parent)}' may not`,
    );
  }
  return full;
}

async function withModule(
  module: { readonly url: string; readonly rev: string },
  context: FetchContext,
  work: (repository: GitRepository) => Promise<void>,
): Promise<void> {
  if (module.url.startsWith("file://")) return withRepository(percentDecode(module.url.slice("file://".length)), work);
  await work(await cloneOf(module.url, { rev: module.rev, ref: undefined }, context));
}

async function fetchRemote(input: Input, context: FetchContext): Promise<FetchedTree> {
  const url = requireString(input, "url");
  const rev = stringAttribute(input, "rev");
  const asked = stringAttribute(input, "ref");
  const isHead = asked === "HEAD" || (asked === undefined && rev === undefined);
  const ref = isHead ? await remoteHead(url, context) : asked;
  const repository = await cloneOf(url, { rev, ref }, context);
  // What was asked for as HEAD is locked as HEAD; the clone has a HEAD of its own, which means nothing.
  const named =
    asked === "HEAD" && ref !== undefined
      ? withAttributes(input, { rev: rev ?? (await resolveRef(repository, ref)) })
      : withAttributes(input, { ref: ref ?? (await remoteHeadIfReachable(url, context)) });
  return fetchRevision({ repository, input: named, context });
}

async function remoteHeadIfReachable(url: string, context: FetchContext): Promise<string> {
  try {
    return await remoteHead(url, context);
  } catch (error) {
    if (!(error instanceof FirnError) || error.code === "aborted") throw error;
    return "master";
  }
}

/** Returns the branch that a remote's HEAD names. */
async function remoteHead(url: string, context: FetchContext): Promise<string> {
  const hit = context.cache.lookup("git-head", { url: withoutPasswords(url) }, context.tarballTtl);
  if (hit !== undefined && !hit.expired) return String(hit.value.ref);
  const { call } = await ownRepository(url, context);
  const remote = remoteAddress(url);
  const args = ["ls-remote", "--symref", "--", remote.url, "HEAD"];
  let answer: string;
  try {
    answer = await gitText({ ...call, login: remote.login, userConfiguration: true, args });
  } catch (error) {
    if (hit === undefined || !isUnreachable(error)) throw error;
    const known = String(hit.value.ref);
    const text = `could not get HEAD ref for repository '${withoutPasswords(url)}'; using expired cached ref '${known}'`;
    context.emit({ kind: "warning", text });
    return known;
  }
  const ref = /^ref: (\S+)\tHEAD$/m.exec(answer)?.[1] ?? "refs/heads/master";
  context.cache.insert("git-head", { url: withoutPasswords(url) }, { ref });
  return ref;
}

/** Returns the bare repository in the cache for a URL. */
async function ownRepository(url: string, context: FetchContext): Promise<GitRepository> {
  const name = createHash("sha256").update(url).digest("hex");
  const directory = join(context.cacheDirectory, "gitv3", name);
  const call = { gitDirectory: directory };
  if (!existsSync(join(directory, "HEAD"))) {
    mkdirSync(directory, { recursive: true });
    await git({ ...call, args: ["init", "--quiet", "--bare", "--template="] });
  }
  return { shown: directory, call, convertsLines: false, keepsTypes: true, splitIndex: false, remote: url };
}

/** Returns a bare clone in the cache that has the wanted revision or the current state of a ref. */
async function cloneOf(
  url: string,
  want: { readonly rev: string | undefined; readonly ref: string | undefined },
  context: FetchContext,
): Promise<GitRepository> {
  const repository = await ownRepository(url, context);
  const remote = remoteAddress(url);
  if (want.rev !== undefined && (await hasCommit(repository, want.rev))) return repository;
  const key = { url: withoutPasswords(url), ref: want.ref ?? "" };
  const hit = want.rev === undefined ? context.cache.lookup("git-fetch", key, context.tarballTtl) : undefined;
  if (hit !== undefined && !hit.expired) return repository;
  context.emit({ kind: "fetching", what: withoutPasswords(url) });
  const full = want.ref === undefined ? undefined : want.ref.startsWith("refs/") ? want.ref : `refs/heads/${want.ref}`;
  const attempts =
    full === undefined
      ? ["refs/*:refs/*"]
      : [
          `${full}:${full}`,
          ...(want.ref?.startsWith("refs/") === true ? [] : [`refs/tags/${want.ref}:refs/tags/${want.ref}`]),
        ];
  let failure: unknown;
  for (const refspec of attempts) {
    try {
      const quietly = ["--quiet", "--force", "--no-tags", "--no-recurse-submodules"];
      const args = ["fetch", ...quietly, "--", remote.url, `+${refspec}`];
      await git({ ...repository.call, login: remote.login, userConfiguration: true, args });
      context.cache.insert("git-fetch", key, { done: true });
      context.emit({ kind: "fetched", what: withoutPasswords(url) });
      if (want.rev !== undefined && !(await hasCommit(repository, want.rev))) {
        throw new FirnError(
          "git",
          `Cannot find Git revision '${want.rev}' in ref '${want.ref ?? "*"}' of repository '${withoutPasswords(url)}'`,
        );
      }
      return repository;
    } catch (error) {
      failure = error;
    }
  }
  if (hit === undefined || !isUnreachable(failure)) throw failure;
  const text = `could not update local clone of Git repository '${withoutPasswords(url)}'; continuing with the most recent version`;
  context.emit({ kind: "warning", text });
  return repository;
}

/** Tells whether a run of git failed, and was not broken off. */
function isUnreachable(error: unknown): boolean {
  return error instanceof FirnError && error.code === "git";
}

async function hasCommit(repository: GitRepository, rev: string): Promise<boolean> {
  return (await gitOutcome({ ...repository.call, args: ["cat-file", "-e", `${rev}^{commit}`] })).code === 0;
}
