import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { sandboxShell } from "./sandbox-shell.ts";
import { Settings } from "./settings.ts";

const linux = process.platform === "linux" && existsSync("/bin/sh");

test.skipIf(!linux)("the machine's shell is shown with its loader and libraries, which is all that it needs", () => {
  const [shell, ...loaded] = sandboxShell(["/bin/sh"]);
  expect(shell).toBe("/bin/sh=/bin/sh");
  expect(loaded.length).toBeGreaterThan(1);
  const root = mkdtempSync(path.join(tmpdir(), "firn-shell-"));
  try {
    const run = (): number | null => spawnSync("unshare", ["-r", "chroot", root, "/bin/sh", "-c", "exit 7"]).status;
    mkdirSync(path.join(root, "bin"));
    copyFileSync("/bin/sh", path.join(root, "bin/sh"));
    expect(run()).not.toBe(7);
    for (const file of loaded) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      copyFileSync(file, path.join(root, file));
    }
    expect(run()).toBe(7);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("what is no program, is damaged or lacks a library is passed over", () => {
  const root = mkdtempSync(path.join(tmpdir(), "firn-shell-"));
  try {
    const file = path.join(root, "sh");
    const header = Buffer.alloc(80);
    header.write("\x7fELF\x02\x01", "latin1");
    header.writeBigUInt64LE(1n << 40n, 32);
    header.writeUInt16LE(56, 54);
    header.writeUInt16LE(3, 56);
    for (const content of ["", "#!/bin/sh\n", header]) {
      writeFileSync(file, content);
      expect(sandboxShell([file])).toEqual([]);
    }
    expect(sandboxShell([path.join(root, "missing")])).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("the setting sandbox-paths begins with the shell and can be added to", () => {
  const settings = new Settings();
  settings.set("extra-sandbox-paths", "/more");
  expect(settings.get("sandbox-paths")).toEqual([...sandboxShell(), "/more"].sort());
});
