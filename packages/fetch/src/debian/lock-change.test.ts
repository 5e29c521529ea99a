import { expect, test } from "vitest";
import { type DebianLock, type LockedPackage, lockPackages } from "./lock.ts";
import { extendPackages, lockChanges } from "./lock-change.ts";
import { addPackages, emptyIndex, type PackageIndex } from "./package-index.ts";

/** An index of packages, each given by some of its fields. */
function indexOf(...packages: Record<string, string>[]): PackageIndex {
  const index = emptyIndex();
  const text = packages.map((fields) => {
    const file = { Filename: `pool/${fields.Package}.deb`, Size: "1", SHA256: "a".repeat(64) };
    return Object.entries({ Version: "1", ...file, ...fields })
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n");
  });
  addPackages(index, "debian", text.join("\n\n"));
  return index;
}

const versions = (packages: Readonly<Record<string, LockedPackage>>): Record<string, string> =>
  Object.fromEntries(Object.entries(packages).map(([name, { version }]) => [name, version]));

const before = indexOf(
  { Package: "web", Depends: "lib | other" },
  { Package: "lib" },
  { Package: "lib-data", Depends: "lib (= 1)" },
);
const locked = lockPackages(before, ["web", "lib-data"]);

test("what is locked keeps its version when a package is added", () => {
  const now = indexOf(
    { Package: "web", Version: "2", Depends: "other" },
    { Package: "lib", Version: "2" },
    { Package: "lib-data", Version: "2", Depends: "lib (= 2)" },
    { Package: "other" },
    { Package: "tool", Depends: "lib" },
  );
  expect(versions(extendPackages(now, locked, ["web", "lib-data", "tool"]))).toEqual({
    lib: "1",
    "lib-data": "1",
    tool: "1",
    web: "1",
  });
});

test("what a new package needs newer is renewed, with its siblings", () => {
  const now = indexOf(
    { Package: "web", Version: "1" },
    { Package: "lib", Version: "2" },
    { Package: "lib-data", Version: "2", Depends: "lib (= 2)" },
    { Package: "tool", Depends: "lib (>= 2)" },
  );
  const extended = extendPackages(now, { ...locked, web: { ...(locked.web as LockedPackage), version: "0.9" } }, [
    "web",
    "lib-data",
    "tool",
  ]);
  expect(versions(extended)).toEqual({ lib: "2", "lib-data": "2", tool: "1", web: "0.9" });
});

test("what no version fulfils is an error", () => {
  const now = indexOf({ Package: "lib" }, { Package: "tool", Depends: "lib (>= 3)" });
  expect(() => extendPackages(now, locked, ["tool"])).toThrow("depends on lib (>= 3), which no suite offers");
});

test("security fixes come first among what differs", () => {
  const entry = (version: string, archive: string): LockedPackage => ({
    ...(locked.lib as LockedPackage),
    version,
    path: `${archive}/pool/x.deb`,
  });
  const old = { packages: { a: entry("1", "debian"), b: entry("1", "debian"), gone: entry("1", "debian") } };
  const packages = { a: entry("2", "debian"), b: entry("2", "debian-security"), come: entry("1", "debian-security") };
  expect(lockChanges(old, { ...old, packages } as unknown as DebianLock)).toEqual([
    { name: "b", before: "1", after: "2", security: true },
    { name: "a", before: "1", after: "2", security: false },
    { name: "come", before: undefined, after: "1", security: false },
    { name: "gone", before: "1", after: undefined, security: false },
  ]);
});
