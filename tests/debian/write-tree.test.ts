/** `builtin:write-tree`: trees of files that a system makes anew with every change. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

const at = (...names: string[]): string => join(place.directory, ...names);

/** Builds the tree of a manifest in the language; `secret` is a store path that is no input. */
function build(manifest: string): Promise<Outcome> {
  writeFileSync(
    at("work/x.nix"),
    `let secret = builtins.unsafeDiscardStringContext "\${./secret}"; in
    derivation { name = "x"; system = "builtin"; builder = "builtin:write-tree"; manifest = builtins.toJSON (${manifest}); }\n`,
  );
  return place.firn("build", "--no-link", "--print-out-paths", "-f", "x.nix");
}

/** Returns everything in a built tree: texts, "-> TARGET" for links with the hashes of store paths left out, by place. */
async function made(manifest: string): Promise<Record<string, string>> {
  const { code, out, err } = await build(manifest);
  expect([code, err.includes("error")]).toEqual([0, false]);
  const root = join(place.store, out.trim());
  return Object.fromEntries(
    (readdirSync(root, { recursive: true }) as string[]).sort().flatMap((name) => {
      const stat = lstatSync(join(root, name));
      if (stat.isDirectory()) return [];
      const text = stat.isSymbolicLink()
        ? `-> ${readlinkSync(join(root, name)).replace(/[0-9a-z]{32}-/, "")}`
        : `${(stat.mode & 0o111) === 0 ? "" : "executable: "}${readFileSync(join(root, name), "utf8")}`;
      return [[name, text]];
    }),
  );
}

test("files, links, and links to what inputs have besides", async () => {
  mkdirSync(at("work/etc/d/e"), { recursive: true });
  mkdirSync(at("work/etc/cron.d"));
  for (const name of ["a", "d/b", "d/e/c", "cron.d/x", "taken", ".hidden"]) writeFileSync(at("work/etc", name), name);
  symlinkSync("nowhere", at("work/etc/d/link"));
  expect(
    await made(`{
      files = {
        "etc/a".text = "mine é\\n";
        "etc/run" = { text = "#!"; mode = "755"; };
        "etc/d/e".target = "/else";
        "etc/taken/below".text = "";
        "kept" = { target = "\${./etc}/d"; otherwise = "no"; };
        "other" = { target = "\${./etc}/none"; otherwise = "yes"; };
      };
      sources = [
        { from = "\${./etc}"; to = "etc"; except = [ "cron*" "nothing" ]; }
        { from = "\${./etc}/d"; to = "etc"; }
        { from = "\${./etc}/none"; to = ""; }
      ];
    }`),
  ).toEqual({
    "etc/a": "mine é\n",
    "etc/b": "-> /nix/store/etc/d/b",
    "etc/d/b": "-> /nix/store/etc/d/b",
    "etc/d/e": "-> /else",
    "etc/d/link": "-> /nix/store/etc/d/link",
    "etc/e/c": "-> /nix/store/etc/d/e/c",
    "etc/.hidden": "-> /nix/store/etc/.hidden",
    "etc/link": "-> /nix/store/etc/d/link",
    "etc/run": "executable: #!",
    "etc/taken/below": "",
    kept: "-> /nix/store/etc/d",
    other: "-> yes",
  });
});

test("texts with the contents of inputs and the path of the output, and a tree that is one file", async () => {
  writeFileSync(at("work/part"), "é\n");
  writeFileSync(at("work/secret"), "");
  expect(
    await made(`{
      files.a.text = [ "before " { file = "\${./part}"; } (builtins.placeholder "out") " after" ];
    }`),
  ).toEqual({ a: expect.stringMatching(/^before é\n\/nix\/store\/[0-9a-z]{32}-x after$/) });
  const file = await build(`{ files."".text = [ "whole" ]; }`);
  expect(readFileSync(join(place.store, file.out.trim()), "utf8")).toBe("whole");
  for (const text of [`[ { file = "/etc/passwd"; } ]`, `[ { file = "\${secret}"; } ]`]) {
    const { code, err } = await build(`{ files.a.text = ${text}; }`);
    expect([text, code, err]).toEqual([text, 1, expect.stringContaining("is not in an input of the derivation")]);
  }
  expect((await build(`{ files.a.text = [ { file = "\${./.}/none"; } ]; }`)).err).toContain("/none' is no file");
  expect((await build(`{ files = { "".text = ""; b.text = ""; }; }`)).err).toContain("is used as a directory");
});

