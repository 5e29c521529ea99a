/** The home of a user, and variables that whatever started the program set. */
import { chownSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeDirectory, launcherVariables, processEnvironment } from "./surroundings.ts";

test("a home that belongs to another user does not count", () => {
  const home = mkdtempSync(join(tmpdir(), "firn-home-"));
  try {
    expect(homeDirectory({ HOME: home })).toBe(home);
    expect(homeDirectory({ HOME: `${home}/missing` })).toBe(`${home}/missing`);
    const asRoot = process.getuid?.() === 0;
    if (asRoot) chownSync(home, 65534, 65534);
    expect(homeDirectory({ HOME: asRoot ? home : "/" })).toBe(userInfo().homedir);
  } finally {
    rmdirSync(home);
  }
});

test("settings of the C library are those of the user to programs that are started", () => {
  const before = process.env.GLIBC_TUNABLES;
  try {
    for (const [given, passed] of [
      ["glibc.malloc.hugetlb=1:", undefined],
      ["glibc.malloc.hugetlb=1:glibc.malloc.check=3", "glibc.malloc.check=3"],
      ["glibc.malloc.check=3", "glibc.malloc.check=3"],
    ] as const) {
      process.env.GLIBC_TUNABLES = given;
      expect(processEnvironment().GLIBC_TUNABLES).toBe(passed);
      expect(launcherVariables().GLIBC_TUNABLES).toBe(given === passed ? undefined : given);
    }
  } finally {
    if (before === undefined) delete process.env.GLIBC_TUNABLES;
    else process.env.GLIBC_TUNABLES = before;
  }
});
