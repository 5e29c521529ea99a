import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadSettings, Settings } from "../index.ts";
import { parseStoreReference } from "../open/reference.ts";

describe("settings", () => {
  it("are read from files, then NIX_CONFIG, later ones winning, extra- appending", () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-settings-"));
    fs.writeFileSync(
      path.join(directory, "nix.conf"),
      "cores = 3\nsubstituters = a b\ninclude more.conf\nnonsense = 1\n",
    );
    fs.writeFileSync(path.join(directory, "more.conf"), "max-jobs = 7\nextra-substituters = c\n");
    fs.writeFileSync(path.join(directory, "user.conf"), "cores = 4\n");
    const settings = loadSettings({
      NIX_CONF_DIR: directory,
      NIX_USER_CONF_FILES: path.join(directory, "user.conf"),
      NIX_CONFIG: "max-free = 2G\nbuild-use-sandbox = relaxed",
    });
    expect(settings.get("cores")).toBe(4);
    expect(settings.get("max-jobs")).toBe(7);
    expect(settings.get("substituters")).toEqual(["a", "b", "c"]);
    expect(settings.get("max-free")).toBe(2 ** 31);
    expect(settings.get("sandbox")).toBe("relaxed");
    expect(settings.unknown).toEqual([{ name: "nonsense", value: "1" }]);
    expect(settings.isOverridden("keep-going")).toBe(false);
    fs.rmSync(directory, { recursive: true });
  });

  it("refuse values of the wrong kind", () => {
    const settings = new Settings();
    expect(() => settings.set("keep-going", "maybe")).toThrow("Boolean setting 'keep-going' has invalid value 'maybe'");
    expect(() => settings.set("cores", "-1")).toThrow("setting 'cores' has invalid value '-1'");
    expect(settings.set("no-such-setting", "1")).toBe(false);
  });

  it("know that flakes bring what they are fetched by", () => {
    const settings = new Settings();
    settings.set("experimental-features", "nix-command flakes");
    expect(settings.textOf("experimental-features")).toBe("fetch-tree flakes nix-command");
    settings.set("experimental-features", "nix-command");
    expect(settings.textOf("experimental-features")).toBe("nix-command");
  });

  describe("in files", () => {
    let directory: string;
    const file = (name: string): string => path.join(directory, name);
    const load = (): Settings => loadSettings({ NIX_CONF_DIR: directory, NIX_USER_CONF_FILES: "" });
    beforeEach(() => {
      directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-settings-"));
    });
    afterEach(() => fs.rmSync(directory, { recursive: true }));

    it.each([
      ["cores = many", "setting 'cores' has invalid value 'many'"],
      ["sandbox-fallback = perhaps", "Boolean setting 'sandbox-fallback' has invalid value 'perhaps'"],
      ["max-jobs = many", "configuration setting 'max-jobs' should be 'auto' or an integer"],
      ["sandbox = perhaps", "option 'sandbox' has invalid value 'perhaps'"],
      ["cores = 4294967296", "setting 'cores' has invalid value '4294967296'"],
      ["timeout = 9223372036854775808", "setting 'timeout' has invalid value '9223372036854775808'"],
      ["min-free = 18446744073709551616", "setting 'min-free' has invalid value '18446744073709551616'"],
      ["cores = é", "setting 'cores' has invalid value '\xc3\xa9'"],
      ["cores = 1\0", "setting 'cores' has invalid value '1\0'"],
    ])("%j is refused with its place", (line, message) => {
      fs.writeFileSync(file("more.conf"), `# more\n${line}\n`);
      fs.writeFileSync(file("nix.conf"), "include more.conf\n");
      const hint = `it is set in line 2 of "${file("more.conf")}"`;
      expect(load).toThrow(expect.objectContaining({ code: "bad-setting", message, hint }));
    });

    it("those of NIX_CONFIG too", () => {
      const hint = "it is set in line 2 of NIX_CONFIG";
      const loading = (): Settings => loadSettings({ NIX_CONF_DIR: directory, NIX_CONFIG: "\ncores = x" });
      expect(loading).toThrow(expect.objectContaining({ code: "bad-setting", hint }));
    });

    it("bytes that are no text are shown as such", () => {
      fs.writeFileSync(file("nix.conf"), Buffer.from("cores = \xff\n", "latin1"));
      expect(load).toThrow("setting 'cores' has invalid value '\xff'");
      fs.writeFileSync(file("nix.conf"), Buffer.from("\xff\xfe\n", "latin1"));
      expect(load).toThrow(`syntax error in configuration line '\xff\xfe' in "${file("nix.conf")}"`);
    });

    it("what cannot be read says nothing, included or not", () => {
      fs.mkdirSync(file("nix.conf"));
      expect(load().unknown).toEqual([]);
      fs.rmdirSync(file("nix.conf"));
      fs.symlinkSync("nix.conf", file("nix.conf"));
      expect(load().unknown).toEqual([]);
      fs.rmSync(file("nix.conf"));
      fs.mkdirSync(file("directory"));
      fs.writeFileSync(file("nix.conf"), "include directory\n!include directory\ncores = 5\n");
      expect(load().get("cores")).toBe(5);
    });
  });
});

describe("store references", () => {
  it("are taken apart", () => {
    expect(parseStoreReference("https://x.org/c?priority=3")).toEqual({
      scheme: "https",
      target: "x.org/c",
      parameters: new Map([["priority", "3"]]),
    });
    expect(parseStoreReference("/some/dir").parameters.get("root")).toBe("/some/dir");
    expect(parseStoreReference("auto").scheme).toBe("auto");
    expect(() => parseStoreReference("what")).toThrow("don't know how to open Nix store with reference 'what'");
  });
});
