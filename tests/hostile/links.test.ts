/** Links in a flake or a restricted directory that lead out of it: nothing outside is read, and the answers are the reference's. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";

let place: Place;
const at = (...names: string[]): string => join(place.directory, ...names);

const links: Readonly<Record<string, string>> = {
  file: "/etc/passwd",
  dir: "/etc",
  up: "../../../../../../../../../../etc/passwd",
  via: "dir/passwd",
  missing: "/nowhere",
  loop: "loop",
  root: "/",
  inside: "sub/deep",
  insideFile: "sub/../in.nix",
};

beforeAll(() => {
  place = makePlace();
  mkdirSync(at("tree/sub/deep"), { recursive: true });
  writeFileSync(at("tree/in.nix"), "1");
  writeFileSync(at("tree/sub/deep/f"), "2");
  for (const [name, target] of Object.entries(links)) symlinkSync(target, at("tree", name));
  writeFileSync(at("tree/flake.nix"), "{ outputs = { self }: { lib.at = path: ./. + path; }; }");
});
afterAll(() => removePath(place.directory));

const functions: Readonly<Record<string, string>> = {
  readFile: "builtins.readFile p",
  hashFile: 'builtins.hashFile "md5" p',
  readDir: "builtins.attrNames (builtins.readDir p)",
  pathExists: "builtins.pathExists p",
  isDirectory: 'builtins.pathExists (toString p + "/")',
  readFileType: "builtins.readFileType p",
  import: "import p",
  path: 'builtins.path { path = p; name = "x"; }',
  filtered: 'builtins.path { path = p; name = "x"; filter = _: _: true; }',
  filterSource: "builtins.filterSource (_: _: true) p",
  copied: '"${p}"',
};

/** An answer, or the last line of an error; the tree's own path is written TREE. */
function answer({ code, out, err }: Outcome): string {
  const text =
    code === 0
      ? out.trim()
      : err
          .split("\n")
          .filter((line) => line.includes("error: "))
          .at(-1)!
          .replace(/^.*?error: /, "");
  return text
    .replaceAll(at("tree"), "TREE")
    .replace(/\/nix\/store\/[0-9a-z]{32}-source/, "TREE")
    .replace(/\/nix\/store\/[0-9a-z]{32}-/, "STORE/");
}

function pure(name: string, path: string): Promise<Outcome> {
  const apply = `f: let p = f.at "/${path}"; in ${functions[name]}`;
  return place.firn("eval", "--json", `path:${at("tree")}#lib`, "--apply", apply);
}

function restricted(name: string, path: string): Promise<Outcome> {
  const expression = `let p = ${at("tree")} + "/${path}"; in ${functions[name]}`;
  const restrict = ["--option", "restrict-eval", "true", "-I", `t=${at("tree")}`];
  return place.firn("eval", "--json", "--impure", ...restrict, "--expr", expression);
}

/** Recorded from Nix 2.34.8; FORBIDDEN stands for how it names the mode. */
const recorded: readonly (readonly [name: string, path: string, answer: string])[] = [
  ...[
    ["file", "/etc/passwd"],
    ["dir", "/etc"],
    ["dir/passwd", "/etc/passwd"],
    ["up", "/etc/passwd"],
    ["via", "/etc/passwd"],
    ["missing/x", "/nowhere/x"],
    ["root/etc/passwd", "/etc/passwd"],
  ].map(([path, named]) => ["readFile", path!, `access to absolute path '${named}' is FORBIDDEN`] as const),
  ...["hashFile", "readDir", "import", "path", "filtered", "filterSource"].map(
    (name) => [name, "dir/passwd", "access to absolute path '/etc/passwd' is FORBIDDEN"] as const,
  ),
  ["readDir", "dir", "access to absolute path '/etc' is FORBIDDEN"],
  ["path", "file", "access to absolute path '/etc/passwd' is FORBIDDEN"],
  ["pathExists", "file", "true"],
  ["pathExists", "dir", "true"],
  ["pathExists", "dir/passwd", "false"],
  ["pathExists", "missing", "true"],
  ["pathExists", "root/etc", "false"],
  ["pathExists", "loop/x", "infinite symlink recursion in path 'TREE/loop/x'"],
  ["isDirectory", "dir", "false"],
  ["isDirectory", "root", "true"],
  ["isDirectory", "inside", "true"],
  ["readFileType", "file", '"symlink"'],
  ["readFileType", "dir/passwd", "path 'TREE/dir' is a symlink"],
  ["readFileType", "inside/f", "path 'TREE/inside' is a symlink"],
  ["copied", "dir/passwd", "access to absolute path '/etc/passwd' is FORBIDDEN"],
  ["copied", "file", '"STORE/file"'],
  ["copied", "inside/f", '"STORE/f"'],
  ["readFile", "inside/f", '"2"'],
  ["readFile", "insideFile", '"1"'],
  ["readFile", "loop", "infinite symlink recursion in path 'TREE/loop'"],
  ["import", "inside/f", "2"],
  ["import", "loop", "too many symbolic links encountered while traversing the path 'TREE/loop'"],
  ["readDir", "inside", '["f"]'],
  ["path", "inside", '"STORE/x"'],
];

