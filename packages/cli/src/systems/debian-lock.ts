/** The lock of Debian packages that lies beside a configuration, for `firn deb add`, `update` and `lock`. */
import { dirname, join, resolve } from "node:path";
import {
  type ArchiveAccess,
  armoredKey,
  type DebianLock,
  type ForeignArchive,
  type LockChange,
  lockChanges,
  parseDebianLock,
  printDebianLock,
  type SuiteSpec,
} from "@firn/fetch";
import { archiveAccess, debianSetDirectory } from "@firn/flake";
import { existsSync, readFileSync, writeFileSync } from "@firn/store/files";
import type { Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import type { Session } from "../session/session.ts";

const lockName = "debian.lock.json";

/** The flag `--output`. */
export const lockFileFlag: Flag = {
  name: "output",
  short: "o",
  labels: ["file"],
  description:
    "The lock file; default debian.lock.json, of this directory when it has that or a configuration, else of /etc/nixos.",
};

/** The flag `--allow-expired`. */
export const expiredFlag: Flag = {
  name: "allow-expired",
  description: "Accept a release file whose Valid-Until has passed.",
};

/** Flags that name where packages come from. */
export const originFlags: readonly Flag[] = [
  {
    name: "suite",
    labels: ["suite"],
    description: "A suite to take packages from too, as SUITE or ARCHIVE:SUITE; may be repeated.",
  },
  {
    name: "component",
    labels: ["component"],
    description: "A component of the suites to take packages from too, such as non-free-firmware; may be repeated.",
  },
  {
    name: "archive",
    labels: ["archive"],
    description: "An archive that is not Debian's, as NAME=URL; needs --key.",
  },
  { name: "key", labels: ["file"], description: "The file with the public key of the archive." },
];

/** Returns the lock file that an invocation means. */
export function lockFileOf({ flags }: Invocation, io: Io): string {
  const named = flags.value("output");
  if (named !== undefined) return resolve(io.cwd, named);
  const here = [lockName, "configuration.nix", "flake.nix"].some((name) => existsSync(join(io.cwd, name)));
  return join(!here && existsSync("/etc/nixos") ? "/etc/nixos" : io.cwd, lockName);
}

/** Returns the lock of a file or, where there is none, the one that comes with Firn. */
export function currentLock(file: string): DebianLock {
  const set = debianSetDirectory();
  if (existsSync(file) || set === undefined) return parseDebianLock(readFileSync(file, "latin1"));
  // Its sources are those of the examples.
  return { ...parseDebianLock(readFileSync(join(set, "pkgs", lockName), "latin1")), sources: {} };
}

/** Returns access to the archives of a lock. */
export function accessTo(session: Session, archives: DebianLock["archives"]): ArchiveAccess {
  const { flags } = session.invocation;
  return archiveAccess({
    settings: session.settings,
    environment: session.io.env,
    events: (event) => session.progress.event(event),
    offline: flags.has("offline"),
    allowExpired: flags.has("allow-expired"),
    ...(archives === undefined ? {} : { archives }),
  });
}

/** Parses a suite, SUITE or ARCHIVE:SUITE. */
export function parseSuite(text: string, archive?: string): SuiteSpec {
  const match = /^(?:([a-z][a-z0-9-]*):)?([a-z][a-z0-9./-]*)$/.exec(text);
  if (match?.[2] === undefined) throw new UsageError(`'${text}' is not a Debian suite`);
  const suite = match[2];
  return {
    archive: match[1] ?? archive ?? (suite.endsWith("-security") ? "debian-security" : "debian"),
    suite,
    components: ["main"],
  };
}

/** Returns a lock with the suites, components and archives that {@link originFlags} add. Its packages are not looked at. */
export async function withOrigins({ flags }: Invocation, io: Io, lock: DebianLock): Promise<DebianLock> {
  const archive = await foreignArchive({ archive: flags.value("archive"), key: flags.value("key") }, io);
  const components = flags.all("component").map(([name = ""]) => name);
  for (const name of components) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new UsageError(`'${name}' is not a component of a suite`);
  }
  const named = flags.all("suite").map(([text = ""]) => parseSuite(text, archive?.name));
  // The archive of a program's makers has suites of Debian's names.
  const first = lock.suites[0]?.suite ?? "bookworm";
  if (archive !== undefined && named.length === 0) named.push(parseSuite(first, archive.name));
  const isNamed = (spec: SuiteSpec): boolean =>
    archive === undefined || named.some((other) => other.archive === spec.archive && other.suite === spec.suite);
  const suites = new Map(lock.suites.map((spec) => [`${spec.archive}:${spec.suite}`, spec]));
  for (const spec of named) {
    const key = `${spec.archive}:${spec.suite}`;
    const own = archive !== undefined && components.length > 0 ? { ...spec, components } : spec;
    if (!suites.has(key)) suites.set(key, { ...own, date: "", inRelease: "" });
  }
  return {
    ...lock,
    suites: [...suites.values()].map((spec) =>
      components.length > 0 && isNamed(spec) && (archive !== undefined || isDebian(spec.archive))
        ? { ...spec, components: [...new Set([...spec.components, ...components])] }
        : spec,
    ),
    ...(archive === undefined ? {} : { archives: { ...lock.archives, [archive.name]: archive.entry } }),
  };
}

