/** Lets the disk fill up before each step of a build in turn. */
import { execFile, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const program = new URL("full-disk-work.ts", import.meta.url).pathname;
/** Steps tried by default; all of them with `FIRN_ALL_STEPS`. */
const few = 2;

let top: string;
beforeAll(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-full-"));
  fs.chmodSync(top, 0o755);
});
afterAll(() => removePath(top));

/** The size of the file system that fills up. */
const size = "24m";
const mounting = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
const script = `mount -t tmpfs -o size=${size},mode=755 tmpfs "$0" && exec "$@"`;

interface Told {
  readonly steps: number;
  readonly ended: string;
  readonly whole: boolean;
  readonly again: string;
  readonly wholeAfter: boolean;
  readonly left: readonly string[];
}

async function run(step?: number): Promise<Told> {
  const root = path.join(top, `step-${step}`);
  fs.mkdirSync(root);
  const words = [process.execPath, "--disable-warning=ExperimentalWarning", program, root, "build"];
  const [command, ...args] = [...mounting, script, root, ...words, ...(step === undefined ? [] : [String(step)])];
  const env = { ...process.env, TMPDIR: path.join(root, "tmp"), NODE_COMPILE_CACHE: path.join(top, "code") };
  const { stdout } = await promisify(execFile)(command!, args, { env, timeout: 60_000 });
  return JSON.parse(stdout) as Told;
}

/** Mounting takes root. */
const mounts = spawnSync(mounting[0]!, [...mounting.slice(1), "mount -t tmpfs tmpfs /mnt"]).status === 0;

describe.skipIf(!mounts || !sandboxWorks())("a disk that is full before any step of a build", () => {
  it("gives an error or nothing at all, and a whole store in which the build succeeds when there is room", async () => {
    const plain = await run();
    expect(plain).toMatchObject({ ended: "done", whole: true, again: "done", left: [] });
    expect(plain.steps).toBeGreaterThan(80);
    const stride = process.env.FIRN_ALL_STEPS === undefined ? Math.floor(plain.steps / few) : 1;
    const ended = new Set<string>();
    for (let step = Math.floor(stride / 2); step < plain.steps; step += stride) {
      const told = await run(step);
      expect({ ...told, step }).toMatchObject({ whole: true, again: "done", wholeAfter: true, left: [] });
      expect(told.ended, `before step ${step}`).toMatch(
        /^(?:done|system-error|database-error|build-failed|output-rejected)$/,
      );
      ended.add(told.ended);
    }
    expect(ended).toContain("system-error");
  }, 1_200_000);
});
