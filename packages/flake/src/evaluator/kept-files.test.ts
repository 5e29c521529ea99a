import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openKeptFiles } from "./kept-files.ts";

let directory: string;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const codeFiles = () => fs.readdirSync(directory).filter((name) => name.endsWith(".code"));

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "kept-files-"));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

describe("Files kept between evaluations", () => {
  it("gives back what was stored last under a key, in a file that only its owner can read", () => {
    openKeptFiles(directory).store("code", "key", [bytes("first"), bytes(" pieces")]);
    openKeptFiles(directory).store("code", "key", [bytes("then "), bytes("others")]);
    expect(Buffer.from(openKeptFiles(directory).load("code", "key")!).toString()).toBe("then others");
    expect(openKeptFiles(directory).load("code", "another key")).toBeUndefined();
    expect(fs.statSync(path.join(directory, codeFiles()[0]!)).mode & 0o777).toBe(0o600);
    expect(codeFiles()).toEqual(fs.readdirSync(directory));
  });

  it("drops a file that any one byte of has changed, that was cut short or grew", () => {
    const files = openKeptFiles(directory);
    files.store("code", "key", [bytes("0123456789")]);
    const file = path.join(directory, codeFiles()[0]!);
    const whole = fs.readFileSync(file);
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole);
      damaged[i]! ^= 1 << (i % 8);
      fs.writeFileSync(file, damaged);
      expect(files.load("code", "key")).toBeUndefined();
      fs.writeFileSync(file, whole.subarray(0, i));
      expect(files.load("code", "key")).toBeUndefined();
    }
    fs.writeFileSync(file, Buffer.concat([whole, whole]));
    expect(files.load("code", "key")).toBeUndefined();
    fs.writeFileSync(file, whole);
    expect(files.load("code", "key")).toBeDefined();
  });

  it("does not follow a link that lies in its place", () => {
    const files = openKeptFiles(directory);
    files.store("code", "key", [bytes("code")]);
    const file = path.join(directory, codeFiles()[0]!);
    fs.renameSync(file, path.join(directory, "elsewhere"));
    fs.symlinkSync("elsewhere", file);
    expect(files.load("code", "key")).toBeUndefined();
    files.store("code", "key", [bytes("new code")]);
    expect(Buffer.from(files.load("code", "key")!).toString()).toBe("new code");
    expect(fs.readFileSync(path.join(directory, "elsewhere")).subarray(0, 4).toString()).toBe("code");
  });

  it("is silent where it cannot write", () => {
    const file = path.join(directory, "a-file");
    fs.writeFileSync(file, "");
    const files = openKeptFiles(path.join(file, "below"));
    files.store("code", "key", [bytes("code")]);
    expect(files.load("code", "key")).toBeUndefined();
    expect(fs.readdirSync(directory)).toEqual(["a-file"]);
  });

  it("keeps few files, and no old half-written ones", () => {
    const files = openKeptFiles(directory);
    const old = path.join(directory, ".dead.tmp");
    fs.writeFileSync(old, "");
    fs.utimesSync(old, 1, 1);
    const young = path.join(directory, ".alive.tmp");
    fs.writeFileSync(young, "");
    for (let i = 0; i < 9; i++) files.store("code", `key ${i}`, [bytes("code")]);
    files.store("sources", "key", [bytes("places")]);
    expect(codeFiles()).toHaveLength(4);
    expect(Buffer.from(files.load("sources", "key")!).toString()).toBe("places");
    expect(files.load("code", "key 8")).toBeDefined();
    expect(fs.existsSync(old)).toBe(false);
    expect(fs.existsSync(young)).toBe(true);
  });
});
