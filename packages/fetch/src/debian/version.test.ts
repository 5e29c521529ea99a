import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareDebianVersions, satisfies } from "./version.ts";

const cases: [string, string, string][] = [
  ["1.0", "<", "1.1"],
  ["1.0~rc1", "<", "1.0"],
  ["1.0-1", "<", "1.0-1.1"],
  ["1:0.1", ">", "2.0"],
  ["2.36-9+deb12u14", ">", "2.36-9+deb12u9"],
  ["1.0a", ">", "1.0"],
  ["1.0+b", ">", "1.0a"],
  ["0:1.0", "=", "1.0"],
  ["1.010", "=", "1.10"],
  ["1.0-0", "=", "1.0"],
];

test("orders versions as the policy says", () => {
  for (const [a, relation, b] of cases) {
    const order = Math.sign(compareDebianVersions(a, b));
    expect([a, b, order]).toEqual([a, b, relation === "<" ? -1 : relation === ">" ? 1 : 0]);
  }
});

test("is a total preorder: antisymmetric and transitive", () => {
  const version = fc.stringMatching(/^([0-9]:)?[0-9][0-9a-c.+~]{0,5}(-[0-9a-c.+~]{1,3})?$/);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      const [ab, bc, ac] = [compareDebianVersions(a, b), compareDebianVersions(b, c), compareDebianVersions(a, c)];
      expect(Math.sign(ab)).toBe(-Math.sign(compareDebianVersions(b, a)) + 0);
      if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
    }),
  );
});

test.skipIf(!hasDpkg())("agrees with dpkg", () => {
  for (const [a, , b] of cases) {
    for (const [operator, relation] of [
      ["lt", "<<"],
      ["le", "<="],
      ["eq", "="],
      ["ge", ">="],
      ["gt", ">>"],
    ] as const) {
      let theirs = true;
      try {
        execFileSync("dpkg", ["--compare-versions", a, operator, b]);
      } catch {
        theirs = false;
      }
      expect([a, operator, b, satisfies(a, { name: "x", relation, version: b })]).toEqual([a, operator, b, theirs]);
    }
  }
});

function hasDpkg(): boolean {
  try {
    execFileSync("dpkg", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