test("a text that goes elsewhere where something is there", async () => {
  mkdirSync(at("work/units"));
  writeFileSync(at("work/units/known@.service"), "");
  const entry = (name: string): string =>
    `"${name}" = { text = "${name}"; unless = [ "\${./units}/${name}" "known@.service" ]; instead = "${name}.d/x.conf"; };`;
  expect(await made(`{ files = { ${entry("known@.service")} ${entry("new")} }; }`)).toEqual({
    "known@.service.d/x.conf": "known@.service",
    new: "new",
  });
  expect(await made(`{ files = { "known@.service".text = ""; ${entry("new")} }; }`)).toEqual({
    "known@.service": "",
    "new.d/x.conf": "new",
  });
});

test("programs of units that do not exist", async () => {
  mkdirSync(at("work/env/usr/bin"), { recursive: true });
  for (const name of ["curl", "curl-config", "cut"]) writeFileSync(at("work/env/usr/bin", name), "");
  writeFileSync(at("work/x-unit-script-a-pre-start"), `exec STORE/bin/jq\n`);
  const { code, err } = await build(`{
    files."a.service".text = ''
      ExecStart=+/usr/bin/curl --silent
      ExecStartPre=/usr/bin/curll %i
      ExecReload=-/usr/bin/may-be-missing
      ExecStop=/usr/local/bin/own
    '';
    files."b.service.d/overrides.conf".text = "ExecStart=/run/current-system/sw/usr/bin/cur\\n";
    files."c.service".text = "ExecStart=\${./env}/bin/none\\nExecStop=\${./x-unit-script-a-pre-start} a\\n";
    programs = { options = "systemd.services"; env = "\${./env}"; sw = "\${./env}"; };
  }`);
  expect([code, err.replace(/\/nix\/store\/[0-9a-z]{32}-/g, "").match(/the unit .*/g)]).toEqual([
    1,
    [
      "the unit 'a.service' starts '/usr/bin/curll', which does not exist (option 'systemd.services.a.serviceConfig.ExecStartPre'), did you mean 'curl'?",
      "the unit 'b.service' starts '/run/current-system/sw/usr/bin/cur', which does not exist (option 'systemd.services.b.serviceConfig.ExecStart'), did you mean 'curl' or 'cut'?",
      "the unit 'c.service' starts 'env/bin/none', which does not exist (option 'systemd.services.c.serviceConfig.ExecStart')",
    ],
  ]);
});

test("nothing is read that is no input, and nothing written outside", async () => {
  mkdirSync(at("work/secret"));
  writeFileSync(at("work/secret/file"), "secret");
  mkdirSync(at("work/tree"));
  symlinkSync("/etc", at("work/tree/outside"));
  for (const from of ["/etc", "${secret}", "${./tree}/outside"]) {
    const { code, err } = await build(`{ files = { }; sources = [ { from = "${from}"; to = "x"; } ]; }`);
    expect([from, code, err]).toEqual([from, 1, expect.stringContaining("is not in an input of the derivation")]);
  }
  expect(await made(`{ files.a = { target = "\${secret}/file"; otherwise = "unseen"; }; }`)).toEqual({
    a: "-> unseen",
  });
  for (const name of ["../up", "a/../../up", "/absolute", "a//b", "."]) {
    const { code, err } = await build(`{ files."${name}".text = "x"; }`);
    expect([name, code, err]).toEqual([name, 1, expect.stringMatching(/leads out of the tree|is no name|invalid/)]);
  }
  const { code, err } = await build(`{ files = { a.target = "/tmp"; "a/b".text = "x"; }; }`);
  expect([code, err]).toEqual([1, expect.stringContaining("is used as a directory but is none")]);
  for (const [manifest, place] of [
    ["{ files = 1; }", "files"],
    ['{ files = { }; sources = [ "x" ]; }', "sources"],
    ['{ files.a = { text = "x"; mode = "4775x"; }; }', "mode"],
    ["{ files.a.text = [ 1 ]; }", "text"],
    ["{ files.a.text = [ { } ]; }", "file"],
  ]) {
    expect((await build(manifest ?? "")).err).toContain(`attribute 'manifest' is malformed at '${place}'`);
  }
});