const isDebian = (archive: string): boolean => archive === "debian" || archive === "debian-security";

async function foreignArchive(
  { archive, key }: { readonly archive: string | undefined; readonly key: string | undefined },
  io: Io,
): Promise<{ readonly name: string; readonly entry: ForeignArchive } | undefined> {
  if (archive === undefined && key === undefined) return undefined;
  if (archive === undefined || key === undefined) throw new UsageError("--archive and --key go together");
  const [, name, url] = /^([a-z][a-z0-9-]*)=((?:https?|file):\/\/.+?)\/*$/.exec(archive) ?? [];
  if (name === undefined || url === undefined || isDebian(name)) {
    throw new UsageError(`'${archive}' is not NAME=URL with a name of your own`);
  }
  return { name, entry: { url, key: await armoredKey(readFileSync(resolve(io.cwd, key))) } };
}

/** Prints what differs between two locks, and writes the second one into a file, if one is given. */
export function writeLock(
  io: Io,
  file: string | undefined,
  { before, after }: { readonly before: DebianLock | undefined; readonly after: DebianLock },
): void {
  if (before !== undefined) printChanges(io, lockChanges(before, after));
  if (file === undefined) return;
  const text = printDebianLock(after);
  const isNew = !existsSync(file);
  const unchanged = !isNew && readFileSync(file, "latin1") === text;
  if (!unchanged) writeFileSync(file, text);
  const sizes = Object.values(after.packages).map((entry) => entry.size);
  const total = (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1);
  io.err(`${unchanged ? "unchanged" : "wrote"} '${file}': ${sizes.length} packages, ${total} MB\n`);
  if (!isNew) return;
  // A flake of a repository sees tracked files only.
  for (let directory = dirname(file); directory !== "/"; directory = dirname(directory)) {
    if (!existsSync(join(directory, ".git"))) continue;
    io.err(`in a repository, a flake sees it after 'git add ${file}'\n`);
    return;
  }
}

function printChanges(io: Io, changes: readonly LockChange[]): void {
  const none = "∅";
  const print = (heading: string, part: readonly LockChange[]): void => {
    if (part.length === 0) return;
    io.out(`${heading}:\n`);
    for (const { name, before, after } of part) io.out(`  ${name}: ${before ?? none} → ${after ?? none}\n`);
  };
  print(
    "security fixes",
    changes.filter(({ security }) => security),
  );
  print(
    "packages",
    changes.filter(({ security }) => !security),
  );
}
