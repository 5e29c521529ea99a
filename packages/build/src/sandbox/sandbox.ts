/**
 * The Linux build sandbox. A tree with only the inputs is laid out beside the derivation in the store, mounted in a namespace of its own
 * by `unshare` and `mount`, and entered by bubblewrap, which adds the other namespaces, the system call filter and process 1. Where only
 * bubblewrap may make user namespaces (some distributions), it does the mounting too, which is slower with hundreds of inputs.
 */

import path from "node:path";
import { FirnError, storePathBaseName } from "@firn/formats";
import {
  hasErrorCode,
  type PathFacts,
  removePath,
  runProgramSync,
  type Settings,
  type StoreFiles,
  variableNameProblem,
} from "@firn/store";
import * as fs from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";
import type { BuildGroup } from "./build-group.ts";
import type { BuildUser } from "./build-user.ts";
import { seccompProgram } from "./seccomp.ts";

/** Uid and gid that builders see. */
const sandboxUid = 1000;
/** The group that builders see. */
const sandboxGid = 100;
/** An unprivileged uid with which the sandbox is tried. */
const NOBODY = 65534;
const DEVICES = ["/dev/full", "/dev/kvm", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];

/** The contents of a sandbox. */
export interface SandboxPlan {
  readonly store: PathFacts & StoreFiles;
  readonly settings: Settings;
  readonly drvPath: string;
  /** The system that the derivation is for. */
  readonly system: string;
  readonly inputPaths: ReadonlySet<string>;
  /** Paths of the machine for this build beside those of the setting sandbox-paths, in its form. */
  readonly morePaths: readonly string[];
  /** The build directory on this machine. */
  readonly hostBuildDir: string;
  /** The build directory as the builder sees it. */
  readonly buildDir: string;
  /** True when the build has the network, as fixed-output and impure builds do. */
  readonly network: boolean;
  /** The control group of the build, whose place among the machine's groups the builder does not see. */
  readonly group: BuildGroup | undefined;
  /** The ids of the machine that the builder runs with; undefined for those of this process. */
  readonly user: Pick<BuildUser, "uid" | "gid"> | undefined;
}

/** A laid out sandbox. */
export interface Sandbox {
  /** The directory on this machine in which outputs appear, each under its own name; no builder can move it or reach it from above. */
  readonly outputs: string;
  /** The directory that must be deleted afterwards, with everything in it. */
  readonly top: string;
  /** Returns the command line that runs `builder args…` inside; the environment is given separately. */
  command(builder: readonly string[]): readonly string[];
  /** Contents for file descriptors 3 (system call filter) and 4 (bubblewrap arguments). */
  readonly seccomp: Buffer | undefined;
  argumentsFile(environment: ReadonlyMap<string, string>): Buffer;
  /** Tells whether a builder would certainly not find a path. */
  lacks(path: string): boolean;
}

interface Bind {
  readonly source: string;
  readonly target: string;
}

/** Reads `a=b?`: bind b at a, and ignore it when b is missing. */
function parseSandboxPath(text: string): { target: string; source: string; optional: boolean } {
  const optional = text.endsWith("?");
  const plain = optional ? text.slice(0, -1) : text;
  const split = plain.indexOf("=");
  return split < 0
    ? { target: plain, source: plain, optional }
    : { target: plain.slice(0, split), source: plain.slice(split + 1), optional };
}

/** Returns the paths of the setting, with the closures of those in the store. */
function configuredPaths(plan: SandboxPlan): Bind[] {
  const { store, settings } = plan;
  const binds: Bind[] = [];
  for (const text of [...settings.get("sandbox-paths"), ...plan.morePaths]) {
    const { target, source, optional } = parseSandboxPath(text);
    const inStore = source.startsWith(`${store.storeDir}/`);
    const real = inStore ? `${store.location.realStoreDir}${source.slice(store.storeDir.length)}` : source;
    if (!fs.existsSync(real)) {
      if (optional) continue;
      throw new FirnError("missing-sandbox-path", `sandbox path '${source}' does not exist`, {
        hint: "correct the setting sandbox-paths, or what the program of pre-build-hook prints",
      });
    }
    binds.push({ source: fs.realpathSync(real, { encoding: "latin1" }), target });
  }
  return binds;
}

