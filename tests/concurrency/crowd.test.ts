/** Many clients and many builds at one daemon. Run with FIRN_ALL_STEPS. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sandboxWorks } from "@firn/build";
import type { Derivation } from "@firn/formats";
import { addDerivation, type MachineStore, offered, openMachineStore, removePath, Settings } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { firnDaemon } from "../support/daemons.ts";

const runs = sandboxWorks() && process.env.FIRN_ALL_STEPS !== undefined;
const clients = 200;
const builders = 50;

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-crowd-"));
  fs.chmodSync(root, 0o755);
});
afterEach(() => removePath(root));

function derivation(number: number): Derivation {
  const name = `crowd-${number}`;
  return {
    name,
    outputs: new Map([["out", { kind: "deferred" }]]),
    inputDrvs: new Map(),
    inputSrcs: [],
    system: "x86_64-linux",
    builder: "/bin/sh",
    args: ["-ec", `echo ${number} > $out`],
    env: new Map([
      ["PATH", "/bin:/usr/bin"],
      ["name", name],
      ["out", ""],
    ]),
  };
}

test.skipIf(!runs)(
  `a daemon serves ${clients} clients at once, ${builders} of which build`,
  async () => {
    const daemon = await firnDaemon(root);
    const opened: MachineStore[] = [];
    try {
      const results = await Promise.all(
        Array.from({ length: clients }, async (_, number) => {
          const store = await openMachineStore({ settings: new Settings(), environment: {} }, daemon.url);
          opened.push(store);
          const text = await store.addTextToStore(`text-${number}`, `of client ${number}`, []);
          if (number >= builders) return [await store.isValidPath(text)];
          const drvPath = await addDerivation(store, derivation(number), { dryRun: false });
          const [built] = await offered(store, "building").buildPaths([{ kind: "built", drvPath, outputs: ["out"] }]);
          const out = built?.outputs.get("out") ?? "";
          return [await store.isValidPath(text), built?.error?.message, fs.readFileSync(path.join(root, out), "utf8")];
        }),
      );
      const wanted = Array.from({ length: clients }, (_, number) =>
        number < builders ? [true, undefined, `${number}\n`] : [true],
      );
      expect(results).toEqual(wanted);
      const [one] = opened;
      expect(await one?.queryAllValidPaths()).toHaveLength(clients + 2 * builders);
      expect(await offered(one!, "upkeep").verifyStore({ checkContents: true })).toBe(false);
    } finally {
      await Promise.all(opened.map((store) => store.close()));
      await daemon.stop();
    }
  },
  300_000,
);
