import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AddPathServiceRequest } from "../evaluator/services.ts";
import { type KeptTree, openKeptTrees } from "./kept-trees.ts";

let directory: string;
let request: AddPathServiceRequest;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-kept-trees-"));
  const path = join(directory, "tree");
  mkdirSync(path);
  const names = [...Array(100).keys()].map(String);
  for (const name of names) writeFileSync(join(path, name), name);
  writeFileSync(join(path, "left-out"), "");
  request = { path, name: "tree", method: "nar", include: names.map((name) => `/${name}`) };
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Every time of change counts. */
const find = (changes: Partial<AddPathServiceRequest> = {}, settledAfter = -10_000): KeptTree | undefined =>
  openKeptTrees(join(directory, "code"), settledAfter).find({ ...request, ...changes }, "/nix/store");

test("a tree has the store path that it had while its files are what they were", () => {
  expect(find()?.storePath).toBeUndefined();
  find()?.keep("/nix/store/x");
  expect(find()?.storePath).toBe("/nix/store/x");
  writeFileSync(join(request.path, "left-out"), "more");
  expect(find()?.storePath).toBe("/nix/store/x");
  expect(find({ name: "other" })?.storePath).toBeUndefined();
  writeFileSync(join(request.path, "7"), "changed");
  expect(find()?.storePath).toBeUndefined();
});

test("trees that are small, have a known hash, or have just been written are none to keep", () => {
  expect(find({ include: ["/1", "/2"] })).toBeUndefined();
  expect(find({ expectedHash: "sha256-x" })).toBeUndefined();
  expect(find({}, 10_000)).toBeUndefined();
});
