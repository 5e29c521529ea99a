/**
 * Boots a generation in a container: systemd as process 1 over a persistent directory, the store read-only, in its own
 * namespaces and control group. Needs root, util-linux (unshare, setpriv, nsenter) and no virtual machine.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FirnError } from "@firn/formats";
import { type RunningProgram, startProgram } from "@firn/store";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "@firn/store/files";
import { processEnvironment } from "@firn/store/surroundings";
import { CONTAINER_SETUP, CONTAINER_START } from "./container-setup.ts";

/** The generation to boot, and its directories. */
export interface ContainerOptions {
  /** Store path of the generation, as the container sees it. */
  readonly system: string;
  /** Directory that becomes the root file system; files that the machine writes persist there. */
  readonly root: string;
  /** The real directory of the files of `/nix/store`. */
  readonly realStore: string;
  /**
   * `own` (default) gives the container a network with nothing but itself; `uplink` adds an interface that leads out through a program of
   * the host (slirp4netns), as a router does: the host's network is not changed, and nobody reaches the container from outside. `host`
   * lets it use the host's, which it cannot change: the machine's own configuration of the network and its firewall do not run, and
   * its services listen on the host's ports.
   */
  readonly network?: "own" | "uplink" | "host";
  /** Receives the output of the console. */
  readonly console?: (text: string) => void;
}

/** The result of a command inside: exit status and output. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A running container. */
export interface Container {
  /** Process id of its first process on the host. */
  readonly pid: number;
  /** Resolves to the exit status when the container has ended. */
  readonly ended: Promise<number>;
  /** Returns the program and arguments with which the host starts a command inside, as root. */
  command(command: readonly string[]): string[];
  /** Runs a program inside, as root, and waits for it. */
  run(command: readonly string[], input?: string): Promise<CommandResult>;
  /** Waits until all units of the boot are started; resolves to the state `running`, or `degraded` when one failed. */
  booted(seconds: number): Promise<string>;
  /** Powers off in good order; kills the remaining processes after `seconds`. */
  stop(seconds?: number): Promise<void>;
  /** Kills the container at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Capabilities that would reach the host's kernel; the container does not get them. */
const WITHHELD = ["sys_module", "sys_rawio", "sys_time", "syslog", "wake_alarm", "mac_admin", "mac_override", "bpf"];
const PATH = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/usr/sbin";
let counter = 0;

/**
 * Boots a generation; resolves when its first process exists. Errors: `container` when this process is not root, the path is
 * no generation or the first process does not come up.
 */
export async function bootContainer(options: ContainerOptions): Promise<Container> {
  if (process.getuid?.() !== 0) {
    throw new FirnError("container", "a container can only be booted by root", { hint: "run the command with sudo" });
  }
  const init = join(options.realStore, options.system.slice("/nix/store/".length), "init");
  const busybox = existsSync(init) ? /^#!(\/nix\/store\/\S+) sh\n/.exec(readFileSync(init, "latin1"))?.[1] : undefined;
  if (busybox === undefined) throw new FirnError("container", `'${options.system}' is not a system of Firn OS`);
  mkdirSync(options.root, { recursive: true });
  const group = makeControlGroup();
  const realBusybox = join(options.realStore, busybox.slice("/nix/store/".length));
  const network = options.network ?? "own";
  const namespaces = ["--kill-child", "-m", "-p", "-f", "-u", "-i", "-C", "--propagation", "private"];
  if (network !== "host") namespaces.push("-n");
  const withheld = network !== "host" ? WITHHELD : [...WITHHELD, "net_admin"];
  const child = startProgram(
    "setpriv",
    [
      "--inh-caps=-all",
      `--bounding-set=${withheld.map((name) => `-${name}`).join(",")}`,
      "sh",
      "-c",
      `${group === undefined ? "" : `echo $$ > ${group}/cgroup.procs && `}exec unshare "$@"`,
      "sh",
      ...namespaces,
      realBusybox,
      "sh",
      "-c",
      CONTAINER_SETUP,
    ],
    {
      env: {
        PATH: processEnvironment().PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        ROOT: options.root,
        STORE: options.realStore,
        SYSTEM: options.system,
        BUSYBOX: busybox,
        START: CONTAINER_START,
        NETWORK: network,
        RESOLVERS: network === "host" ? readOrEmpty("/etc/resolv.conf") : "",
        TERM: "dumb",
      },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let log = "";
  const collect = (text: string): void => {
    log = (log + text).slice(-4000);
    options.console?.(text);
  };
  child.stdout.setEncoding("latin1").on("data", collect);
  child.stderr.setEncoding("latin1").on("data", collect);
  const ended = new Promise<number>((resolve) => {
    child.on("error", (error) => {
      collect(`${error.message}\n`);
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 137));
  }).then(async (code) => {
    if (group !== undefined) await removeControlGroup(group);
    return code;
  });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (let tries = 0; tries < 2000 && !over; tries++) {
    const pid = firstProcess(child);
    if (pid !== undefined) {
      if (network === "uplink") startUplink(pid, ended, collect);
      return handle(
        child,
        pid,
        ended.then((code) => untilGone(pid).then(() => code)),
      );
    }
    await sleep(5);
  }
  child.kill("SIGKILL");
  throw new FirnError("container", `the container did not start: ${log.trim()}`);
}

/** Returns whether containers can be given an uplink here: slirp4netns and the kernel's interfaces of programs are there. */
export function hasUplink(): boolean {
  const directories = (processEnvironment().PATH ?? "").split(":");
  return existsSync("/dev/net/tun") && directories.some((directory) => existsSync(join(directory, "slirp4netns")));
}

/** Adds the interface `uplink0` to a container, with its address; what the host serves to itself cannot be reached through it. */
function startUplink(pid: number, ended: Promise<number>, log: (text: string) => void): void {
  const program = startProgram(
    "slirp4netns",
    ["--configure", "--disable-host-loopback", "--mtu=65520", `${pid}`, "uplink0"],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  program.stdout.setEncoding("latin1").on("data", log);
  program.stderr.setEncoding("latin1").on("data", log);
  program.on("error", (error) => log(`${error.message}\n`));
  void ended.then(() => program.kill());
}

function handle(child: RunningProgram, pid: number, ended: Promise<number>): Container {
  const inside = (command: readonly string[]): string[] => [
    ...["nsenter", "-t", `${pid}`, "-m", "-u", "-i", "-n", "-p", "-C"],
    ...[
      "/usr/bin/env",
      "-i",
      "-C",
      "/root",
      `PATH=${PATH}`,
      "HOME=/root",
      `TERM=${processEnvironment().TERM ?? "dumb"}`,
      ...command,
    ],
  ];
  const run = (command: readonly string[], input = ""): Promise<CommandResult> =>
    new Promise((resolve, reject) => {
      const [program = "", ...args] = inside(command);
      const process = startProgram(program, args, { stdio: ["pipe", "pipe", "pipe"], cwd: "/" });
      let out = "";
      let err = "";
      process.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString("latin1");
      });
      process.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString("latin1");
      });
      process.on("error", reject);
      process.on("close", (code) => resolve({ code: code ?? 137, out, err }));
      // A program that does not read its input is no error.
      process.stdin.on("error", () => undefined);
      process.stdin.end(Buffer.from(input, "latin1"));
    });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    pid,
    ended,
    command: inside,
    run,
    kill,
    booted: async (seconds) => {
      const end = Date.now() + seconds * 1000;
      for (;;) {
        const { out, err } = await run(["systemctl", "is-system-running"]);
        const state = out.trim();
        if (state === "running" || state === "degraded") return state;
        if (Date.now() > end) {
          const jobs = (await run(["systemctl", "list-jobs", "--no-legend", "--plain"])).out.trim();
          const running = jobs.split("\n").filter((line) => line.trimEnd().endsWith(" running"));
          const units = running.map((line) => line.trim().split(/\s+/)[1]).filter((name) => name !== undefined);
          const waits = units.length === 0 ? err.trim() : `, it waits for ${units.sort().join(", ")}`;
          throw new FirnError("container", `the system is still '${state}' after ${seconds} seconds${waits}`, {
            hint: "see what such a unit does with 'firn os enter --console', or wait longer with --timeout",
          });
        }
        await sleep(20);
      }
    },
    stop: async (seconds = 30) => {
      const asked = await run(["systemctl", "poweroff"]);
      const late = new AbortController();
      if (asked.code === 0) {
        await Promise.race([ended, sleep(seconds * 1000, undefined, { signal: late.signal }).catch(() => undefined)]);
      }
      late.abort();
      await kill();
    },
  };
}

