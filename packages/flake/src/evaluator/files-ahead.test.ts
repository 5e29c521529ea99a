import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { toBase16 } from "@firn/formats";
import { hashTree } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FilesAhead, type Hashed, type ReadAheadRequest } from "./files-ahead.ts";
import { openKeptFiles } from "./kept-files.ts";
import { type Pace, type Reading, readAhead } from "./read-ahead.ts";

let directory: string;
const place = (name: string | number) => path.join(directory, `${name}.nix`);

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "files-ahead-"));
  for (let i = 0; i < 120; i++) write(i, `# ${i}`);
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

/** The clock's time cannot be set back for a file: the files are old because the clock goes ahead. */
function write(name: string | number, text: string): void {
  fs.writeFileSync(place(name), text);
}
async function later<T>(work: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + 10_000;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}

/** An evaluation that wants these files: what it was told of each, and the request that it made. */
async function evaluation(names: readonly (string | number)[], method: Hashed = "flat", meanwhile?: () => void) {
  const requests: ReadAheadRequest[] = [];
  const ahead = new FilesAhead(openKeptFiles(path.join(directory, "kept")), (request) => requests.push(request));
  const ask = (name: string | number) => {
    const found = ahead.digest(method, place(name), () => fs.lstatSync(place(name), { throwIfNoEntry: false }));
    return found === undefined ? undefined : { size: found.size, digest: toBase16(found.digest) };
  };
  const told = [ask(names[0]!)];
  for (const request of requests) await readAhead(request, atOnce).over;
  meanwhile?.();
  for (const name of names.slice(1)) told.push(ask(name));
  ahead.finish();
  return { told, ask, requests };
}

const atOnce: Pace = { start: 0, turn: 1, pause: 0 };
const sha256 = (name: string | number) =>
  createHash("sha256")
    .update(fs.readFileSync(place(name)))
    .digest("hex");
const many = Array.from({ length: 120 }, (_, i) => i);

describe("Files that are read ahead", () => {
  it("are those that the last evaluation with the same first file wanted", () =>
    later(async () => {
      expect((await evaluation(many)).told.every((found) => found === undefined)).toBe(true);
      const { told } = await evaluation(many);
      for (const i of many.slice(1)) {
        expect(told[i]).toEqual({ size: fs.statSync(place(i)).size, digest: sha256(i) });
      }
      expect((await evaluation([5, ...many])).requests).toEqual([]);
    }));

  it("are told once: a session that lasts reads files again", () =>
    later(async () => {
      await evaluation(many);
      const { told, ask } = await evaluation(many);
      expect(told[7]).toBeDefined();
      expect(ask(7)).toBeUndefined();
    }));

  it("are read again when they changed since, went away, or became something else", () =>
    later(async () => {
      await evaluation(many);
      const { told } = await evaluation(many, "flat", () => {
        fs.writeFileSync(place(1), "# x");
        fs.renameSync(place(2), place(3));
        fs.rmSync(place(4));
        fs.rmSync(place(5));
        fs.symlinkSync(place(6), place(5));
      });
      expect(told.slice(1, 8).map((found) => found !== undefined)).toEqual([
        false,
        false,
        false,
        false,
        false,
        true,
        true,
      ]);
    }));

  it("are not those that have only just changed, nor anything but files", async () => {
    await evaluation(many);
    // The clock is as it is: all files are new.
    expect((await evaluation(many)).told.every((found) => found === undefined)).toBe(true);
    await later(async () => {
      fs.rmSync(place(1));
      fs.mkdirSync(place(1));
      fs.rmSync(place(2));
      fs.symlinkSync(place(3), place(2));
      const { told } = await evaluation(many);
      expect(told.slice(1, 4).map((found) => found !== undefined)).toEqual([false, false, true]);
    });
  });

  it("can be hashed as the NARs that they make, which their modes are part of", () =>
    later(async () => {
      fs.chmodSync(place(8), 0o755);
      await evaluation(many, "nar");
      const { told } = await evaluation(many, "nar", () => fs.chmodSync(place(9), 0o755));
      expect(told[8]?.digest).toBe(toBase16(hashTree(place(8)).hash.bytes));
      expect(told[9]).toBeUndefined();
      expect(told[10]?.digest).toBe(toBase16(hashTree(place(10)).hash.bytes));
    }));

  it("are not kept by evaluations of few files, and not written again when little is new", () =>
    later(async () => {
      const sources = () =>
        fs.readdirSync(path.join(directory, "kept")).map((name) => path.join(directory, "kept", name));
      await evaluation(many.slice(0, 50));
      expect(fs.existsSync(path.join(directory, "kept"))).toBe(false);
      await evaluation(many.slice(0, 116));
      const [kept] = sources();
      const before = fs.statSync(kept!).ino;
      await evaluation(many.slice(0, 118));
      expect(fs.statSync(kept!).ino).toBe(before);
      for (let i = 200; i < 220; i++) write(i, "new");
      await evaluation([...many, ...Array.from({ length: 20 }, (_, i) => 200 + i)]);
      expect(sources()).toHaveLength(1);
      expect(fs.statSync(kept!).ino).not.toBe(before);
    }));

  it("stop being read when the evaluation is over", () =>
    later(async () => {
      await evaluation(many);
      const readings: Reading[] = [];
      const begin = (request: ReadAheadRequest) => void readings.push(readAhead(request, atOnce));
      const ahead = new FilesAhead(openKeptFiles(path.join(directory, "kept")), begin);
      ahead.digest("flat", place(0), () => fs.lstatSync(place(0)));
      expect(readings).toHaveLength(1);
      readings[0]!.stop();
      await readings[0]!.over;
      // What was to come next would have come before this.
      await setTimeout(20);
      expect(ahead.digest("flat", place(1), () => fs.lstatSync(place(1)))).toBeUndefined();
    }));
});