/** Writes a path as one field of an fstab: bytes with a meaning there, or outside ASCII, are in octal. */
export function escapeFstab(text: string): string {
  if (text.includes("\0")) throw containsNull(text, "mount");
  return text.replace(/[^A-Za-z0-9/._+-]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function containsNull(text: string, what: string): FirnError {
  return new FirnError(
    "bad-program-argument",
    `cannot ${what} '${text.replaceAll("\0", "␀")}': it contains a null byte`,
  );
}

/** Returns the mount points of this process's namespace with their options, the longest first. */
function mountTable(): { readonly point: string; readonly options: string }[] {
  return fs
    .readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .flatMap((line) => {
      const [, , , , point, options = ""] = line.split(" ");
      if (point === undefined) return [];
      const unescaped = point.replace(/\\(\d{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      );
      return [{ point: unescaped, options }];
    })
    .sort((a, b) => b.point.length - a.point.length);
}

/** Returns, as options, the flags of a path's mount that an unprivileged remount must keep. */
function lockedFlags(path: string, table: ReturnType<typeof mountTable>): string {
  const mount = table.find(({ point }) => point === path || path.startsWith(point === "/" ? "/" : `${point}/`));
  const flags = (mount?.options ?? "")
    .split(",")
    .filter((flag) => ["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"].includes(flag));
  return flags.map((flag) => `,${flag}`).join("");
}

/** Directories of a sandbox on this machine, all below one that only this process's user may enter. */
interface Layout {
  readonly plan: SandboxPlan;
  readonly top: string;
  /** The directory that the builder sees as `/`, read-only. */
  readonly root: string;
  /** The directory that the builder sees as the store, in which it makes its outputs. */
  readonly outputs: string;
  /** The directory that the builder sees as `/tmp`. */
  readonly temporary: string;
}

/** Returns the directories that builders write to, with their places on this machine; one that contains another comes first. */
function writableDirectories({
  plan,
  outputs,
  temporary,
}: Layout): { readonly source: string; readonly target: string }[] {
  return [
    { source: outputs, target: plan.store.storeDir },
    { source: temporary, target: "/tmp" },
    { source: plan.hostBuildDir, target: plan.buildDir },
  ].sort((a, b) => a.target.length - b.target.length);
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

/** Returns the place of a sandbox's path on this machine, taking account of the mounts over the root. */
function hostPath(layout: Layout, target: string): string {
  const over = writableDirectories(layout).findLast(
    (mount) => target === mount.target || isBelow(target, mount.target),
  );
  return over === undefined ? layout.root + target : over.source + target.slice(over.target.length);
}

/** Makes the file or directory for a mount point. */
function makeMountPoint(layout: Layout, target: string, kind: "directory" | "file"): void {
  const full = hostPath(layout, target);
  fs.mkdirSync(kind === "directory" ? full : path.posix.dirname(full), { recursive: true });
  if (kind === "file" && !fs.existsSync(full)) fs.writeFileSync(full, "");
}

function write(file: string, text: string): void {
  fs.writeFileSync(file, text, { mode: 0o644 });
}

function baseTree({ plan, root, outputs, temporary }: Layout): void {
  const group = plan.user?.gid ?? process.getegid!();
  for (const directory of ["/tmp", "/etc", "/proc", "/dev/shm", "/dev/pts", plan.buildDir, plan.store.storeDir]) {
    fs.mkdirSync(root + directory, { recursive: true });
  }
  for (const [directory, mode] of [
    [temporary, 0o1777],
    [outputs, 0o1775],
  ] as const) {
    fs.mkdirSync(directory);
    fs.chownSync(directory, process.geteuid!(), group);
    fs.chmodSync(directory, mode);
  }
  write(
    `${root}/etc/passwd`,
    `root:x:0:0:Nix build user:${plan.buildDir}:/noshell\nnixbld:x:${sandboxUid}:${sandboxGid}:Nix build user:${plan.buildDir}:/noshell\nnobody:x:65534:65534:Nobody:/:/noshell\n`,
  );
  write(`${root}/etc/group`, `root:x:0:\nnixbld:!:${sandboxGid}:\nnogroup:x:65534:\n`);
  if (!plan.network) write(`${root}/etc/hosts`, "127.0.0.1 localhost\n::1 localhost\n");
  else write(`${root}/etc/nsswitch.conf`, "hosts: files dns\nservices: files\n");
  for (const [name, target] of [
    ["fd", "/proc/self/fd"],
    ["stdin", "/proc/self/fd/0"],
    ["stdout", "/proc/self/fd/1"],
    ["stderr", "/proc/self/fd/2"],
    ["ptmx", "/dev/pts/ptmx"],
  ] as const) {
    fs.symlinkSync(target, `${root}/dev/${name}`);
  }
  fs.chownSync(root, process.geteuid!(), group);
}

function hostBinds(plan: SandboxPlan): Bind[] {
  const binds: Bind[] = [];
  const kvm = plan.settings.get("system-features").includes("kvm");
  for (const device of DEVICES) {
    if ((device !== "/dev/kvm" || kvm) && fs.existsSync(device)) binds.push({ source: device, target: device });
  }
  if (plan.network) {
    for (const file of ["/etc/resolv.conf", "/etc/services", "/etc/hosts"]) {
      if (fs.existsSync(file)) binds.push({ source: fs.realpathSync(file), target: file });
    }
    const certificates = plan.settings.get("ssl-cert-file");
    if (certificates !== undefined && fs.existsSync(certificates)) {
      binds.push({ source: fs.realpathSync(certificates), target: "/etc/ssl/certs/ca-certificates.crt" });
    }
  }
  return binds;
}

interface Mount {
  readonly source: string;
  readonly target: string;
  /**
   * The kind of a mount: store paths, files of the machine and devices of the machine are read-only; `writable` is for
   * builders to write to.
   */
  readonly kind: "input" | "host" | "device" | "writable";
}

/** Makes the mount points of everything that the builder may see, and returns the mounts in order. */
function planMounts(layout: Layout): Mount[] {
  const { plan } = layout;
  const { store } = plan;
  const mounts: Mount[] = [];
  for (const { source, target } of writableDirectories(layout)) {
    // The mount point of one that lies in another, as a store below /tmp does, is made there.
    const around = mounts.findLast((mount) => isBelow(target, mount.target));
    if (around !== undefined) fs.mkdirSync(around.source + target.slice(around.target.length), { recursive: true });
    mounts.push({ source, target, kind: "writable" });
  }
  for (const input of [...plan.inputPaths].sort()) {
    const real = store.realPath(input);
    const stat = fs.lstatSync(real);
    if (stat.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(real, { encoding: "buffer" }), hostPath(layout, input));
      continue;
    }
    makeMountPoint(layout, input, stat.isDirectory() ? "directory" : "file");
    mounts.push({ source: real, target: input, kind: "input" });
  }
  for (const { source, target } of [...configuredPaths(plan), ...hostBinds(plan)]) {
    const isDirectory = fs.statSync(source).isDirectory();
    makeMountPoint(layout, target, isDirectory ? "directory" : "file");
    // Directories that the settings name are shared on purpose (a compiler's cache); their own modes guard them.
    const shared = isDirectory && !source.startsWith(`${store.location.realStoreDir}/`);
    mounts.push({ source, target, kind: target.startsWith("/dev/") ? "device" : shared ? "writable" : "host" });
  }
  return mounts;
}

/** Lays out the sandbox of a build beside its derivation. Delete `top` afterwards. */
export function prepareSandbox(plan: SandboxPlan): Sandbox {
  const top = `${plan.store.realPath(plan.drvPath)}.chroot`;
  removePath(top);
  try {
    return layOut(plan, top);
  } catch (error) {
    removePath(top);
    throw error;
  }
}

function layOut(plan: SandboxPlan, top: string): Sandbox {
  const layout: Layout = { plan, top, root: `${top}/root`, outputs: `${top}/outputs`, temporary: `${top}/tmp` };
  const { root, outputs } = layout;
  fs.mkdirSync(top, { mode: 0o700 });
  fs.mkdirSync(root, { mode: 0o750 });
  baseTree(layout);
  const mounts = planMounts(layout);
  const mode = plan.user === undefined ? requireSandbox("own") : modeOfBuildUsers();
  const entry = plan.user === undefined ? root : reachablePlace(top);
  const fstab = mode === "tree" ? writeFstab(layout, mounts, entry) : undefined;
  fs.chmodSync(`${root}/etc`, 0o555);
  const seccomp = seccompProgram({ files: plan.settings.get("filter-syscalls"), unixSockets: plan.network });
  return {
    outputs,
    top,
    seccomp,
    lacks: (path) => isAbsent(layout, mounts, path),
    command: (builder) => {
      const command = [...outerCommand(plan, fstab), ...bubblewrap(plan, seccomp !== undefined), ...builder];
      return plan.group?.enter(command) ?? command;
    },
    argumentsFile: (environment) =>
      argumentsFile(environment, ["--dev-bind", entry, "/", ...(mode === "tree" ? [] : bindArguments(plan, mounts))]),
  };
}

/** Tells whether an absolute path is in none of the mounts and not in the tree that is made here. Links are never followed. */
function isAbsent({ plan, root }: Layout, mounts: readonly Mount[], path: string): boolean {
  if (!path.startsWith("/") || path.split("/").includes("..")) return false;
  const places = [...mounts.map(({ target }) => target), plan.store.storeDir, "/proc", "/dev"];
  if (places.some((place) => path === place || isBelow(path, place))) return false;
  return fs.lstatSync(root + path, { throwIfNoEntry: false }) === undefined;
}

/**
 * Returns a directory that every user can reach. The tree is mounted there, in a mount namespace of the build's own, for
 * bubblewrap, which runs as the build user and cannot pass the directories above the tree.
 */
function reachablePlace(top: string): string {
  const found = ["/mnt", "/srv", "/opt", "/media", "/sys"].find(
    (place) => fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === true && !top.startsWith(`${place}/`),
  );
  if (found === undefined)
    throw new FirnError("no-sandbox", "there is no directory (/mnt, /srv, /opt) to mount the sandbox on");
  return found;
}

/** Writes the list of mounts in order: those below the root, and last the root itself at `entry`. */
function writeFstab({ plan, top, root }: Layout, mounts: readonly Mount[], entry: string): string {
  const { realStoreDir } = plan.store.location;
  const stage = `${top}/store`;
  fs.mkdirSync(stage);
  const lines: string[] = [];
  const mount = (source: string, target: string, options = "bind", type = "none"): void => {
    lines.push(`${escapeFstab(source)} ${escapeFstab(target)} ${type} ${options} 0 0`);
  };
  const table = mountTable();
  // One read-only view of the whole store; binds made from it are read-only too.
  mount(realStoreDir, stage, `bind,ro${lockedFlags(realStoreDir, table)}`);
  for (const { source, target, kind } of mounts) {
    if (kind === "input") mount(`${stage}/${storePathBaseName(source)}`, root + target);
    else mount(source, root + target, kind === "writable" ? "bind" : `bind,ro${lockedFlags(source, table)}`);
  }
  if (fs.existsSync("/dev/shm")) {
    mount("none", `${root}/dev/shm`, `size=${plan.settings.get("sandbox-dev-shm-size")}`, "tmpfs");
  }
  mount("none", `${root}/dev/pts`, "newinstance,mode=0620,ptmxmode=0666", "devpts");
  if (entry !== root) mount(root, entry, "rbind");
  write(`${top}/fstab`, `${lines.join("\n")}\n`);
  return `${top}/fstab`;
}

/** Returns the mounts as arguments of bubblewrap; its own /dev replaces ours because it alone can mount terminals there. */
function bindArguments(plan: SandboxPlan, mounts: readonly Mount[]): string[] {
  const args: string[] = [];
  for (const { source, target, kind } of mounts) {
    if (kind !== "device") args.push(kind === "writable" ? "--bind" : "--ro-bind", source, target);
  }
  args.push("--dev", "/dev");
  if (plan.settings.get("system-features").includes("kvm") && fs.existsSync("/dev/kvm")) {
    args.push("--dev-bind", "/dev/kvm", "/dev/kvm");
  }
  return args;
}

const TREE_SCRIPT = `umask 022
ulimit -S -c 0
mount -a -T "$1" || exit 210
shift
exec "$@"`;
const BIND_SCRIPT = `umask 022
ulimit -S -c 0
exec "$@"`;

function outerCommand(plan: SandboxPlan, fstab: string | undefined): string[] {
  if (fstab === undefined) return ["/bin/sh", "-c", BIND_SCRIPT, "sandbox"];
  return [...unshare(), "/bin/sh", "-c", TREE_SCRIPT, "sandbox", fstab, ...asUser(plan.user)];
}

/** Returns the command that gives up the rights of root for those of a build user. */
function asUser(user: SandboxPlan["user"]): string[] {
  if (user === undefined) return [];
  return ["setpriv", "--reuid", String(user.uid), "--regid", String(user.gid), "--clear-groups", "--"];
}

function unshare(): string[] {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return ["unshare", ...user, "--mount", "--propagation", "private"];
}

function bubblewrap(plan: SandboxPlan, filtered: boolean): string[] {
  const personality = hasProgram("setarch") ? ["setarch", ...architecture(plan), "-R"] : [];
  return [
    ...personality,
    "bwrap",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    ...(plan.group === undefined ? [] : ["--unshare-cgroup"]),
    ...(plan.network ? [] : ["--unshare-net"]),
    "--uid",
    String(sandboxUid),
    "--gid",
    String(sandboxGid),
    "--hostname",
    "localhost",
    "--args",
    "4",
    "--chdir",
    plan.buildDir,
    ...(filtered ? ["--seccomp", "3"] : []),
    "--as-pid-1",
    "--die-with-parent",
    "--new-session",
    "--",
  ];
}

function architecture(plan: SandboxPlan): string[] {
  return plan.system.startsWith("i686-") ? ["i686"] : [];
}

/**
 * Returns the contents of the file from which bubblewrap reads further arguments, each ended by a null byte. Error
 * `bad-program-argument`.
 */
export function argumentsFile(environment: ReadonlyMap<string, string>, mounts: readonly string[]): Buffer {
  const list = [...mounts, "--proc", "/proc", "--remount-ro", "/", "--clearenv"];
  for (const [name, value] of environment) {
    const problem = variableNameProblem(name);
    if (problem !== undefined) throw new FirnError("bad-program-argument", `cannot start 'bwrap': ${problem}`);
    list.push("--setenv", name, value);
  }
  for (const argument of list)
    if (argument.includes("\0")) throw containsNull(argument, "give bubblewrap the argument");
  return Buffer.from(`${list.join("\0")}\0`, "latin1");
}

const programs = new Map<string, boolean>();

/** Tells whether a program is on the search path. */
export function hasProgram(name: string): boolean {
  let found = programs.get(name);
  if (found === undefined) {
    found = (processEnvironment().PATH ?? "").split(":").some((directory) => {
      try {
        fs.accessSync(path.join(directory, name), fs.constants.X_OK);
        return true;
      } catch (error) {
        if (hasErrorCode(error, "ENOENT", "EACCES", "ENOTDIR")) return false;
        throw error;
      }
    });
    programs.set(name, found);
  }
  return found;
}

/** The program that mounts: `tree` for `unshare` and `mount` before bubblewrap starts, `binds` for bubblewrap itself. */
export type SandboxMode = "tree" | "binds";

interface Support {
  readonly mode?: SandboxMode;
  readonly reason: string;
}

/** Cached support of the sandbox for builders with the rights of this process, and for those of a build user. */
const supported = new Map<"own" | "user", Support>();

function support(builder: "own" | "user"): Support {
  const known = supported.get(builder) ?? probe(builder);
  supported.set(builder, known);
  return known;
}

/** Tells whether builds can be sandboxed on this machine; tried once. */
export function sandboxWorks(): boolean {
  return support("own").mode !== undefined;
}

/** Tries the sandbox once and returns its mode; throws `no-sandbox` with what is missing and a way to build without. */
export function requireSandbox(builder: "own" | "user" = "own"): SandboxMode {
  const { mode, reason } = support(builder);
  if (mode !== undefined) return mode;
  throw noSandbox(reason);
}

function noSandbox(reason: string): FirnError {
  return new FirnError("no-sandbox", `this system does not support the build sandbox: ${reason}`, {
    hint: "builds without isolation can be allowed with --option sandbox false",
  });
}

/**
 * Returns the one mode that build users have. It is not tried beforehand, which takes as long as a small build: after a run that failed
 * `requireSandbox` tells whether the sandbox was the reason. Error `no-sandbox` when a program is missing.
 */
function modeOfBuildUsers(): SandboxMode {
  const missing = missingProgram("user");
  if (missing !== undefined) throw noSandbox(missing);
  return "tree";
}

function missingProgram(builder: "own" | "user"): string | undefined {
  if (!hasProgram("bwrap")) return "the program 'bwrap' (bubblewrap) is not installed";
  if (builder === "own") return undefined;
  const program = ["unshare", "mount", "setpriv"].find((name) => !hasProgram(name));
  return program === undefined ? undefined : `the program '${program}' (util-linux) is not installed`;
}

function probe(builder: "own" | "user"): Support {
  const missing = missingProgram(builder);
  if (missing !== undefined) return { reason: missing };
  const inner = ["bwrap", "--unshare-user", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc", "true"];
  const attempt = (command: readonly string[]): string | undefined => {
    const result = runProgramSync(command[0]!, command.slice(1));
    if (result.status === 0) return undefined;
    return (result.stderr?.toString("latin1") || String(result.error ?? "")).trim().split("\n")[0] ?? "";
  };
  if (builder === "user") {
    const failure = attempt([...unshare(), ...asUser({ uid: NOBODY, gid: NOBODY }), ...inner]);
    return failure === undefined
      ? { mode: "tree", reason: "" }
      : { reason: `unprivileged users cannot make user namespaces (${failure})` };
  }
  if (hasProgram("unshare") && hasProgram("mount") && attempt([...unshare(), ...inner]) === undefined) {
    return { mode: "tree", reason: "" };
  }
  const failure = attempt(inner);
  return failure === undefined
    ? { mode: "binds", reason: "" }
    : { reason: `user namespaces cannot be made (${failure})` };
}
