/** `nix-env` and `nix-channel` beside what the reference was recorded to say and to make. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";
import { layOut, normalised, type RecordedRun } from "./nix-env-cases.ts";

const recorded = JSON.parse(readFileSync(new URL("nix-env.json", import.meta.url), "utf8")) as RecordedRun[];
let place: Place;
let work: string;

beforeAll(() => {
  place = makePlace();
  work = join(realpathSync(place.directory), "work");
  layOut(work);
});
afterAll(() => place.remove());

function nixEnv(...words: string[]) {
  return place.firnWith({ program: "nix-env", cwd: work, env: { TZ: "UTC" } }, ...words);
}

test("every command line gives the output, the messages and the status of the reference", async () => {
  const zone = process.env.TZ;
  process.env.TZ = "UTC";
  try {
    const ours: RecordedRun[] = [];
    for (const { words } of recorded) {
      const { code, out, err } = await nixEnv(...words.map((word) => word.replace("$WORK", work)));
      ours.push({ words, code, out: normalised(out, work), err: normalised(err, work) });
    }
    expect(ours).toEqual(recorded);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
}, 120_000);

test("a profile leads to the programs, with the reference's store path, and has a manifest of its packages", async () => {
  const profile = join(work, "made");
  await nixEnv("-p", profile, "-f", "packages.nix", "-iA", "foo10", "bar");
  // Both paths were computed by the reference.
  expect(readlinkSync(`${profile}-1-link`)).toBe(expectedProfile);
  const tree = join(place.store, expectedProfile);
  expect(readFileSync(join(place.store, readlinkSync(join(tree, "manifest.nix"))), "utf8")).toContain(
    'name = "foo-1.0"',
  );
  expect(readdirSync(join(tree, "bin"))).toEqual(["bar", "foo"]);
});
const expectedProfile = "/nix/store/pdp2s30zkflrnhbjl8l2ilpf68yv7xcm-user-environment";

test("the first use makes the links of the home, and finds channels there", async () => {
  await nixEnv("-q");
  const home = place.environment.HOME!;
  const profiles =
    process.getuid?.() === 0
      ? join(place.store, "nix/var/nix/profiles/per-user/root")
      : join(home, ".local/state/nix/profiles");
  expect(readlinkSync(join(home, ".nix-profile"))).toBe(join(profiles, "profile"));
  expect(readlinkSync(join(home, ".nix-defexpr/channels"))).toBe(join(profiles, "channels"));
});

test("profiles of 'nix profile' are not changed, and those of nix-env become ones of it", async () => {
  const profile = join(work, "shared");
  await nixEnv("-p", profile, "-f", "packages.nix", "-iA", "foo10");
  await nixEnv("-p", join(work, "elsewhere"), "-f", "packages.nix", "-iA", "bar");
  const bar = (await nixEnv("-f", "packages.nix", "-qa", "--no-name", "--out-path", "bar")).out.trim();
  const added = await place.firnWith({ cwd: work }, "profile", "add", "--profile", profile, bar);
  expect(added).toMatchObject({ code: 0 });
  const listed = await place.firnWith({ cwd: work }, "profile", "list", "--profile", profile);
  expect(listed.out).toMatch(/Name: +bar\nStore paths: .*-bar-0\.1\n\nName: +foo\nStore paths: .*-foo-1\.0\n/);
  expect(await nixEnv("-p", profile, "-q")).toMatchObject({
    code: 1,
    err: `error: profile "${profile}" is incompatible with 'nix-env'; please use 'nix profile' instead\n`,
  });
});

test("a channel is subscribed, unpacked, searched by nix-env and <name>, and removed", async () => {
  const channel = (...words: string[]) => place.firnWith({ program: "nix-channel", cwd: work }, ...words);
  mkdirSync(join(work, "served"));
  mkdirSync(join(work, "nixexprs"));
  writeFileSync(
    join(work, "nixexprs/default.nix"),
    '{ tool = { type = "derivation"; name = "tool-1"; system = "x"; }; }\n',
  );
  spawnSync("tar", ["-cJf", "served/nixexprs.tar.xz", "nixexprs"], { cwd: work });
  expect(await channel()).toMatchObject({ code: 1, err: expect.stringContaining("error: no command specified\n") });
  expect(await channel("--add", "ftp://x/y")).toMatchObject({
    code: 1,
    err: "error: invalid channel URL 'ftp://x/y'\n",
  });
  expect(await channel("--add", `file://${work}/served`, "mine")).toMatchObject({ code: 0, out: "", err: "" });
  expect(await channel("--list")).toMatchObject({ out: `mine file://${work}/served\n` });
  expect(await channel("--update")).toMatchObject({ code: 0, err: "unpacking 1 channels...\n" });
  expect((await nixEnv("-qaP")).out).toBe("mine.tool  tool-1\n");
  expect((await place.firnWith({ program: "nix-instantiate" }, "--eval", "-E", "(import <mine>).tool.name")).out).toBe(
    '"tool-1"\n',
  );
  expect((await channel("--list-generations")).out).toMatch(/^ {3}1 .*\(current\)\n$/);
  expect((await channel("--remove", "mine")).err).toContain("uninstalling 'mine'\n");
  expect(existsSync(join(place.environment.HOME!, ".nix-channels"))).toBe(true);
  expect(await channel("--list")).toMatchObject({ out: "" });
  expect((await channel("--rollback")).err).toBe("switching profile from version 2 to 1\n");
}, 60_000);
