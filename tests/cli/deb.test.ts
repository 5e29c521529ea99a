/** `firn deb add` and `firn deb update`, with archives of the tests' own; and what a configuration makes of the lock beside it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkout } from "../support/build-systems.ts";
import { type ArchiveKey, makeArchiveKey, publish } from "../support/debian-archive.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
let key: ArchiveKey;
let archives: string;
let work: string;

const base = { fields: { Package: "base", Version: "1", Essential: "yes" } };
const tool = (version: string) => ({ fields: { Package: "tool", Version: version, Depends: "lib" } });
const lib = (version: string) => ({ fields: { Package: "lib", Version: version } });

const firn = (...args: string[]): Promise<Outcome> => {
  const mirrors = ["debian", "debian-security"].map((name) => `${name}=file://${archives}/${name}`).join(" ");
  const settings = ["--option", "deb-mirrors", mirrors, "--option", "deb-keyring", join(archives, "ring.gpg")];
  return place.firnWith({ cwd: work }, ...args, ...settings);
};
const lock = () =>
  JSON.parse(readFileSync(join(work, "debian.lock.json"), "utf8")) as {
    suites: { archive: string; suite: string; components: string[]; date: string }[];
    archives?: Record<string, { url: string; key: string }>;
    roots: string[];
    packages: Record<string, { version: string; path: string }>;
  };
const versions = (): Record<string, string> =>
  Object.fromEntries(Object.entries(lock().packages).map(([name, { version }]) => [name, version]));

beforeAll(async () => {
  place = makePlace();
  key = await makeArchiveKey();
  archives = join(place.directory, "archives");
  work = join(place.directory, "work", "machine");
  mkdirSync(archives);
  mkdirSync(work);
  writeFileSync(join(archives, "ring.gpg"), key.ring);
  await publish(join(archives, "debian"), "bookworm", { key, packages: [base, tool("1"), lib("1")] });
  await publish(join(archives, "debian-security"), "bookworm-security", { key, packages: [] });
  const made = await firn("deb", "lock", "--suite", "bookworm", "--suite", "bookworm-security", "base");
  expect(made.err).toMatch(/^wrote '.*debian.lock.json': 1 packages/);
});
afterAll(() => place.remove());

test("add takes what is new and keeps the rest", async () => {
  await publish(join(archives, "debian"), "bookworm", {
    key,
    packages: [{ fields: { ...base.fields, Version: "2" } }, tool("1"), lib("1")],
  });
  const { code, out } = await firn("deb", "add", "tool");
  expect([code, out]).toEqual([0, "packages:\n  lib: ∅ → 1\n  tool: ∅ → 1\n"]);
  expect(versions()).toEqual({ base: "1", lib: "1", tool: "1" });
  expect(lock().roots).toEqual(["base", "tool"]);
});

test("update shows what changes, security fixes first; a dry run writes nothing", async () => {
  await publish(join(archives, "debian-security"), "bookworm-security", { key, packages: [lib("1.1")] });
  const shown = "security fixes:\n  lib: 1 → 1.1\npackages:\n  base: 1 → 2\n";
  const before = lock();
  expect(await firn("deb", "update", "--dry-run")).toMatchObject({ code: 0, out: shown });
  expect(lock()).toEqual(before);
  expect(await firn("deb", "update")).toMatchObject({ code: 0, out: shown });
  expect(versions()).toEqual({ base: "2", lib: "1.1", tool: "1" });
  expect(await firn("deb", "update")).toMatchObject({ code: 0, out: "", err: expect.stringMatching(/^unchanged /) });
});

test("a name that no suite has is refused with near ones, and nothing is written", async () => {
  const before = lock();
  const { code, err } = await firn("deb", "add", "tol");
  expect([code, err]).toEqual([1, expect.stringContaining("Did you mean tool?")]);
  expect(lock()).toEqual(before);
});

test("components, and archives of others with their own key", async () => {
  const other = await makeArchiveKey();
  const acme = join(archives, "acme");
  writeFileSync(join(archives, "acme.asc"), other.public);
  const player = { fields: { Package: "player", Version: "7", Depends: "lib" } };
  await publish(acme, "bookworm", { key: other, packages: [player], component: "stable" });
  const add = (ring: string) =>
    firn(
      "deb",
      "add",
      "player",
      "--archive",
      `acme=file://${acme}`,
      "--component",
      "stable",
      "--key",
      join(archives, ring),
    );
  expect((await add("ring.gpg")).err).toContain("no good signature");
  expect(await add("acme.asc")).toMatchObject({ code: 0, out: "packages:\n  player: ∅ → 7\n" });
  expect(lock().archives?.acme).toEqual({ url: `file://${acme}`, key: other.public });
  expect(lock().packages.player?.path).toBe("acme/pool/player_7_amd64.deb");
  expect((await firn("deb", "add", "player", "--archive", `acme=file://${acme}`)).err).toContain("go together");
  const further = { contrib: [{ fields: { Package: "extra", Version: "3" } }] };
  await publish(join(archives, "debian"), "bookworm", { key, packages: [base, tool("1"), lib("1")], further });
  await publish(join(archives, "debian-security"), "bookworm-security", {
    key,
    packages: [],
    further: { contrib: [] },
  });
  expect((await firn("deb", "add", "extra")).code).toBe(1);
  expect(await firn("deb", "add", "extra", "--component", "contrib")).toMatchObject({ code: 0 });
  expect(lock().suites.map(({ archive, components }) => [archive, components])).toEqual([
    ["debian", ["main", "contrib"]],
    ["debian-security", ["main", "contrib"]],
    ["acme", ["stable"]],
  ]);
  // Its files come from where the lock says.
  const set = `import ${checkout}os/pkgs { lock = builtins.fromJSON (builtins.readFile ${work}/debian.lock.json); }`;
  const { out } = await firn("build", "--impure", "--expr", `(${set}).debs.player`, "--no-link", "--print-out-paths");
  expect(existsSync(join(place.store, out.trim(), "DEBIAN/control"))).toBe(true);
});

test("a configuration uses the lock beside it, and says of what that lacks how to add it", async () => {
  writeFileSync(join(work, "configuration.nix"), "{ pkgs, ... }: { environment.systemPackages = [ pkgs.wget ]; }\n");
  const evaluate = (expression: string) =>
    firn(
      "eval",
      "--impure",
      "--raw",
      "--expr",
      `(import ${checkout}os/eval-config.nix { modules = [ ${work}/configuration.nix ]; }).${expression}`,
    );
  expect((await evaluate("pkgs.player.version")).out).toBe("7");
  const advice = "the lock of Debian packages lacks 'wget'; 'firn deb add wget' adds it";
  expect((await evaluate("pkgs.wget.version")).err).toContain(`error: attribute 'wget' missing`);
  expect((await evaluate("pkgs.wget.version")).err).toContain(advice);
  const within = `let pkgs = { inherit (import ${checkout}os/pkgs { } ) pkgs; }.pkgs; in with pkgs; frobnicate`;
  expect((await firn("eval", "--impure", "--expr", within)).err).toContain("'firn deb add frobnicate' adds it");
});

test("a file that has left the mirror is taken from an archive that keeps each day", async () => {
  const date = new Date(lock().suites.find(({ archive }) => archive === "debian")?.date ?? "");
  const time = `${date.toISOString().slice(0, 10).replaceAll("-", "")}T235959Z`;
  const day = join(archives, "snapshots", time);
  mkdirSync(day, { recursive: true });
  renameSync(join(archives, "debian/pool"), join(day, "pool"));
  const set = `import ${checkout}os/pkgs { lock = builtins.fromJSON (builtins.readFile ${work}/debian.lock.json); }`;
  const build = (...more: string[]) =>
    firn("build", "--impure", "--expr", `(${set}).debs.tool`, "--no-link", "--print-out-paths", ...more);
  expect((await build()).err).toContain("has left the mirror");
  const { code, out, err } = await build("--option", "deb-snapshots", `debian=file://${archives}/snapshots`);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect(existsSync(join(place.store, out.trim(), "DEBIAN/control"))).toBe(true);
});