describe.each([
  ["pure", pure, "forbidden in pure evaluation mode (use '--impure' to override)"],
  ["restricted", restricted, "forbidden in restricted mode"],
] as const)("%s evaluation", (_mode, evaluate, forbidden) => {
  test.each(recorded)("%s of %s", async (name, path, expected) => {
    expect(answer(await evaluate(name, path))).toBe(expected.replace("FORBIDDEN", forbidden));
  });
});

test("a listing of the parents of what is allowed shows the way there, and in pure evaluation nothing", async () => {
  const way = at("tree").split("/")[1];
  expect(answer(await restricted("readDir", "root"))).toBe(JSON.stringify([way]));
  expect(answer(await pure("readDir", "root"))).toBe("[]");
});

test("a search path that an expression makes allows nothing", async () => {
  const search = `builtins.readFile (builtins.findFile [ { prefix = ""; path = "/"; } ] "etc/passwd")`;
  const restrict = ["--option", "restrict-eval", "true", "-I", `t=${at("tree")}`];
  expect(answer(await place.firn("eval", "--impure", ...restrict, "--expr", search))).toBe(
    "access to absolute path '/etc/passwd' is forbidden in restricted mode",
  );
});

describe("a flake's own files", () => {
  const flake = '{ outputs = { self }: { x = "inside"; }; }';

  beforeAll(() => {
    mkdirSync(at("outside"));
    writeFileSync(at("outside/flake.nix"), '{ outputs = { self }: { x = "outside"; }; }');
    writeFileSync(at("outside/secret"), "a secret");
  });

  function treeWith(name: string, fill: (directory: string) => void): string {
    const directory = at(name);
    mkdirSync(directory);
    fill(directory);
    return `path:${directory}`;
  }

  test.each([[[]], [["--impure"]]])(
    "flake.nix and its directory are looked for in the tree alone %j",
    async (flags) => {
      const suffix = flags.length;
      const file = treeWith(`file${suffix}`, (tree) => symlinkSync(at("outside/flake.nix"), join(tree, "flake.nix")));
      expect(answer(await place.firn("eval", ...flags, `${file}#x`))).toBe(
        `path 'TREE${at("outside/flake.nix")}' does not exist`,
      );
      const dir = treeWith(`dir${suffix}`, (tree) => symlinkSync(at("outside"), join(tree, "d")));
      expect(answer(await place.firn("eval", ...flags, `${dir}?dir=d#x`))).toBe(
        `path 'TREE${at("outside/flake.nix")}' does not exist`,
      );
      const above = await place.firn("eval", ...flags, `${dir}?dir=../outside#x`);
      expect([above.code, above.out]).toEqual([1, ""]);
    },
  );

  test("flake.lock is not read through links", async () => {
    const tree = treeWith("lock", (directory) => {
      writeFileSync(join(directory, "flake.nix"), flake);
      symlinkSync(at("outside/secret"), join(directory, "flake.lock"));
    });
    expect(answer(await place.firn("eval", `${tree}#x`))).toBe("path 'TREE/flake.lock' is a symlink");
  });
});
