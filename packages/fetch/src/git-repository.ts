/**
 * Foreign Git repositories, read through a view: a directory made by Firn with a configuration of its own, and links to the
 * objects, references and index of the repository. The repository's own configuration (filters, hooks, monitors, remotes) is
 * never used.
 */

import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, withTemporaryDirectory } from "@firn/store";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";
import type { FetchCache } from "./cache.ts";
import { type GitCall, git, gitOutcome } from "./git-program.ts";

/** A repository for calls of git. */
export interface GitRepository {
  /** Its location, for messages. */
  readonly shown: string;
  /** The options that a call of git needs for it. */
  readonly call: Pick<GitCall, "gitDirectory" | "workTree">;
  /** True when files of a work tree may differ from the objects they were checked out from by conversion of line ends. */
  readonly convertsLines: boolean;
  /** True when links and executable files of a work tree lie on the disk as such, as far as the settings tell. */
  readonly keepsTypes: boolean;
  /** True when the index is kept in several files. */
  readonly splitIndex: boolean;
  /** The address of the remote, as the repository states it; undefined without one. */
  readonly remote: string | undefined;
  /** The address that has the objects of Git LFS, where it is another. */
  readonly lfsRemote?: string | undefined;
  /** The directory where a repository on this machine may have objects of Git LFS. */
  readonly lfsObjects?: string;
}

