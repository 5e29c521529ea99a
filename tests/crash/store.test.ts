/** Kills a process that works on a store before each of its steps in turn, opens the store again and checks it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { removePath, verifyStore } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Work, work } from "./work.ts";

const MAX_STEPS = 200;
const program = new URL("work.ts", import.meta.url).pathname;

let top: string;

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-crash-"));
});

afterEach(() => removePath(top));

/** Works in a child that is killed before step `limit`; null when that step was not reached. */
function killedAt(root: string, kind: Work, limit: number): NodeJS.Signals | null {
  const result = spawnSync(process.execPath, [program, root, kind, String(limit)], { encoding: "latin1" });
  if (result.signal === null && result.status !== 0) throw new Error(result.stderr);
  return result.signal;
}

async function check(root: string): Promise<string[]> {
  const store = await openStore(root);
  expect(await verifyStore(store, { checkContents: true })).toBe(false);
  const valid = await store.queryAllValidPaths();
  for (const item of valid) expect(fs.existsSync(store.realPath(item)), item).toBe(true);
  await store.close();
  return valid;
}

describe("a store whose process is killed", () => {
  it("while it is made and paths are added has only whole paths, and goes on", async () => {
    for (let limit = 0; ; limit++) {
      const root = path.join(top, `s${limit}`);
      const signal = killedAt(root, "add", limit);
      const valid = await check(root);
      await work(root, "add");
      expect((await check(root)).length).toBe(2);
      removePath(root);
      if (signal === null) {
        expect(valid.length).toBe(2);
        expect(limit).toBeGreaterThan(15);
        return;
      }
      expect(limit).toBeLessThan(MAX_STEPS);
    }
  });

  it("while garbage is deleted has nothing valid that is gone", async () => {
    for (let limit = 0; ; limit++) {
      const root = path.join(top, `g${limit}`);
      await work(root, "add");
      const signal = killedAt(root, "collect", limit);
      await check(root);
      await work(root, "collect");
      expect(await check(root)).toEqual([]);
      expect(fs.readdirSync(path.join(root, "nix/store"))).toEqual([".links"]);
      removePath(root);
      if (signal === null) {
        expect(limit).toBeGreaterThan(5);
        return;
      }
      expect(limit).toBeLessThan(MAX_STEPS);
    }
  });
});
