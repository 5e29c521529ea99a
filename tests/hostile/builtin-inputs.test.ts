/** Builders that Firn carries itself read their inputs, and nothing else of the machine. */
import { existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { debOf, tarOf } from "../support/archives.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
  mkdirSync(at("secret"));
  writeFileSync(at("secret/file"), "secret\n");
});
afterEach(() => removePath(place.directory));

const at = (...names: string[]): string => join(place.directory, ...names);

function build(attributes: string): Promise<Outcome> {
  writeFileSync(at("work/x.nix"), `derivation { name = "x"; system = builtins.currentSystem; ${attributes} }\n`);
  return place.firn("build", "--no-link", "--print-out-paths", "-f", "x.nix");
}

test("a package is unpacked from an input only", async () => {
  writeFileSync(at("secret/x.deb"), debOf(tarOf([])));
  mkdirSync(at("work/tree"));
  symlinkSync(at("secret/x.deb"), at("work/tree/out.deb"));
  symlinkSync("../../../../../../../../etc/passwd", at("work/tree/up.deb"));
  writeFileSync(at("work/tree/ok.deb"), debOf(tarOf([])));
  symlinkSync("ok.deb", at("work/tree/link.deb"));
  for (const src of [`"${at("secret/x.deb")}"`, '"/etc/passwd"', '"relative"', '"/nix/store/../../etc/passwd"']) {
    const { code, err } = await build(`builder = "builtin:unpack-deb"; src = ${src};`);
    expect([src, code, err]).toEqual([src, 1, expect.stringContaining("is not in an input of the derivation")]);
  }
  for (const name of ["out.deb", "up.deb"]) {
    const { code, err } = await build(`builder = "builtin:unpack-deb"; src = "\${./tree}/${name}";`);
    expect([name, code, err]).toEqual([name, 1, expect.stringContaining("is not in an input of the derivation")]);
  }
  const stranger = (await place.firn("eval", "--raw", "--expr", `"\${${at("secret/x.deb")}}"`, "--impure")).out;
  expect(stranger).toMatch(/^\/nix\/store\//);
  const { err } = await build(
    `builder = "builtin:unpack-deb"; src = builtins.unsafeDiscardStringContext "${stranger}";`,
  );
  expect(err).toContain("is not in an input of the derivation");
  expect(await build('builder = "builtin:unpack-deb"; src = "${./tree}/link.deb";')).toMatchObject({ code: 0 });
});

test("an environment is made of inputs only", async () => {
  mkdirSync(at("work/tree/share"), { recursive: true });
  writeFileSync(at("work/tree/share/a"), "a");
  // The same in every run, as are the store paths and the number of tries below.
  symlinkSync("/etc", at("work/tree/outside"));
  symlinkSync("share", at("work/tree/inside"));
  mkdirSync(at("work/other"));
  mkdirSync(at("work/other/outside"));
  const environment = (packages: string): Promise<Outcome> =>
    build(`builder = "builtin:buildenv"; manifest = "/dev/null"; derivations = ${packages};`);
  const list = (path: string): string => `"true 5 1 ${path}"`;
  for (const path of [at("secret"), "/etc"]) {
    expect((await environment(list(path))).err).toContain(`'${path}' is not in an input of the derivation`);
  }
  const { code, out } = await environment(list("${./tree}"));
  expect(code).toBe(0);
  const made = join(place.store, out.trim());
  expect(readlinkSync(join(made, "outside"))).toMatch(/^\/nix\/store\/[^/]*-tree\/outside$/);
  expect(readlinkSync(join(made, "inside"))).toMatch(/-tree\/inside$/);
  // A directory shared with a link that leads out is not looked into.
  const pathOf = async (name: string): Promise<string> =>
    (await place.firn("eval", "--raw", "--impure", "--expr", `"\${./${name}}"`)).out;
  const tree = await pathOf("tree");
  // Packages of one priority are linked in the order of their paths, which decides which of the two is found to be in the way.
  for (const [otherFirst, message] of [
    [true, "There is a conflict for the following files"],
    [false, '/outside" and non-directory "'],
  ] as const) {
    let filler = 0;
    do writeFileSync(at("work/other/filler"), String(filler++));
    while ((await pathOf("other")) < tree !== otherFirst);
    const shared = await environment('"true 5 1 ${./tree} true 5 1 ${./other}"');
    expect(shared.err).toContain(message);
  }
  // What a package propagates is read too, and only where it may.
  mkdirSync(at("work/tree/nix-support"));
  writeFileSync(at("work/tree/nix-support/propagated-user-env-packages"), at("secret"));
  expect((await environment(list("${./tree}"))).err).toContain("is not in an input of the derivation");
  expect(existsSync(at("secret/file"))).toBe(true);
});
