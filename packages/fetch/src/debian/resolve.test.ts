import { expect, test } from "vitest";
import { addPackages, emptyIndex, type PackageIndex } from "./package-index.ts";
import { resolvePackages } from "./resolve.ts";

/** An index of packages given as `name version: fields`. */
function indexOf(...packages: Record<string, string>[]): PackageIndex {
  const index = emptyIndex();
  const text = packages
    .map((fields) => {
      const all = {
        Version: "1",
        Filename: `pool/main/x/${fields.Package}.deb`,
        Size: "1",
        SHA256: "a".repeat(64),
        ...fields,
      };
      return Object.entries(all)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n");
    })
    .join("\n\n");
  addPackages(index, "debian", text);
  return index;
}

const names = (index: PackageIndex, ...roots: string[]): string[] => [...resolvePackages(index, roots).keys()];

test("follows Depends and Pre-Depends and adds the Essential packages", () => {
  const index = indexOf(
    { Package: "a", Depends: "b", "Pre-Depends": "c" },
    { Package: "b" },
    { Package: "c" },
    { Package: "dash", Essential: "yes" },
    { Package: "unrelated" },
  );
  expect(names(index, "a")).toEqual(["a", "b", "c", "dash"]);
});

test("takes the first alternative that fits, unless a later one is chosen already", () => {
  const index = indexOf({ Package: "a", Depends: "x | y" }, { Package: "x" }, { Package: "y" });
  expect(names(index, "a")).toEqual(["a", "x"]);
  expect(names(index, "a", "y")).toEqual(["a", "y"]);
});

test("heeds version constraints, and only a versioned Provides meets them", () => {
  const index = indexOf(
    { Package: "a", Depends: "lib (>= 2) | other" },
    { Package: "lib", Version: "1" },
    { Package: "other" },
    { Package: "offers", Provides: "lib" },
  );
  expect(names(index, "a")).toEqual(["a", "other"]);
  const versioned = indexOf({ Package: "a", Depends: "virtual (>= 2)" }, { Package: "p", Provides: "virtual (= 3)" });
  expect(names(versioned, "a")).toEqual(["a", "p"]);
});

test("chooses among providers by priority, then by name", () => {
  const index = indexOf(
    { Package: "a", Depends: "mta" },
    { Package: "exim", Provides: "mta", Priority: "optional" },
    { Package: "postfix", Provides: "mta", Priority: "important" },
  );
  expect(names(index, "a")).toEqual(["a", "postfix"]);
});

test("keeps the newest of several versions and survives cycles", () => {
  const index = indexOf(
    { Package: "a", Depends: "b" },
    { Package: "b", Depends: "a" },
    { Package: "b", Version: "2", Depends: "a" },
  );
  const resolved = resolvePackages(index, ["a"]);
  expect(resolved.get("b")?.package.version).toBe("2");
});

test("names what cannot be satisfied and what does not exist, with the nearest name", () => {
  const index = indexOf({ Package: "a", Depends: "gone (>= 1)" }, { Package: "jq" });
  expect(() => resolvePackages(index, ["a"])).toThrow(
    "Debian package 'a' depends on gone (>= 1), which no suite offers",
  );
  expect(() => resolvePackages(index, ["jqq"])).toThrow("Debian package 'jqq' does not exist in the locked index");
});

test("rejects an index whose files lead out of the pool or have no hash", () => {
  expect(() => indexOf({ Package: "a", Filename: "pool/../../etc/passwd" })).toThrow("no usable file for package 'a'");
  expect(() => indexOf({ Package: "a", SHA256: "short" })).toThrow("no usable file");
});
