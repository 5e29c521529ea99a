import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
/** The paths of the three programs of graph.nix. */
let paths: readonly [string, string, string];

const graph = String.raw`{
  flags ? "-O1",
  script ? "one\ntwo\n",
}:
let
  build = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // more);
in
rec {
  libc = build "libc-2.0" { inherit flags; };
  library = build "library" { inherit libc script; };
  program = build "program" { inherit libc library; args = [ "-c" "${"$"}{library}/bin/x" ]; };
}
`;
const all = String.raw`let graph = import ./graph.nix; in {
  old = (graph { }).program;
  new = (graph { flags = "-O2"; }).program;
  third = (graph { script = "one\nthree\n"; }).program;
}
`;

beforeAll(async () => {
  place = makePlace();
  writeFileSync(join(place.directory, "work/graph.nix"), graph);
  writeFileSync(join(place.directory, "work/all.nix"), all);
  const { out, err } = await place.firn("path-info", "--derivation", "-f", "all.nix", "old", "new", "third");
  const [old, young, third] = out.trim().split("\n");
  if (old === undefined || young === undefined || third === undefined) throw new Error(err);
  paths = [old, young, third];
});
afterAll(() => place.remove());

test("the cause deep in two real graphs is found, with the way to it, and nothing that follows from it", async () => {
  const { code, out } = await place.firn("derivation", "diff", "-f", "all.nix", "old", "new");
  expect(out.replaceAll(/[0-9a-z]{32}-/g, "H-")).toBe(`- /nix/store/H-libc-2.0.drv
+ /nix/store/H-libc-2.0.drv
  by way of program.drv
  environment: flags
    - -O1
    + -O2

1 cause in 3 pairs of derivations that differ
`);
  expect(code).toBe(1);
});

test("long variables are compared line by line, in another directory of derivations too", async () => {
  const files = join(place.directory, "files");
  const work = join(place.directory, "whole");
  mkdirSync(files);
  for (const name of readdirSync(join(place.store, "nix/store"))) {
    if (name.endsWith(".drv")) cpSync(join(place.store, "nix/store", name), join(files, name));
  }
  mkdirSync(join(work, "nix"), { recursive: true });
  cpSync(files, join(work, "nix/store"), { recursive: true });
  const [old, , third] = paths;
  const expected = `- /nix/store/H-library.drv
+ /nix/store/H-library.drv
  by way of program.drv
  environment: script
      one
    - two
    + three
      

1 cause in 2 pairs of derivations that differ
`;
  for (const args of [
    [old, third],
    ["--from", files, "--to", work, old, third],
    ["--from", files, "--to", work, old.slice("/nix/store/".length), `${work}${third}`],
    ["--to", files, old, third],
  ]) {
    const { out, err } = await place.firn("derivation", "diff", ...args);
    expect([args, err, out.replaceAll(/[0-9a-z]{32}-/g, "H-")]).toEqual([args, "", expected]);
  }
  rmSync(join(files, old.slice("/nix/store/".length)));
  const { code, err } = await place.firn("derivation", "diff", "--from", files, old, third);
  expect([code, err]).toEqual([1, expect.stringContaining(`error: derivation '${old}' is not in '${files}'`)]);
});

test("JSON tells all causes, and equal derivations end with status 0", async () => {
  const [old, young] = paths;
  const { code, out } = await place.firn("derivation", "diff", "--json", old, young);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    from: old,
    to: young,
    equal: false,
    compared: 3,
    causes: [
      {
        chain: ["program.drv", "libc-2.0.drv"],
        differences: [{ kind: "env", name: "flags", from: "-O1", to: "-O2" }],
      },
    ],
  });
  expect(await place.firn("derivation", "diff", old, old)).toMatchObject({
    code: 0,
    out: "the derivations are the same\n",
  });
});

test("fewer causes are shown on demand, and control characters do not reach the terminal", async () => {
  writeFileSync(
    join(place.directory, "work/two.nix"),
    `let graph = import ./graph.nix; in (graph { flags = "\u001b[31m"; script = "x"; }).program`,
  );
  const [old] = paths;
  const whole = await place.firn("derivation", "diff", "-f", "two.nix", old, "");
  expect(whole.out).toContain("+ \\x1b[31m\n");
  expect(whole.out).toContain("2 causes in 3 pairs");
  const { out } = await place.firn("derivation", "diff", "--limit", "1", "-f", "two.nix", old, "");
  expect(out).toContain("1 of them not shown (--limit 0 shows all)");
  expect(await place.firn("derivation", "diff", "--limit", "many", old, old)).toMatchObject({ code: 1, out: "" });
});
