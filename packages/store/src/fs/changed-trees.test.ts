/** Trees that somebody changes while they are removed, canonicalised or archived: what is planted in them leads nowhere. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dumpPath, hashTree, observeSteps } from "../index.ts";
import { optimiseTrees } from "../local/optimise.ts";
import { canonicalise } from "./canonicalise.ts";
import { OpenDirectory } from "./open-directory.ts";
import { removePath } from "./remove.ts";
import { TreeWriter } from "./tree-writer.ts";

let root: string;
/** A directory outside every tree, with a file that must stay as it is. */
let outside: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-trees-"));
  outside = `${root}/outside`;
  fs.mkdirSync(outside);
  fs.writeFileSync(`${outside}/precious`, "kept", { mode: 0o640 });
  fs.mkdirSync(`${outside}/sub`);
});
afterEach(() => {
  observeSteps(undefined);
  removePath(root);
});

function unharmed(): void {
  expect(fs.readdirSync(outside).sort()).toEqual(["precious", "sub"]);
  expect(fs.readFileSync(`${outside}/precious`, "utf8")).toBe("kept");
  expect(fs.statSync(`${outside}/precious`).mode & 0o7777).toBe(0o640);
  expect(fs.statSync(outside).mode & 0o7777).toBe(0o755);
}

function makeTree(): string {
  const tree = `${root}/tree`;
  fs.mkdirSync(`${tree}/a/sub`, { recursive: true });
  for (const name of ["a/precious", "a/sub/x", "b", "c"]) fs.writeFileSync(`${tree}/${name}`, name);
  fs.symlinkSync(outside, `${tree}/link`);
  return tree;
}

/** Runs `work`; before its `step`th change of the disk the directory `a` of the tree is exchanged for a link that leads outside. */
function exchanging(step: number, tree: string, work: () => void): boolean {
  let steps = 0;
  observeSteps(() => {
    if (steps++ !== step || !fs.existsSync(`${tree}/a`)) return;
    fs.renameSync(`${tree}/a`, `${root}/moved`);
    fs.symlinkSync(outside, `${tree}/a`);
  });
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
  } finally {
    observeSteps(undefined);
  }
  return steps > step;
}

function atEachStep(work: (tree: string) => void): number {
  let step = 0;
  for (let more = true; more; step++) {
    const tree = makeTree();
    more = exchanging(step, tree, () => work(tree));
    unharmed();
    removePath(tree);
    removePath(`${root}/moved`);
  }
  return step;
}

describe("a directory that is exchanged for a link", () => {
  test("while its tree is removed", () => {
    expect(atEachStep(removePath)).toBeGreaterThan(5);
  });

  test("while its tree is canonicalised", () => {
    expect(atEachStep((tree) => canonicalise(tree))).toBeGreaterThan(5);
  });

  test("while its files are shared", () => {
    fs.mkdirSync(`${root}/.links`);
    fs.writeFileSync(`${root}/twin`, "a/precious", { mode: 0o444 });
    optimiseTrees(root, [`${root}/twin`]);
    const steps = atEachStep((tree) => {
      fs.chmodSync(`${tree}/a/precious`, 0o444);
      fs.chmodSync(`${tree}/a`, 0o555);
      optimiseTrees(root, [tree]);
    });
    expect(steps).toBeGreaterThan(4);
  });

  test("while its tree is archived is not followed", () => {
    const tree = makeTree();
    const chunks = dumpPath(tree, {
      filter: (relative) => {
        if (relative === "/a") {
          fs.renameSync(`${tree}/a`, `${root}/moved`);
          fs.symlinkSync(outside, `${tree}/a`);
        }
        return true;
      },
    });
    expect(() => [...chunks]).toThrow(/not a directory|ENOTDIR/);
  });

  test("while a tree is written is an error", () => {
    fs.mkdirSync(`${root}/new`);
    const tree = new TreeWriter(`${root}/new`);
    try {
      tree.directory("/a");
      tree.directory("/b");
      fs.rmdirSync(`${root}/new/a`);
      fs.symlinkSync(outside, `${root}/new/a`);
      expect(() => tree.create("/a/planted", 0o644)).toThrow("'a' is used as a directory but is none");
      expect(() => tree.create("/a/sub/planted", 0o644)).toThrow("'a' is used as a directory but is none");
      expect(() => tree.link("/a/precious", "/copy")).toThrow("which is no file of it");
    } finally {
      tree.close();
    }
    unharmed();
  });
});

test("what takes a file's place is not waited for or followed", () => {
  const tree = makeTree();
  const directory = OpenDirectory.open(tree);
  try {
    expect(() => directory.openFile("link")).toThrow(/ELOOP/);
    expect(() => directory.openDirectory("link")).toThrow(/ENOTDIR|ELOOP/);
    expect(() => directory.openFile("a")).toThrow("unsupported type");
    for (const name of ["", ".", "..", "a/b", "a\0b"])
      expect(() => directory.lstat(name)).toThrow("is no name of a file");
  } finally {
    directory.close();
  }
});

test("a tree of 20,000 levels is removed, and refused by everything that reads or keeps it", () => {
  fs.mkdirSync(`${root}/deep`);
  let directory = OpenDirectory.open(`${root}/deep`);
  for (let level = 0; level < 20_000; level++) {
    directory.mkdir("d", level % 3 === 0 ? 0o311 : 0o755);
    if (level % 3 === 0) directory.unlock("d");
    const below = directory.openDirectory("d");
    directory.close();
    directory = below;
  }
  directory.close();
  expect(() => hashTree(`${root}/deep`)).toThrow("exceeds maximum NAR directory depth of 64");
  canonicalise(`${root}/deep`);
  removePath(`${root}/deep`);
  expect(fs.existsSync(`${root}/deep`)).toBe(false);
});

test("a directory that is moved away while something deep in it is removed ends the walk there", () => {
  const levels = 200;
  const deep = Array.from({ length: levels }, (_, level) => `d${level}`).join("/");
  fs.mkdirSync(`${root}/tree/${deep}`, { recursive: true });
  fs.writeFileSync(`${root}/tree/${deep}/file`, "");
  let done = false;
  observeSteps((step) => {
    if (step !== "unlink" || done) return;
    done = true;
    fs.renameSync(`${root}/tree/d0/d1/d2`, `${outside}/sub/d2`);
  });
  removePath(`${root}/tree`);
  expect(fs.existsSync(`${root}/tree`)).toBe(false);
  unharmed();
});
