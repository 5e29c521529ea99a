import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useCaseHack } from "./case-hack.ts";
import { dumpPath } from "./dump.ts";
import { restorePath } from "./restore.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-case-"));
});

afterEach(() => {
  useCaseHack(false);
  rmSync(directory, { recursive: true });
});

/** The archive of a tree with these files, as a disk that tells small letters from capitals has them. */
function archiveOf(names: readonly string[]): Uint8Array[] {
  const tree = mkdtempSync(join(directory, "tree-"));
  for (const name of names) writeFileSync(join(tree, name), name);
  return [...dumpPath(tree)];
}

test("names that differ in capitals only have a suffix on disk and none in archives", async () => {
  const archive = archiveOf(["A", "a", "b", "Ä", "ä"]);
  useCaseHack(true);
  const target = join(directory, "target");
  await restorePath(target, archive);
  expect(readdirSync(target).sort()).toEqual(["A", "a~nix~case~hack~1", "b", "Ä", "ä"].sort());
  expect(Buffer.concat([...dumpPath(target)])).toEqual(Buffer.concat(archive));
  useCaseHack(false);
  expect(Buffer.concat([...dumpPath(target)])).not.toEqual(Buffer.concat(archive));
});

test("names that cannot be told apart with the suffix are refused both ways", async () => {
  const archive = archiveOf(["Test", "Test~nix~case~hack~1", "test"]);
  useCaseHack(true);
  await expect(restorePath(join(directory, "target"), archive)).rejects.toThrow(
    "NAR contains file name 'test' that collides with case-hacked file name 'Test~nix~case~hack~1'",
  );
  writeFileSync(join(directory, "x~nix~case~hack~1"), "");
  writeFileSync(join(directory, "x~nix~case~hack~2"), "");
  expect(() => [...dumpPath(directory)]).toThrow("file name collision between");
});
