import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noEvents, Settings } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acquireBuildUser, type BuildUser } from "./build-user.ts";

const before = process.env.NIX_STATE_DIR;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-users-"));
});
afterEach(() => {
  if (before === undefined) delete process.env.NIX_STATE_DIR;
  else process.env.NIX_STATE_DIR = before;
  rmSync(directory, { recursive: true });
});

const settings = new Settings();
settings.set("experimental-features", "auto-allocate-uids");
settings.set("auto-allocate-uids", "true");
settings.set("build-users-group", "");

/** Takes a build user with a state directory of its own. */
function acquire(state: string): Promise<BuildUser | undefined> {
  process.env.NIX_STATE_DIR = join(directory, state);
  mkdirSync(process.env.NIX_STATE_DIR, { recursive: true });
  return acquireBuildUser({ settings, events: noEvents });
}

test.skipIf(process.getuid?.() !== 0)(
  "builds with other state directories have other users: one's end kills all that its user runs",
  async () => {
    const users: BuildUser[] = [];
    try {
      for (const state of ["a", "b", "a"]) users.push((await acquire(state))!);
      expect(new Set(users.map(({ uid }) => uid)).size).toBe(3);
      const released = users.shift()!;
      released.release();
      const again = (await acquire("b"))!;
      users.push(again);
      expect(users.filter(({ uid }) => uid === again.uid)).toHaveLength(1);
    } finally {
      for (const user of users) user.release();
    }
  },
);
