/** Locking as a library: over a fetcher of the caller's, with the reference's answers where a lock is compared. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FlakeFetcher, type Input, lockFlake, readFlakeText } from "@firn/flake/library";
import { parseFlakeLock, parseRegistry } from "@firn/formats";
import { describe, expect, test } from "vitest";

const realNix = process.env.FIRN_REAL_NIX;

/** A fetcher over trees in memory, `owner/repo` → files by path. Each tree is pinned by `round`. */
function fetcherOf(
  trees: Readonly<Record<string, Record<string, string>>>,
  round = "a",
): FlakeFetcher & { seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    async fetch(input: Input) {
      const name = `${String(input.get("owner"))}/${String(input.get("repo"))}`;
      seen.push(name);
      const locked = new Map(input).set("rev", round.repeat(40)).set("narHash", `sha256-${"A".repeat(43)}=`);
      locked.delete("ref");
      return { locked, readFile: async (path) => trees[name]?.[path] };
    },
  };
}

const trees = {
  "x/app": {
    "flake.nix":
      '{ inputs.lib.url = "github:x/lib"; inputs.data = { url = "github:x/data"; flake = false; }; inputs.lib.inputs.base.follows = "base"; inputs.base.url = "github:x/base"; inputs.sub.url = ./sub; outputs = { self, ... }: { }; }',
    "sub/flake.nix": "{ outputs = { self }: { }; }",
  },
  "x/lib": { "flake.nix": '{ inputs.base.url = "github:x/other"; outputs = { self, base }: { }; }' },
  "x/base": { "flake.nix": "{ outputs = _: { }; }" },
  "x/data": {},
};

test("fetches what is missing and keeps what is locked", async () => {
  const fetcher = fetcherOf(trees);
  const first = await lockFlake("github:x/app", fetcher);
  expect(first.changed).toBe(true);
  expect(fetcher.seen).toEqual(["x/app", "x/base", "x/data", "x/lib"]);
  const lock = parseFlakeLock(first.lockText, "flake.lock");
  expect(lock.nodes.get("lib")?.inputs.get("base")).toEqual(["base"]);
  expect(lock.nodes.get("data")?.flake).toBe(false);
  expect(lock.nodes.get("sub")?.parent).toEqual([]);

  const later = fetcherOf(trees, "b");
  const again = await lockFlake("github:x/app", later, { lockText: first.lockText });
  expect(again).toMatchObject({ changed: false, changes: "", lockText: first.lockText });
  expect(later.seen).toEqual(["x/app"]);
});

test("renews one input, or all", async () => {
  const { lockText } = await lockFlake("github:x/app", fetcherOf(trees));
  const one = await lockFlake("github:x/app", fetcherOf(trees, "b"), { lockText, update: ["base"] });
  expect(one.changes.split("\n")[0]).toBe("• Updated input 'base':");
  expect(one.changes).not.toContain("'lib'");
  const all = await lockFlake("github:x/app", fetcherOf(trees, "b"), { lockText, update: "all" });
  for (const name of ["base", "data", "lib"]) expect(all.changes).toContain(`Updated input '${name}'`);
});

test("puts other inputs in place of those of flake.nix, and tells of those that are none", async () => {
  const warnings: string[] = [];
  const fetcher = {
    ...fetcherOf({ ...trees, "y/base": trees["x/base"] }),
    warn: (text: string) => warnings.push(text),
  };
  const { lockText } = await lockFlake("github:x/app", fetcher, {
    override: { base: "github:y/base", nothing: "github:y/base" },
  });
  expect(parseFlakeLock(lockText, "flake.lock").nodes.get("base")?.locked?.get("owner")).toBe("y");
  expect(warnings).toEqual([
    "input '' has an override for a non-existent input 'nothing'",
    "the flag '--override-input nothing github:y/base' does not match any input",
  ]);
});

test("asks its registries for names, and nobody without", async () => {
  const entry = { from: { type: "indirect", id: "app" }, to: { type: "github", owner: "x", repo: "base" } };
  const entries = parseRegistry(JSON.stringify({ version: 2, flakes: [entry] }), "registry.json");
  const registries = [{ kind: "user" as const, entries }];
  expect((await lockFlake("app", { ...fetcherOf(trees), registries })).lockedRef.input.get("repo")).toBe("base");
  await expect(lockFlake("app", fetcherOf(trees))).rejects.toMatchObject({ code: "registry" });
});

test("refuses what is no flake", async () => {
  await expect(lockFlake("github:x/data", fetcherOf(trees))).rejects.toMatchObject({ code: "no-flake" });
  await expect(readFlakeText("{ }")).rejects.toMatchObject({ code: "bad-flake" });
  await expect(readFlakeText("{ outputs = 1; }")).rejects.toMatchObject({ code: "bad-flake" });
});

describe.skipIf(realNix === undefined)("beside the reference", () => {
  test("the lock is the same, byte for byte", async () => {
    const directory = mkdtempSync(join(tmpdir(), "firn-library-lock-"));
    const state = mkdtempSync(join(tmpdir(), "firn-real-"));
    try {
      const write = (name: string, text: string): string => {
        mkdirSync(join(directory, name));
        writeFileSync(join(directory, name, "flake.nix"), text);
        return join(directory, name);
      };
      const base = write("base", "{ outputs = { self }: { }; }");
      const lib = write("lib", `{ inputs.base.url = "path:${base}"; outputs = { self, base }: { }; }`);
      const app = write(
        "app",
        `{ inputs.lib.url = "path:${lib}"; inputs.base.follows = "lib/base"; outputs = { self, ... }: { }; }`,
      );
      const options = ["--extra-experimental-features", "nix-command flakes", "--option", "flake-registry", ""];
      execFileSync(realNix ?? "", ["nix", "flake", "lock", `path:${app}`, ...options], {
        env: { ...process.env, HOME: directory, REAL_NIX_BIND: directory, REAL_NIX_STATE: state },
        stdio: "ignore",
      });
      const expected = readFileSync(join(app, "flake.lock"), "utf8");
      const pinned = new Map<unknown, Input>();
      for (const { locked } of parseFlakeLock(expected, "flake.lock").nodes.values())
        if (locked !== undefined) pinned.set(locked.get("path"), locked);
      const fetcher: FlakeFetcher = {
        async fetch(input) {
          const path = String(input.get("path"));
          const readFile = async (name: string) =>
            name === "flake.nix" ? readFileSync(join(path, name), "utf8") : undefined;
          return { locked: pinned.get(path) ?? input, readFile };
        },
      };
      expect((await lockFlake(`path:${app}`, fetcher)).lockText).toBe(expected);
    } finally {
      execFileSync("chmod", ["-R", "u+w", state]);
      rmSync(state, { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
