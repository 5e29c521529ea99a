/** Trees that are read where they lie, and change meanwhile. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { entriesInPlace, openInPlace, PlacedTrees } from "./placed-trees.ts";

const standIn = `/store/${"e".repeat(32)}-source`;
const facts = { storePath: `/store/${"0".repeat(32)}-source`, narHash: "", lastModified: 0n };

let directory: string;
let trees: PlacedTrees;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-placed-"));
  mkdirSync(join(directory, "sub"));
  for (const name of ["a", "sub/b", "untracked"]) writeFileSync(join(directory, name), name);
  trees = new PlacedTrees(() => facts);
});
afterEach(() => rmSync(directory, { recursive: true }));

function add(isRevision = true, since = Date.now() + 60_000): void {
  trees.add(standIn, { directory, isRevision, since, fileList: "a\0sub/b" });
}

function look(name: string): void {
  trees.look(`${standIn}/${name}`, lstatSync(join(directory, name), { throwIfNoEntry: false }));
}

test("have the files of their list, and all once they are in the store", () => {
  add();
  expect(trees.placeOf(standIn)).toMatchObject({ kind: "local", place: directory });
  expect(trees.placeOf(`${standIn}/sub/b`)).toMatchObject({ kind: "local", place: `${directory}/sub/b` });
  expect(trees.placeOf(`${standIn}/sub`)).toMatchObject({ kind: "local" });
  expect(trees.placeOf(`${standIn}/untracked`)).toEqual({ kind: "absent" });
  expect(trees.placeOf(`${standIn}x`)).toBeUndefined();
  expect(trees.pathsBelow(standIn)).toEqual(["/a", "/sub", "/sub/b"]);
  expect(trees.pathsBelow(`${standIn}/sub`)).toEqual(["/b"]);
  trees.facts(standIn);
  expect(trees.placeOf(`${standIn}/sub/b`)).toEqual({ kind: "stored", place: `${facts.storePath}/sub/b` });
});

test("are refused when a file that was looked at is another one than the copied one", () => {
  add();
  look("a");
  writeFileSync(join(directory, "sub/b"), "changed, but nobody has looked");
  expect(trees.facts(standIn)).toBe(facts);
  trees = new PlacedTrees(() => facts);
  add();
  look("a");
  writeFileSync(join(directory, "a"), "changed");
  expect(() => trees.facts(standIn)).toThrow(/'.*\/a' changed while it was being evaluated/);
});

test("are known to differ from their revision when a file changed after it was looked at, or before", () => {
  add();
  look("a");
  expect(trees.hasChanged()).toBe(false);
  writeFileSync(join(directory, "a"), "changed");
  // What was checked counts as read.
  expect(trees.hasChanged()).toBe(false);
  look("a");
  expect(trees.hasChanged()).toBe(true);
  trees = new PlacedTrees(() => facts);
  add(true, 0);
  look("a");
  expect(trees.hasChanged()).toBe(true);
});

test("are known to differ from their revision when a file is missing", () => {
  add();
  rmSync(join(directory, "a"));
  look("a");
  expect(trees.hasChanged()).toBe(true);
  trees = new PlacedTrees(() => facts);
  add();
  expect(trees.shown(standIn, [{ name: "sub" }, { name: "untracked" }])).toEqual([{ name: "sub" }]);
  expect(trees.hasChanged()).toBe(true);
});

test("that belong to no revision may have any contents", () => {
  add(false, 0);
  look("a");
  utimesSync(join(directory, "a"), 1, 1);
  look("a");
  expect(trees.hasChanged()).toBe(false);
});

test("are copied when a program has their store path from elsewhere", () => {
  add();
  expect(trees.settles(`/store/${"1".repeat(32)}-other/x`)).toBe(false);
  expect(trees.isAnyPending).toBe(true);
  expect(trees.settles(`${facts.storePath}/a`)).toBe(true);
  expect(trees.isAnyPending).toBe(false);
});

test("no link is followed on the way to a file or directory, however new it is", () => {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "firn-in-place-")));
  try {
    mkdirSync(join(top, "real"));
    writeFileSync(join(top, "real/file"), "text");
    symlinkSync("real/file", join(top, "link"));
    symlinkSync("real", join(top, "below"));
    closeSync(openInPlace(join(top, "real/file")));
    expect(entriesInPlace(join(top, "real"))).toEqual([{ name: "file", kind: "regular" }]);
    for (const place of ["link", "below/file", "real"]) {
      expect(() => openInPlace(join(top, place))).toThrow(`'${join(top, place)}' changed while it was being`);
    }
    expect(() => entriesInPlace(join(top, "below"))).toThrow("changed while it was being evaluated");
  } finally {
    rmSync(top, { recursive: true });
  }
});
