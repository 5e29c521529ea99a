/** `nix-shell`: what the reference's shell was seen to have, and what it says when there is none. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Outcome, type Place, runProgram } from "../support/run-firn.ts";

const host = ["/bin", "/lib", "/lib64", "/usr"].filter((item) => existsSync(item));
let place: Place;
let work: string;

beforeAll(() => {
  place = makePlace();
  work = realpathSync(join(place.directory, "work"));
  const builder = 'system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo built > $out" ];';
  const files = {
    "plain.nix": `{ inNixShell ? false }: derivation {
      name = "thing"; ${builder} foo = "bar baz"; list = [ 1 2 ]; inherit inNixShell;
      passAsFile = [ "big" ]; big = "text"; stdenv = ./stdenv;
    }`,
    "structured.nix": `derivation {
      name = "thing"; ${builder} __structuredAttrs = true; outputs = [ "out" "dev" ];
      foo = "bar baz"; list = [ "a" "b c" ]; set.x = "1"; yes = true; number = 5;
    }`,
    "needs.nix": `derivation {
      name = "thing"; ${builder}
      good = derivation { name = "good"; ${builder} };
      bad = derivation { name = "bad"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; };
    }`,
    "packages/default.nix": `{ flavour ? "plain" }: rec {
      pkgs = { inherit runCommand; };
      runCommand = name: attributes: _: derivation ({ inherit name flavour; ${builder} } // attributes);
      tool = derivation { name = "tool"; ${builder} };
    }`,
    "stdenv/setup": 'runHook() { echo "hook $1"; }\nPATH=/from/setup\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(work, name, ".."), { recursive: true });
    writeFileSync(join(work, name), text);
  }
});
afterAll(() => removePath(place.directory));

function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const config = `substituters =\nflake-registry =\nsandbox-paths = ${host.join(" ")}\n`;
  return { ...place.environment, NIX_CONFIG: config, NIX_BUILD_SHELL: "/bin/bash", ...more };
}

function shell(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return runProgram(["nix-shell", ...words], { cwd: work, env: environment(more) });
}

describe.skipIf(!sandboxWorks())("a shell", () => {
  test("has the builder's environment over one's own, after the setup and its hook", async () => {
    const command =
      'echo "$name|$foo|$list|$inNixShell|$(cat $bigPath)|$IN_NIX_SHELL|$OWN|$PATH"; test "$PWD" = "$OWN"';
    const ran = await shell(["plain.nix", "--run", command], { OWN: work, PATH: "/usr/bin:/bin" });
    expect(ran).toEqual({
      code: 0,
      out: `hook shellHook\nthing|bar baz|1 2|1|text|impure|${work}|/bin:/from/setup:/usr/bin:/bin\n`,
      err: "",
    });
    expect(readdirSync(place.directory).filter((name) => name.startsWith("nix-shell-"))).toEqual([]);
  });

  test("that is pure has little else", async () => {
    const ran = await shell(["plain.nix", "--pure", "--keep", "KEPT", "--run", "/usr/bin/env"], {
      OWN: "1",
      KEPT: "2",
    });
    const names = ran.out.split("\n").flatMap((line) => (line.includes("=") ? [line.split("=")[0]] : []));
    expect(names.filter((name) => name !== "_" && name !== "TERM").sort()).toEqual(
      [
        ...["HOME", "IN_NIX_SHELL", "KEPT", "NIX_BUILD_CORES", "NIX_BUILD_SHELL", "NIX_BUILD_TOP", "NIX_STORE", "PWD"],
        ...[
          "SHLVL",
          "TEMP",
          "TEMPDIR",
          "TMP",
          "TMPDIR",
          "__ETC_PROFILE_SOURCED",
          "bigPath",
          "builder",
          "foo",
          "inNixShell",
          "list",
          "name",
        ],
        ...["out", "passAsFile", "stdenv", "system"],
      ].sort(),
    );
  });

  test("of a derivation with structured attributes has them as variables of bash", async () => {
    const ran = await shell([
      "structured.nix",
      "--run",
      "declare -p foo list set yes number; test -e $NIX_ATTRS_JSON_FILE; env | grep -c '^out='",
    ]);
    const declared = [
      'declare -- foo="bar baz"',
      'declare -a list=([0]="a" [1]="b c")',
      'declare -A set=([x]="1" )',
      'declare -- yes="1"',
      'declare -- number="5"',
    ];
    expect(ran).toEqual({ code: 0, out: `${declared.join("\n")}\n1\n`, err: "" });
  });

  test("has what it needs built before, without what is excluded", async () => {
    const failed = await shell(["needs.nix", "--run", "cat $good"]);
    expect(failed.code).toBe(100);
    expect(failed.err).toContain("-bad.drv'.\n       Reason: builder failed with exit code 1.");
    const ran = await shell(["needs.nix", "--exclude", "-bad", "--run", "cat $good"]);
    expect(ran).toMatchObject({ code: 0, out: "built\n" });
  });

  test("takes a derivation by its path, packages by their names, and ends as its command does", async () => {
    const { out } = await place.firnWith({ cwd: work }, "nix-instantiate", "plain.nix");
    expect(await shell([out.trim(), "--run", "echo $name; exit 5"])).toMatchObject({
      code: 5,
      out: "hook shellHook\nthing\n",
    });
    const packages = ["-I", `nixpkgs=${join(work, "packages")}`, "--run", "cat $buildInputs"];
    const ran = await shell(["-p", "(import <nixpkgs> { }).tool", ...packages]);
    expect(ran).toMatchObject({ code: 0, out: "built\n" });
    const words = ["-p", "tool", "--argstr", "flavour", "sweet", "--run", "echo $flavour"];
    expect(await shell([...words, ...packages.slice(0, 2)])).toMatchObject({ code: 0, out: "sweet\n" });
  });

  test("is over the store that its flags name", async () => {
    const store = join(place.directory, "other");
    const ran = await shell(["--store", store, "needs.nix", "--exclude", "-bad", "--run", "cat $good"]);
    expect(ran).toMatchObject({ code: 0, out: "built\n" });
    expect(readdirSync(join(store, "nix/store")).filter((name) => name.endsWith("-good"))).toHaveLength(1);
  });

  test("is what the repl's :sh and :u start", async () => {
    const input = ":sh import ./plain.nix { }\n:u (import <nixpkgs> { }).tool\n:sh 3\n";
    const ran = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", main, "repl"], {
      cwd: work,
      env: environment({ NIX_PATH: `nixpkgs=${join(work, "packages")}` }),
      input,
      encoding: "utf8",
    });
    expect(ran.stdout).toContain("\nhook shellHook\n");
    expect(ran.stderr.match(/error:.*/g)).toEqual([
      "error: expression does not evaluate to a derivation, so I can't build it",
    ]);
  });
});

test.each([
  [
    ["--run", "true"],
    "error: no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory",
  ],
  [["-E", "[ (import ./plain.nix { }) (import ./structured.nix) ]"], "error: nix-shell requires a single derivation"],
  [["missing.nix"], `error: path '`],
  [["./stdenv"], "error: neither 'shell.nix' nor 'default.nix' found in '"],
  [["-p", "tool", "-E", "1"], "error: '-p' and '-E' are mutually exclusive"],
  [["plain.nix", "-i", "bash"], "error: unrecognised flag '-i'"],
  [["plain.nix", "--exclude", "("], "error: Mismatched '(' and ')' in regular expression"],
  [["--run"], "error: '--run' requires an argument"],
  [["plain.nix", "--nonsense"], "error: unrecognised flag '--nonsense'"],
])("%j is refused", async (words, message) => {
  const ran = await shell(words);
  expect(ran.code).toBe(1);
  expect(ran.out).toBe("");
  expect(ran.err).toContain(message);
});
