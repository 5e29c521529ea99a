/** Trees of this machine that are found and copied to the store some time later. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FetchCache } from "./cache.ts";
import type { AddTree, FetchContext } from "./context.ts";
import { fetchInput, locateInput } from "./fetch-input.ts";
import type { Input, LocalTree } from "./input.ts";
import { inputFromUrl } from "./input-forms.ts";

let directory: string;
let tree: string;
let cache: FetchCache;
/** What was copied: the contents of the file in each tree. */
let copied: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-locate-"));
  tree = join(directory, "tree");
  mkdirSync(tree);
  git("init", "--quiet");
  writeFileSync(join(tree, "file"), "first");
  git("add", "file");
  git("commit", "--quiet", "--message=a");
  cache = new FetchCache(join(directory, "cache.sqlite"));
  copied = [];
});
afterEach(() => {
  cache.close();
  removePath(directory);
});

function git(...args: string[]): void {
  const env = { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: "1" };
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: tree, env });
}

function context(): FetchContext {
  return {
    store: {
      storeDir: "/store",
      async addTree({ path }: AddTree) {
        const text = readFileSync(join(path, "file"), "utf8");
        copied.push(text);
        return { storePath: `/store/${text}`, narHash: `sha256-${text}` };
      },
      narHashOf: async (storePath) => `sha256-${storePath.slice("/store/".length)}`,
      realPath: (path) => path,
    },
    cache,
    download: () => Promise.reject(new Error("nothing is downloaded")),
    emit: () => undefined,
    cacheDirectory: directory,
    tarballTtl: 0,
    allowDirty: true,
    warnDirty: false,
    accessTokens: new Map(),
    verifiedFetches: false,
    trustTarballsFromForges: false,
    homeDirectory: directory,
  };
}

async function located(input: Input): Promise<LocalTree> {
  const found = await locateInput(input, context());
  if (!("store" in found)) throw new Error("the tree was fetched");
  expect(copied).toEqual([]);
  return found;
}

const inputOf = (scheme: string): Input => inputFromUrl(`${scheme}${tree}`, true);

test.each(["git+file://", "path:"])("%s: what is found has the attributes of what is fetched", async (scheme) => {
  const found = await located(inputOf(scheme));
  const stored = await found.store();
  const fetched = await fetchInput(inputOf(scheme), context());
  expect(stored).toEqual(fetched);
  const { narHash: _, lastModified: __, ...known } = Object.fromEntries(fetched.locked);
  expect(Object.fromEntries(found.locked)).toMatchObject(known);
});

test("a clean tree that has changed meanwhile is that of its revision", async () => {
  const found = await located(inputOf("git+file://"));
  expect(found.isRevision).toBe(true);
  writeFileSync(join(tree, "file"), "second");
  expect(await found.store()).toMatchObject({ storePath: "/store/first" });
  // What is kept for the revision is its tree too.
  git("checkout", "--quiet", "file");
  expect(await fetchInput(inputOf("git+file://"), context())).toMatchObject({ storePath: "/store/first" });
  expect(copied).toEqual(["second", "first"]);
});

test("a dirty tree is what it is when it is copied", async () => {
  writeFileSync(join(tree, "file"), "second");
  const found = await located(inputOf("git+file://"));
  expect(found.isRevision).toBe(false);
  writeFileSync(join(tree, "file"), "third");
  expect(await found.store()).toMatchObject({ storePath: "/store/third" });
});

test("an input that promises something is fetched", async () => {
  const promised: Input = new Map([...inputOf("path:"), ["lastModified", 5n] as const]);
  expect(await locateInput(promised, context())).toMatchObject({ storePath: "/store/first" });
  expect(copied).toEqual(["first"]);
});

test("a revision that is named is locked with the branch that HEAD is, as the reference locks it", async () => {
  const rev = execFileSync("git", ["rev-parse", "HEAD"], { cwd: tree, encoding: "utf8" }).trim();
  const branch = execFileSync("git", ["symbolic-ref", "HEAD"], { cwd: tree, encoding: "utf8" }).trim();
  const { locked } = await fetchInput(inputFromUrl(`git+file://${tree}?rev=${rev}`, true), context());
  expect([locked.get("ref"), locked.get("rev")]).toEqual([branch, rev]);
});
