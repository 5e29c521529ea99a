/** Profile commands in the words of the reference: which elements are meant, what is in the way of what, what changed. */
import { mkdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place, runProgram } from "../support/run-firn.ts";

let place: Place;
let work: string;
let profile: string;
const paths: Record<string, string> = {};

beforeAll(async () => {
  place = makePlace();
  work = join(realpathSync(place.directory), "work");
  profile = join(work, "profile");
  for (const name of ["foo-1.0", "foo-2.0", "bar-0.1"]) {
    const program = join(work, "src", name, "bin", name.replace(/-.*/, ""));
    mkdirSync(join(program, ".."), { recursive: true });
    writeFileSync(program, `#!/bin/sh\necho ${name}\n`, { mode: 0o755 });
    paths[name] = (await place.firn("store", "add", "--name", name, join(work, "src", name))).out.trim();
  }
});
afterAll(() => place.remove());

function run(command: string, ...words: string[]) {
  return place.firnWith({ program: "nix" }, "profile", command, "--profile", profile, ...words);
}

test("packages are added, told apart, compared and removed", async () => {
  const [foo, foo2, bar] = [paths["foo-1.0"]!, paths["foo-2.0"]!, paths["bar-0.1"]!];
  expect(await run("install", foo)).toMatchObject({
    code: 0,
    err: "warning: 'install' is a deprecated alias for 'add'\n",
  });
  // As the reference says it, also in its pairs of files.
  expect(await run("add", foo2)).toEqual({
    code: 1,
    out: "",
    err: `error: An existing package already provides the following file:

         "${foo}/bin/foo"

       This is the conflicting file from the new package:

         "${foo2}/bin/foo"

       To remove the existing package:

         nix profile remove foo

       The new package can also be added next to the existing one by assigning a different priority.
       The conflicting packages have a priority of 5.
       To prioritise the new package:

         nix profile add ${foo2} --priority 4

       To prioritise the existing package:

         nix profile add ${foo2} --priority 6
`,
  });
  expect((await run("add", foo2, "--priority", "4")).code).toBe(0);
  expect((await run("add", bar)).code).toBe(0);
  expect((await run("list")).out).toBe(
    [
      ["bar", bar],
      ["foo", foo],
      ["foo-1", foo2],
    ]
      .map(([name, path]) => `Name:               ${name}\nStore paths:        ${path}\n`)
      .join("\n"),
  );
  expect((await run("diff-closures")).out).toBe("Version 1 -> 2:\n  foo: ∅ → 2.0\n\nVersion 2 -> 3:\n  bar: ∅ → 0.1\n");
  expect(await run("remove", "1")).toMatchObject({ err: "error: 'nix profile' no longer supports indices ('1')\n" });
  expect((await run("remove")).err).toBe("error: No packages specified.\nTry 'nix --help' for more information.\n");
  expect((await run("remove", "--all", "foo")).err).toContain(
    "error: --all cannot be used with package names or regular expressions.\n",
  );
  expect((await run("remove", "nothing")).err).toBe(
    "warning: Package name 'nothing' does not match any packages in the profile.\nwarning: No packages to remove. Use 'nix profile list' to see the current profile.\n",
  );
  expect((await run("upgrade", "foo")).err).toBe(
    "warning: Found package 'foo', but it was not added from a flake, so it can't be checked for upgrades!\nwarning: Found some packages but none of them could be upgraded.\n",
  );
  expect((await run("remove", "--regex", "F.*")).err).toBe(
    "removing 'foo'\nremoving 'foo'\nremoved 2 packages, kept 1 packages\n",
  );
  expect((await run("remove", bar)).err).toBe("removing 'bar'\nremoved 1 packages, kept 0 packages\n");
  expect((await run("remove", "--all")).err).toContain("warning: There are no packages in the profile.\n");
  expect((await run("history")).out).toMatch(/Version 4 .* <- 3:\n {2}foo: 1\.0 -> ∅\n {2}foo: 2\.0 -> ∅\n/);
});

test("adding a package from the same flake once more upgrades it, and elements of old manifests have names", async () => {
  const flake = join(work, "flake");
  mkdirSync(flake);
  const version = (text: string) =>
    writeFileSync(
      join(flake, "flake.nix"),
      `{ outputs = _: { packages.x86_64-linux.tool = builtins.derivation {
        name = "tool-${text}"; system = "builtin"; builder = "builtin:buildenv"; derivations = ""; manifest = "/none";
      }; }; }`,
    );
  profile = join(work, "upgraded");
  version("1");
  expect((await run("add", `${flake}#packages.x86_64-linux.tool`)).code).toBe(0);
  expect((await run("add", `${flake}#packages.x86_64-linux.tool`)).err).toContain("warning: 'tool' is already added\n");
  version("2");
  expect((await run("add", `${flake}#packages.x86_64-linux.tool`)).err).toContain("upgrading 'tool' from flake 'path:");
  const listed = (await run("list")).out;
  expect(listed).toContain("-tool-2\n");
  expect(listed).not.toContain("-tool-1");
  const manifest = join(place.store, readlinkSync(`${profile}-2-link`), "manifest.json");
  expect(JSON.parse(readFileSync(manifest, "utf8"))).toMatchObject({ version: 3, elements: { tool: { priority: 5 } } });
  version("3");
  expect((await run("upgrade", "--all")).err).toContain("upgrading 'packages.x86_64-linux.tool' from flake 'path:");
  expect((await run("list")).out).toContain("-tool-3\n");
});

test("a profile that another link leads to is read, and changed where the link is", async () => {
  profile = join(work, "first");
  await run("add", paths["foo-1.0"]!);
  // As the default profile is where `build --profile ~/.nix-profile` made it a generation itself.
  const { out } = await place.firn("profile", "list", "--profile", `${profile}-1-link`);
  expect(out).toContain("Name:               foo\n");
});

describe("a program", () => {
  test("is run by its path in a link, although the store is elsewhere on disk", async () => {
    const options = { cwd: work, env: { ...place.environment } };
    profile = join(work, "run");
    await run("add", paths["foo-1.0"]!);
    const ran = await runProgram(["run", "./run/bin/foo"], options);
    expect(ran).toMatchObject({ code: 0, out: "foo-1.0\n" });
  });
});
