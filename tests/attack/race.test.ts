/**
 * Somebody who has got hold of a tree that Firn deletes: a partner waits (inotify) for the first deletion and then exchanges every
 * directory of the tree for a link to files of the machine.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../support/run-firn.ts";

/** Watches the directories `d0` … of a tree; says how many it exchanged. */
const PARTNER = `
const fs = require("fs");
const [tree, outside, moved] = process.argv.slice(1);
const names = fs.readdirSync(tree);
const watchers = [];
let exchanged = 0;
const exchange = () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  for (const name of names) {
    try {
      fs.renameSync(tree + "/" + name, moved + "/" + name);
      fs.symlinkSync(outside, tree + "/" + name);
      exchanged++;
    } catch {}
  }
  process.stdout.write("exchanged " + exchanged + "\\n", () => process.exit());
};
for (const name of names) watchers.push(fs.watch(tree + "/" + name, exchange));
process.stdout.write("watching\\n");
`;

const DIRECTORIES = 60;
const FILES = 60;

let root: string;
let outside: string;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "firn-race-"));
  outside = join(root, "outside");
  for (const name of ["outside", "moved"]) fs.mkdirSync(join(root, name));
  for (let i = 0; i < FILES; i++) fs.writeFileSync(join(outside, `f${i}`), "precious");
});
afterEach(() => removePath(root));

function fill(tree: string): void {
  for (let d = 0; d < DIRECTORIES; d++) {
    fs.mkdirSync(join(tree, `d${d}`), { recursive: true });
    for (let f = 0; f < FILES; f++) fs.writeFileSync(join(tree, `d${d}/f${f}`), "x");
  }
}

/** Starts the partner on a tree; resolves when it watches, to what tells how many directories it exchanged. */
async function watchTree(tree: string): Promise<{ readonly exchanged: Promise<number> }> {
  const partner = spawn(process.execPath, ["-e", PARTNER, tree, outside, join(root, "moved")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = "";
  let watching: () => void;
  const ready = new Promise<void>((resolve) => {
    watching = resolve;
  });
  const count = new Promise<number>((resolve) => {
    partner.stdout.on("data", (data: Buffer) => {
      told += data.toString();
      if (told.includes("watching")) watching();
    });
    partner.on("close", () => resolve(Number(/exchanged (\d+)/.exec(told)?.[1] ?? 0)));
  });
  await ready;
  return { exchanged: count };
}

test("a collection that is raced removes nothing outside the store", async () => {
  const store = join(root, "store");
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: root,
    NIX_CONF_DIR: root,
    NIX_CONFIG: "substituters =\nflake-registry =\n",
    LC_ALL: "C.UTF-8",
  };
  let raced = 0;
  for (let round = 0; round < 4; round++) {
    const source = join(root, `source${round}`);
    fill(source);
    fs.writeFileSync(join(source, "d0/round"), String(round));
    const added = await runProgram(["store", "add", "--store", store, source], { cwd: root, env });
    expect(added).toMatchObject({ code: 0 });
    const tree = join(store, added.out.trim());
    // As its owner, or root, could: the partner may change what it watches.
    fs.chmodSync(tree, 0o755);
    for (let d = 0; d < DIRECTORIES; d++) fs.chmodSync(join(tree, `d${d}`), 0o755);
    const { exchanged } = await watchTree(tree);
    await runProgram(["store", "gc", "--store", store], { cwd: root, env });
    raced += await exchanged;
    expect(fs.readdirSync(outside)).toHaveLength(FILES);
    for (const name of fs.readdirSync(outside)) expect(fs.readFileSync(join(outside, name), "utf8")).toBe("precious");
    removePath(join(root, "moved"));
    fs.mkdirSync(join(root, "moved"));
  }
  expect(raced).toBeGreaterThan(0);
}, 120_000);
