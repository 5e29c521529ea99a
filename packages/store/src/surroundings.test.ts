/** The home of a user. */
import { chownSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeDirectory } from "./surroundings.ts";

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
