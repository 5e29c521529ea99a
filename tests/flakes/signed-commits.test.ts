/** `verifyCommit` and the keys of Git inputs; the messages are the reference's. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let signed: string;
let plain: string;
const keys: Record<string, string> = {};
const at = (...names: string[]): string => join(place.directory, ...names);

function run(name: string, ...args: string[]): string {
  const identity = ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "a"],
    [`GIT_${who}_EMAIL`, "a@b"],
  ]);
  const own = { ...Object.fromEntries(identity), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const options = { cwd: at("r"), env: { ...process.env, ...own }, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(name, args, options);
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

beforeAll(() => {
  place = makePlace();
  mkdirSync(at("r"));
  for (const [name, type] of [
    ["good", "ed25519"],
    ["other", "ed25519"],
    ["rsa", "rsa"],
  ] as const) {
    run("ssh-keygen", "-q", "-t", type, "-N", "", "-f", at(name));
    keys[name] = readFileSync(at(`${name}.pub`), "utf8").split(" ")[1]!;
  }
  run("git", "init", "-q");
  writeFileSync(at("r/flake.nix"), "{ outputs = _: { x = 1; }; }");
  run("git", "add", ".");
  run("git", "commit", "-qm", "1");
  plain = run("git", "rev-parse", "HEAD");
  const signing = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${at("good")}`];
  run("git", ...signing, "commit", "-q", "-S", "--allow-empty", "-m", "2");
  signed = run("git", "rev-parse", "HEAD");
  // The repository's own program would find every signature good.
  writeFileSync(at("evil"), `#!/bin/sh\necho >> ${at("ran")}\necho 'Good "git" signature for * with x key x' >&2\n`);
  chmodSync(at("evil"), 0o755);
  for (const name of ["gpg.program", "gpg.ssh.program"]) run("git", "config", name, at("evil"));
});
afterAll(() => {
  const ran = existsSync(at("ran"));
  place.remove();
  expect(ran).toBe(false);
});

function fetched(attributes: string, ...flags: string[]): Promise<Outcome> {
  const expression = `(builtins.fetchGit { url = "file://${at("r")}"; ${attributes} }).rev`;
  return place.firn("eval", "--impure", "--raw", "--expr", expression, ...flags);
}
const feature = ["--extra-experimental-features", "verified-fetches"];

test.each(["verifyCommit = true;", 'publicKey = "abc";', 'keytype = "ssh-rsa";', "publicKeys = [ ];"])(
  "%s needs the feature",
  async (attributes) => {
    const { code, err } = await fetched(`rev = "${signed}"; ${attributes}`);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(
        "error: experimental Nix feature 'verified-fetches' is disabled; add '--extra-experimental-features verified-fetches' to enable it",
      ),
    ]);
  },
);

test.each([
  () => `publicKey = "${keys.good}";`,
  () => `verifyCommit = true; publicKey = "${keys.good}";`,
  () => `publicKeys = [ { type = "ssh-rsa"; key = "${keys.rsa}"; } { key = "${keys.good}"; } ];`,
  () => `verifyCommit = false; publicKey = "${keys.other}";`,
])("a commit signed by one of the keys is taken: %s", async (attributes) => {
  expect(await fetched(`rev = "${signed}"; ${attributes()}`, ...feature)).toEqual({ code: 0, out: signed, err: "" });
  expect(await fetched(attributes(), ...feature)).toEqual({ code: 0, out: signed, err: "" });
});

test.each([
  ["nonsense", () => 'verifyCommit = true; publicKey = "nonsense";'],
  ["another key", () => `publicKey = "${keys.other}";`],
  ["a key of another type", () => `publicKey = "${keys.rsa}"; keytype = "ssh-rsa";`],
  ["no key", () => "verifyCommit = true;"],
])("a commit signed by none of them is not: %s", async (_what, attributes) => {
  for (const rev of [`rev = "${signed}";`, ""]) {
    const { code, err } = await fetched(`${rev} ${attributes()}`, ...feature);
    expect(code).toBe(1);
    expect(err).toContain(
      `Commit signature verification on commit ${signed} failed: Good "git" signature with ED25519`,
    );
    expect(err).toContain("No principal matched.");
  }
});

test("neither is a commit without a signature, a dirty tree, an unknown type, or a key of two lines", async () => {
  const key = `publicKey = "${keys.good}";`;
  expect(await fetched(`rev = "${plain}"; ${key}`, ...feature)).toMatchObject({
    code: 1,
    err: expect.stringContaining(`Commit signature verification on commit ${plain} failed:`),
  });
  expect(await fetched(`rev = "${signed}"; ${key} keytype = "foo";`, ...feature)).toMatchObject({
    code: 1,
    err: expect.stringContaining("Invalid SSH key type 'foo' in publicKeys."),
  });
  expect(await fetched(`rev = "${signed}"; publicKey = "a\\n* ssh-ed25519 ${keys.good}";`, ...feature)).toMatchObject({
    code: 1,
    err: expect.stringContaining("is not one line"),
  });
  writeFileSync(at("r/flake.nix"), "{ outputs = _: { x = 2; }; }");
  expect(await fetched(key, ...feature)).toMatchObject({
    code: 1,
    err: expect.stringContaining("commit verification is required for Git repository 'git+file://"),
  });
});

test("a flake reference that asks is refused as well", async () => {
  const url = `git+file://${at("r")}?rev=${signed}&verifyCommit=1&publicKey=nonsense#x`;
  expect((await place.firn("eval", url)).err).toContain("feature 'verified-fetches' is disabled");
  expect((await place.firn("eval", url, ...feature)).err).toContain("No principal matched.");
});
