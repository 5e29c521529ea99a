/** Kills a switch before each of its steps; afterwards the machine is wholly what it was or wholly what it was to be. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  contextOf,
  machineState,
  openMachineStore,
  prepareMachine,
  recoverMachine,
  restartMachine,
  switchMachine,
} from "../support/file-machine.ts";
import { forEachStep } from "./each-step.ts";

const program = new URL("switch-work.ts", import.meta.url).pathname;
/** Far fewer steps would mean that the seam is not where the work is. */
const leastSteps = 60;
const newWeb = "/web-new";

let top: string;
let systems: { readonly before: string; readonly after: string };

beforeAll(async () => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-switch-"));
  systems = await prepareMachine(path.join(top, "start"));
});

afterAll(() => removePath(top));

/** A machine as it is before the switch. */
function machine(name: string): string {
  const root = path.join(top, name);
  fs.cpSync(path.join(top, "start"), root, { recursive: true, verbatimSymlinks: true });
  const link = path.join(root, "nix/var/nix/gcroots/auto");
  if (fs.existsSync(link)) fs.rmSync(link, { recursive: true });
  return root;
}

/** A copy is a machine of its own: its journal names its own profile. */
function copyMachine(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  const journal = path.join(to, "var/lib/firn/switch.json");
  if (fs.existsSync(journal))
    fs.writeFileSync(journal, fs.readFileSync(journal, "utf8").replaceAll(`${from}/`, `${to}/`));
}

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Switches in a child of its own; with a limit it is killed before that step. */
function run(root: string, limit?: number, failing = ""): Promise<Ended> {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: path.join(top, "code"),
    ...(failing === "" ? {} : { FIRN_TEST_FAILING: failing }),
  };
  const args = [program, root, systems.after, ...(limit === undefined ? [] : [String(limit)])];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("latin1")));
    child.on("error", reject);
    child.on("close", (_, signal) => resolve({ signal, out, err }));
  });
}

/** All of a machine that runs one system and no trace of a switch. */
function whole(system: string) {
  const web = system === systems.after ? newWeb : "/web-old";
  return {
    profile: system,
    next: system,
    running: system,
    units: { "web.service": web, "other.service": "/same" },
    home: "mine",
    journal: false,
  };
}

describe("a switch is one transaction", () => {
  it("changes profile, boot menu, running system and units together", async () => {
    const root = machine("plain");
    expect(machineState(root)).toEqual(whole(systems.before));
    expect(await switchMachine(root, systems.after)).toEqual({ kind: "done", generation: 2 });
    expect(machineState(root)).toEqual(whole(systems.after));
  });

  it("goes back by itself when a unit fails that had not failed before", async () => {
    const root = machine("failing");
    const outcome = await switchMachine(root, systems.after, { failing: [newWeb] });
    expect(outcome).toEqual({ kind: "undone", reasons: [expect.stringContaining("web.service")] });
    expect(machineState(root)).toEqual(whole(systems.before));
  });

  it("is refused while an earlier one is unfinished or another one goes on, and changes nothing", async () => {
    const root = machine("unfinished");
    const steps = (await run(machine("count"))).out.split("\n").length;
    await run(root, steps - 10);
    await expect(switchMachine(root, systems.after)).rejects.toThrow(
      /an earlier switch of this machine was interrupted/,
    );
    await recoverMachine(root);
    const busy = machine("busy");
    const store = await openMachineStore(busy);
    const context = contextOf(busy, store);
    const slow = {
      ...context,
      machine: {
        ...context.machine,
        run: async (...args: Parameters<typeof context.machine.run>) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          return context.machine.run(...args);
        },
      },
    };
    const { switchSystem } = await import("@firn/system");
    const request = { action: "switch", system: systems.after, healthGate: true } as const;
    const first = switchSystem(slow, request);
    await expect(switchSystem(context, request)).rejects.toThrow(/another switch of this machine is going on/);
    await first;
    await store.close();
    expect(machineState(busy)).toEqual(whole(systems.after));
  });

  it.each([
    ["that goes well", ""],
    ["that is being undone", newWeb],
  ])(
    "killed before any step of one %s, it is undone or finished by the next, or by the next start",
    async (_, failing) => {
      const name = failing === "" ? "well" : "ill";
      const plain = await run(machine(`${name}-plain`), undefined, failing);
      const steps = plain.out.split("\n");
      expect(plain.err).toBe("");
      expect(steps.length).toBeGreaterThan(leastSteps);
      const seen = new Set<string>();
      // Undoing has the steps of the switch before it: a share of them is enough where time is short.
      const stride = failing === "" || process.env.FIRN_ALL_STEPS !== undefined ? 1 : 3;
      await forEachStep(Math.ceil(steps.length / stride), async (index) => {
        const step = index * stride;
        const where = `killed before step ${step}: ${steps[step]}`;
        const root = machine(`${name}-${step}`);
        expect((await run(root, step, failing)).signal, where).toBe("SIGKILL");
        const restarted = `${root}-restarted`;
        copyMachine(root, restarted);
        await recoverMachine(root);
        const state = machineState(root);
        seen.add(state.running);
        expect(state, where).toEqual(whole(state.running));
        restartMachine(restarted);
        await recoverMachine(restarted);
        const after = machineState(restarted);
        expect(after, `${where}, then restarted`).toEqual(whole(after.running));
        removePath(root);
        removePath(restarted);
      });
      expect([...seen]).toContain(systems.before);
    },
    600_000,
  );
});
