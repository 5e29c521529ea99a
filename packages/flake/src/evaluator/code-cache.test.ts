import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCodeCache } from "./code-cache.ts";
import { openKeptFiles } from "./kept-files.ts";

let directory: string;
let file: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "code-cache-"));
  file = path.join(directory, "a.nix");
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

describe("The sources of the code cache", () => {
  it("are told apart by their contents and read again where these are wanted", () => {
    const cache = openCodeCache(openKeptFiles(directory), { bytes: (name) => fs.readFileSync(name) });
    fs.writeFileSync(file, "1 + 1");
    const first = cache.identify(file);
    expect(first).toMatchObject({ length: 5 });
    expect(first.hash).toHaveLength(16);
    expect(cache.read(file)).toEqual({ hash: first.hash, text: "1 + 1" });
    fs.writeFileSync(file, "1 + 2");
    expect(cache.identify(file).hash).not.toBe(first.hash);
    expect(cache.read(file).text).toBe("1 + 2");
  });

  it("are not read when they are known, and what is read then has a hash of its own", () => {
    let reads = 0;
    const digest = Buffer.alloc(32, 65);
    const cache = openCodeCache(openKeptFiles(directory), {
      bytes(name) {
        reads++;
        return fs.readFileSync(name);
      },
      ahead: () => ({ size: 3, digest }),
    });
    fs.writeFileSync(file, "1 + 1");
    expect(cache.identify(file)).toEqual({ hash: "A".repeat(16), length: 3 });
    expect(reads).toBe(0);
    expect(cache.read(file).text).toBe("1 + 1");
    expect(cache.read(file).hash).not.toBe("A".repeat(16));
  });
});
