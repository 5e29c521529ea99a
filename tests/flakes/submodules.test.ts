/** Git work trees with submodules: store paths that the reference gave for the same files. */
import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let parent: string;
let module: string;

function git(directory: string, ...args: string[]): string {
  const identity = ["-c", "user.name=a", "-c", "user.email=b@c", "-c", "protocol.file.allow=always"];
  const { status, stdout, stderr } = spawnSync("git", ["-C", directory, ...identity, ...args], {
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

beforeAll(() => {
  place = makePlace();
  parent = join(realpathSync(place.directory), "parent");
  module = join(parent, "sub");
  mkdirSync(module, { recursive: true });
  git(parent, "init", "-q");
  writeFileSync(join(parent, "a"), "x\n");
  git(parent, "add", "a");
  git(module, "init", "-q");
  writeFileSync(join(module, "s"), "s\n");
  git(module, "add", "s");
  git(module, "commit", "-q", "-m", "s");
  git(parent, "submodule", "add", "-q", "./sub", "sub");
});
afterAll(() => place.remove());

async function fetched(attributes: string): Promise<{ readonly path: string; readonly warned: string[] }> {
  const expression = `"\${builtins.fetchGit { url = "file://${parent}"; ${attributes} }}"`;
  const { out, err, code } = await place.firn("eval", "--impure", "--raw", "--expr", expression);
  expect(code).toBe(0);
  return { path: out, warned: err.split("\n").filter((line) => line !== "") };
}
const dirty = (path: string): string => `warning: Git tree '${path}' is dirty`;

test("a work tree has its submodules' tracked files when they are wanted, and nothing of them else", async () => {
  writeFileSync(join(module, "t"), "y\n");
  writeFileSync(join(module, "untracked"), "z\n");
  git(module, "add", "t");
  const whole = "/nix/store/3dg4q2al6g92m4jm7j2h50s0p2gwm1gz-source";
  const without = "/nix/store/93a4cmdjskzq6pjq1jc8nl3qkn8j6m0v-source";
  const wanted = "submodules = true;";
  expect(await fetched(wanted)).toEqual({ path: whole, warned: [dirty(module), dirty(parent)] });
  expect(await fetched("")).toEqual({ path: without, warned: [dirty(parent)] });

  git(parent, "commit", "-q", "-m", "all");
  // The submodule's changes are changes where it is fetched.
  expect(await fetched(wanted)).toEqual({ path: whole, warned: [dirty(module), dirty(parent)] });
  expect(await fetched("")).toEqual({ path: without, warned: [] });

  const rev = `rev = "${git(parent, "rev-parse", "HEAD")}";`;
  expect(await fetched(rev)).toEqual({ path: "/nix/store/s1q3iwjwjg55plbhyrdkb5sqs2di5q9i-source", warned: [] });
  expect(await fetched(rev + wanted)).toEqual({
    path: "/nix/store/6z8idns292018cj6m49gss8cv5qzim4r-source",
    warned: [],
  });
  // The same files under another name are another path.
  expect(await fetched(`${rev + wanted} name = "other";`)).toEqual({
    path: "/nix/store/f4g1xfqiz1yjdxm5dx5fnnpyh8150q37-other",
    warned: [],
  });
});
