import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCodeCache } from "./code-cache.ts";

let directory: string;
const cacheIn = (where: string) => openCodeCache(where, { bytes: (file) => fs.readFileSync(file) });
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const codeFiles = () => fs.readdirSync(directory).filter((name) => name.endsWith(".code"));

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "code-cache-"));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

describe("The code cache on disk", () => {
  it("gives back what was stored last under a key, in a file that only its owner can read", () => {
    cacheIn(directory).store("key", [bytes("first"), bytes(" pieces")]);
    cacheIn(directory).store("key", [bytes("then "), bytes("others")]);
    expect(Buffer.from(cacheIn(directory).load("key")!).toString()).toBe("then others");
    expect(cacheIn(directory).load("another key")).toBeUndefined();
    expect(fs.statSync(path.join(directory, codeFiles()[0]!)).mode & 0o777).toBe(0o600);
    expect(codeFiles()).toEqual(fs.readdirSync(directory));
  });

  it("drops a file that any one byte of has changed, that was cut short or grew", () => {
    const cache = cacheIn(directory);
    cache.store("key", [bytes("0123456789")]);
    const file = path.join(directory, codeFiles()[0]!);
    const whole = fs.readFileSync(file);
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole);
      damaged[i]! ^= 1 << (i % 8);
      fs.writeFileSync(file, damaged);
      expect(cache.load("key")).toBeUndefined();
      fs.writeFileSync(file, whole.subarray(0, i));
      expect(cache.load("key")).toBeUndefined();
    }
    fs.writeFileSync(file, Buffer.concat([whole, whole]));
    expect(cache.load("key")).toBeUndefined();
    fs.writeFileSync(file, whole);
    expect(cache.load("key")).toBeDefined();
  });

  it("does not follow a link that lies in its place", () => {
    const cache = cacheIn(directory);
    cache.store("key", [bytes("code")]);
    const file = path.join(directory, codeFiles()[0]!);
    fs.renameSync(file, path.join(directory, "elsewhere"));
    fs.symlinkSync("elsewhere", file);
    expect(cache.load("key")).toBeUndefined();
    cache.store("key", [bytes("new code")]);
    expect(Buffer.from(cache.load("key")!).toString()).toBe("new code");
    expect(fs.readFileSync(path.join(directory, "elsewhere")).subarray(0, 4).toString()).toBe("code");
  });

  it("is silent where it cannot write", () => {
    const file = path.join(directory, "a-file");
    fs.writeFileSync(file, "");
    const cache = cacheIn(path.join(file, "below"));
    cache.store("key", [bytes("code")]);
    expect(cache.load("key")).toBeUndefined();
    expect(fs.readdirSync(directory)).toEqual(["a-file"]);
  });

  it("keeps few files, and no old half-written ones", () => {
    const cache = cacheIn(directory);
    const old = path.join(directory, ".dead.tmp");
    fs.writeFileSync(old, "");
    fs.utimesSync(old, 1, 1);
    const young = path.join(directory, ".alive.tmp");
    fs.writeFileSync(young, "");
    for (let i = 0; i < 9; i++) cache.store(`key ${i}`, [bytes("code")]);
    expect(codeFiles()).toHaveLength(4);
    expect(cache.load("key 8")).toBeDefined();
    expect(fs.existsSync(old)).toBe(false);
    expect(fs.existsSync(young)).toBe(true);
  });

  it("tells contents apart and reads again what it has hashed", () => {
    const file = path.join(directory, "a.nix");
    fs.writeFileSync(file, "1 + 1");
    const cache = cacheIn(directory);
    const first = cache.identify(file);
    expect(first).toMatchObject({ length: 5 });
    expect(first.hash).toHaveLength(16);
    expect(cache.read(file)).toBe("1 + 1");
    fs.writeFileSync(file, "1 + 2");
    expect(cache.identify(file).hash).not.toBe(first.hash);
    expect(cache.read(file)).toBe("1 + 2");
  });
});