/** Settings about the relation of files to objects and about the committer, with their possible values. None names a program. */
const adopted: Readonly<Record<string, RegExp>> = {
  "core.filemode": /^(?:true|false)$/i,
  "core.symlinks": /^(?:true|false)$/i,
  "core.ignorecase": /^(?:true|false)$/i,
  "core.trustctime": /^(?:true|false)$/i,
  "core.checkstat": /^(?:default|minimal)$/i,
  "core.autocrlf": /^(?:true|false|input)$/i,
  "core.eol": /^(?:lf|crlf|native)$/i,
  "extensions.objectformat": /^(?:sha1|sha256)$/i,
  "user.name": /^[^"\\\p{Cc}]+$/u,
  "user.email": /^[^"\\\p{Cc}]+$/u,
};

/** Entries that a view links to, relative to the directory of the repository. */
const shared = ["objects", "refs", "packed-refs", "shallow", "logs"];

interface Directories {
  /** The repository's own directory. */
  readonly git: string;
  /** The directory of the repository to which a linked work tree belongs. */
  readonly common: string;
}

function directoriesOf(repository: string): Directories {
  const inTree = join(repository, ".git");
  const status = statSync(inTree, { throwIfNoEntry: false });
  let directory = status === undefined ? repository : inTree;
  if (status?.isFile() === true) {
    const target = /^gitdir: (.+?)\n*$/.exec(readFileSync(inTree, "latin1"))?.[1];
    if (target === undefined) throw new FirnError("git", `'${inTree}' does not name a Git directory`);
    directory = resolve(repository, target);
  }
  const commonFile = join(directory, "commondir");
  const common = existsSync(commonFile) ? resolve(directory, readFileSync(commonFile, "latin1").trim()) : directory;
  return { git: directory, common };
}

/** Refuses repositories of other users as the reference does, unless the user's `safe.directory` names them. */
async function checkOwner(repository: string, directories: Directories, view: string): Promise<void> {
  const user = process.geteuid?.();
  if (user === undefined) return;
  const owners = new Set([
    user,
    ...(user === 0 && /^\d+$/.test(processEnvironment().SUDO_UID ?? "") ? [Number(processEnvironment().SUDO_UID)] : []),
  ]);
  const looked = [repository, directories.git].map((path) => statSync(path, { throwIfNoEntry: false }));
  if (looked.every((status) => status === undefined || owners.has(status.uid))) return;
  const args = ["config", "--global", "--get-all", "safe.directory"];
  const { stdout } = await gitOutcome({ gitDirectory: view, userConfiguration: true, args });
  const safe = stdout.toString("latin1").split("\n");
  if (safe.includes("*") || safe.includes(repository)) return;
  throw new FirnError(
    "git-owner",
    `opening Git repository "${repository}": repository path '${repository}' is not owned by current user`,
    { hint: `if you trust it: git config --global --add safe.directory ${repository}` },
  );
}

/** Settings of a repository: those that its view has too, and the addresses of its remotes. */
interface Configuration {
  readonly settings: ReadonlyMap<string, string>;
  readonly remote: string | undefined;
  readonly lfsRemote?: string | undefined;
}

/** Reads a repository's configuration; what git says of the same text is kept in `cache`. */
async function configurationOf(common: string, view: string, cache: FetchCache | undefined): Promise<Configuration> {
  const settings = new Map<string, string>();
  let origin: string | undefined;
  let lfs: string | undefined;
  const file = join(common, "config");
  if (!existsSync(file)) return { settings, remote: undefined };
  for (const entry of (await listedSettings(file, view, cache)).split("\0")) {
    const [name = "", value = "true"] = entry.split("\n", 2);
    if (adopted[name]?.test(value) === true) settings.set(name, value);
    if (name === "remote.origin.url") origin = value;
    if (name === "lfs.url") lfs = value;
  }
  return { settings, remote: origin, lfsRemote: lfs };
}

/** Returns the names and values of a file of settings, as git prints them. */
async function listedSettings(file: string, view: string, cache: FetchCache | undefined): Promise<string> {
  const key = { sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
  const known = cache?.lookup("git-settings", key, Number.MAX_SAFE_INTEGER)?.value.listed;
  if (typeof known === "string") return Buffer.from(known, "base64").toString("latin1");
  const args = ["config", "--file", file, "--no-includes", "--list", "-z"];
  const listed = await git({ gitDirectory: view, args });
  cache?.insert("git-settings", key, { listed: listed.toString("base64") });
  return listed.toString("latin1");
}

/**
 * Runs `work` over a view of the repository in a directory, a work tree or a bare one. What git says of its settings is kept in `cache`
 * where one is given.
 */
export async function withRepository<T>(
  directory: string,
  work: (repository: GitRepository) => Promise<T>,
  cache?: FetchCache,
): Promise<T> {
  return withTemporaryDirectory("firn-git-", async (view) => work(await makeView(directory, view, cache)));
}

async function makeView(directory: string, view: string, cache: FetchCache | undefined): Promise<GitRepository> {
  const directories = directoriesOf(directory);
  disk.replaceFile(join(view, "config"), "[core]\n\trepositoryformatversion = 0\n");
  for (const name of shared) {
    const target = join(directories.common, name);
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) linkInto(view, name, target);
  }
  const shares = readdirSync(directories.git).filter((name) => name.startsWith("sharedindex."));
  for (const name of shares) linkInto(view, name, join(directories.git, name));
  disk.replaceFile(join(view, "HEAD"), readFileSync(join(directories.git, "HEAD")));
  await checkOwner(directory, directories, view);
  const { settings, remote, lfsRemote } = await configurationOf(directories.common, view, cache);
  const version = settings.has("extensions.objectformat") ? 1 : 0;
  let text = `[core]\n\trepositoryformatversion = ${version}\n\tbare = false\n`;
  for (const [name, value] of settings) {
    const [section, key] = name.split(".");
    text += `[${section}]\n\t${key} = "${value}"\n`;
  }
  disk.replaceFile(join(view, "config"), text);
  const bare = dirname(directories.git) !== directory && directories.git === directory;
  const index = join(directories.git, "index");
  return {
    shown: directory,
    call: { gitDirectory: view, ...(bare ? {} : { workTree: { directory, index } }) },
    convertsLines:
      settings.has("core.eol") ||
      !/^false$/i.test(settings.get("core.autocrlf") ?? "false") ||
      existsSync(join(directories.common, "info/attributes")),
    keepsTypes: !["core.filemode", "core.symlinks"].some((name) => /^false$/i.test(settings.get(name) ?? "")),
    splitIndex: shares.length > 0,
    remote,
    lfsRemote,
    lfsObjects: join(directories.common, "lfs/objects"),
  };
}

function linkInto(view: string, name: string, target: string): void {
  disk.symlink(target, join(view, name));
}