/**
 * Waits until a killed process has ended: it outlives its standard streams while the kernel ends what its namespace holds. One that
 * nobody has asked for its status (a zombie) has ended. One that a device holds is given up after ten seconds.
 */
async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 2000 && /^State:\s*[^ZX]/m.test(readOrEmpty(`/proc/${pid}/status`)); tries++)
    await sleep(5);
}

/** Returns the host's id of the process that is 1 in the inner of the two process namespaces, once it is systemd. */
function firstProcess(child: RunningProgram): number | undefined {
  if (child.pid === undefined) return undefined;
  const depth = namespacePids(process.pid).length + 2;
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const parent = statusField(Number(name), "PPid")[0];
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const search = (pid: number, level: number): number | undefined => {
    for (const next of level > 8 ? [] : (parents.get(pid) ?? [])) {
      const numbers = namespacePids(next);
      if (numbers.length === depth && numbers.at(-1) === 1 && commandName(next) === "systemd") return next;
      const found = search(next, level + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(child.pid, 0);
}

const namespacePids = (pid: number): number[] => statusField(pid, "NSpid");

function statusField(pid: number, field: string): number[] {
  // A process may end while it is looked at.
  const text = readOrEmpty(`/proc/${pid}/status`);
  const line = new RegExp(`^${field}:\\s*(.*)$`, "m").exec(text)?.[1];
  return line === undefined ? [] : line.split(/\s+/).map(Number);
}

const commandName = (pid: number): string => readOrEmpty(`/proc/${pid}/comm`).trim();

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/** Makes a control group for the container below that of this process; undefined when the host has no cgroup2. */
function makeControlGroup(): string | undefined {
  const mount = readFileSync("/proc/mounts", "latin1")
    .split("\n")
    .map((line) => line.split(" "))
    .find((fields) => fields[2] === "cgroup2")?.[1];
  if (mount === undefined) return undefined;
  const group = join(mount, `firn-container-${process.pid}-${counter++}`);
  mkdirSync(group);
  return group;
}

async function removeControlGroup(group: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      removeTree(group);
      return;
    } catch {
      // The last processes are still ending.
      if (existsSync(join(group, "cgroup.kill"))) writeFileSync(join(group, "cgroup.kill"), "1");
      await sleep(10);
    }
  }
}

function removeTree(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  }
  rmdirSync(group);
}
