/** A machine that is files, with two systems to switch between. */
import fs from "node:fs";
import path from "node:path";
import { bytesOf, type MemoryNode, narOfMemory } from "@firn/formats";
import { LocalStore, storeLocation } from "@firn/store";
import {
  type Machine,
  recoverSwitch,
  type SwitchContext,
  type SwitchOutcome,
  type SwitchRequest,
  setProfile,
  switchSystem,
} from "@firn/system";

const units = ["web.service", "other.service"];

/** Opens the store of the machine. */
export function openMachineStore(root: string): Promise<LocalStore> {
  return LocalStore.open({ location: storeLocation({ rootDir: root }), reservedSpace: 10, requireSigs: false });
}

const profileOf = (root: string): string => path.join(root, "nix/var/nix/profiles/system");

function file(text: string, executable = false): MemoryNode {
  return { kind: "regular", executable, contents: bytesOf(text) };
}

function directory(entries: Readonly<Record<string, MemoryNode>>): MemoryNode {
  return { kind: "directory", entries: new Map(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** A system whose web service differs by `version`. */
async function addSystem(
  store: LocalStore,
  version: string,
  inhibitors: Readonly<Record<string, string>>,
  variants: Readonly<Record<string, string>> = {},
): Promise<string> {
  const service = (exec: string): MemoryNode => file(`[Service]\nExecStart=${exec}\n`);
  const manifest = {
    format: 1,
    name: "machine",
    label: version,
    packages: [],
    users: {},
    groups: {},
    boot: {
      loader: "systemd-boot",
      efiSysMountPoint: "/boot",
      configurationLimit: null,
      timeout: 1,
      bootCountingTries: 0,
      editor: false,
    },
    health: { timeout: 1, units: ["web.service"], network: false },
    inhibitors,
  };
  const tree = directory({
    "firn-os.json": file(JSON.stringify(manifest)),
    activate: file("", true),
    specialisation: directory(
      Object.fromEntries(Object.entries(variants).map(([name, target]) => [name, { kind: "symlink", target }])),
    ),
    kernel: file(`kernel ${version}`),
    initrd: file(`initrd ${version}`),
    etc: directory({
      systemd: directory({
        system: directory({ "other.service": service("/same"), "web.service": service(`/web-${version}`) }),
      }),
    }),
    usr: directory({
      lib: directory({
        systemd: directory({ boot: directory({ efi: directory({ "systemd-bootx64.efi": file("loader") }) }) }),
      }),
    }),
  });
  return (
    await store.addContent(() => narOfMemory(tree), { name: `system-${version}`, references: Object.values(variants) })
  ).path;
}

/** What runs: each unit with the program that it was started with. */
type Running = Record<string, string>;

const stateFile = (root: string): string => path.join(root, "systemd.json");

function readRunning(root: string): Running {
  return JSON.parse(fs.readFileSync(stateFile(root), "utf8")) as Running;
}

function currentSystem(root: string): string {
  return fs.readlinkSync(path.join(root, "run/current-system"));
}

function programOf(root: string, unit: string): string {
  return (
    /^ExecStart=(.*)$/m.exec(
      fs.readFileSync(path.join(root, currentSystem(root), "etc/systemd/system", unit), "utf8"),
    )?.[1] ?? ""
  );
}

/** A machine that is a directory: its systemd is a file, activation is one link. */
export function fileMachine(root: string, failing: readonly string[] = []): Machine {
  const done = (stdout = "", status = 0) => Promise.resolve({ status, stdout, stderr: "" });
  return {
    root,
    run(argv) {
      const [program = "", verb = "", ...rest] = argv;
      if (program.endsWith("/activate")) {
        const link = path.join(root, "run/current-system");
        fs.rmSync(`${link}.new`, { force: true });
        fs.symlinkSync(program.slice(root.length, -"/activate".length), `${link}.new`);
        fs.renameSync(`${link}.new`, link);
        return done();
      }
      const running = readRunning(root);
      const names = rest.slice(rest.indexOf("--") + 1);
      switch (verb) {
        case "list-units":
          return done(
            Object.entries(running)
              .map(([name, exec]) => `${name} loaded ${exec === "failed" ? "failed failed" : "active running"}`)
              .join("\n"),
          );
        case "stop":
          for (const name of names) delete running[name];
          break;
        case "start":
        case "restart":
          for (const name of names) {
            const exec = programOf(root, name);
            const runs = running[name] !== undefined && running[name] !== "failed" && verb === "start";
            if (!runs) running[name] = failing.includes(exec) ? "failed" : exec;
          }
          break;
      }
      // In one step, as systemd knows its own state.
      fs.writeFileSync(`${stateFile(root)}.new`, JSON.stringify(running));
      fs.renameSync(`${stateFile(root)}.new`, stateFile(root));
      return done("", names.some((name) => running[name] === "failed") && verb !== "stop" ? 1 : 0);
    },
  };
}

/** The switch's surroundings. */
export function contextOf(root: string, store: LocalStore, failing: readonly string[] = []): SwitchContext {
  return { machine: fileMachine(root, failing), store, profile: profileOf(root), events: () => undefined };
}

/** Adds a third system, whose variant `quiet` has a web service of its own. */
export async function addVariants(root: string): Promise<{ readonly system: string; readonly quiet: string }> {
  const store = await openMachineStore(root);
  const quiet = await addSystem(store, "quiet", {});
  const system = await addSystem(store, "whole", {}, { quiet });
  await store.close();
  return { system, quiet };
}

/** A machine on which generation 1, system "old", runs and is the one to start; "new" is built. */
export async function prepareMachine(
  root: string,
  inhibitors: { readonly old?: Record<string, string>; readonly new?: Record<string, string> } = {},
): Promise<{ readonly before: string; readonly after: string }> {
  for (const name of ["run", "boot", "var", "home"]) fs.mkdirSync(path.join(root, name), { recursive: true });
  fs.writeFileSync(path.join(root, "home/file"), "mine");
  const store = await openMachineStore(root);
  const before = await addSystem(store, "old", inhibitors.old ?? {});
  const after = await addSystem(store, "new", inhibitors.new ?? {});
  await setProfile(store, profileOf(root), before);
  fs.symlinkSync(before, path.join(root, "run/current-system"));
  fs.writeFileSync(
    stateFile(root),
    JSON.stringify(Object.fromEntries(units.map((unit) => [unit, programOf(root, unit)]))),
  );
  await switchSystem(contextOf(root, store), { action: "boot", system: before, generation: 1, healthGate: true });
  await store.close();
  return { before, after };
}

/** Switches to a system that is built. */
export async function switchMachine(
  root: string,
  system: string,
  { failing = [], ...more }: Partial<SwitchRequest> & { readonly failing?: readonly string[] } = {},
): Promise<SwitchOutcome> {
  const store = await openMachineStore(root);
  try {
    const request = { action: "switch", system, healthGate: true, ...more } as const;
    return await switchSystem(contextOf(root, store, failing), request);
  } finally {
    await store.close();
  }
}

/** Undoes or finishes an interrupted switch. */
export async function recoverMachine(root: string): Promise<string> {
  const store = await openMachineStore(root);
  try {
    return await recoverSwitch(contextOf(root, store));
  } finally {
    await store.close();
  }
}

/** Everything that a switch changes, by the system that it belongs to. */
export function machineState(root: string) {
  const link = fs.readlinkSync(profileOf(root));
  const conf = fs.readFileSync(path.join(root, "boot/loader/loader.conf"), "utf8");
  const pattern = /^default firn-(.*)$/m.exec(conf)?.[1] ?? "";
  const numbers = fs
    .readdirSync(path.join(root, "boot/loader/entries"))
    .map((name) => /^firn-([0-9]+)\.conf$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number);
  const next = pattern === "*" ? Math.max(...numbers) : Number.parseInt(pattern, 10);
  const entry = fs.readFileSync(path.join(root, `boot/loader/entries/firn-${next}.conf`), "utf8");
  for (const [, name = ""] of entry.matchAll(/^(?:linux|initrd) (.*)$/gm)) fs.statSync(path.join(root, "boot", name));
  return {
    profile: fs.readlinkSync(path.join(path.dirname(profileOf(root)), link)),
    next: /init=(.*)\/init/.exec(entry)?.[1],
    running: currentSystem(root),
    units: readRunning(root),
    home: fs.readFileSync(path.join(root, "home/file"), "utf8"),
    journal: fs.existsSync(path.join(root, "var/lib/firn/switch.json")),
  };
}

/** The machine loses its power and starts what its boot loader finds. */
export function restartMachine(root: string): void {
  const { next } = machineState(root);
  fs.rmSync(path.join(root, "run"), { recursive: true });
  fs.mkdirSync(path.join(root, "run"));
  fs.symlinkSync(next ?? "", path.join(root, "run/current-system"));
  fs.writeFileSync(
    stateFile(root),
    JSON.stringify(Object.fromEntries(units.map((unit) => [unit, programOf(root, unit)]))),
  );
}
