import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const line = ["formats", "language", "store", "build", "fetch", "flake", "system", "cli"];
/** Left of them in the line, but not for them. */
const withoutLanguage = new Set(["store", "build", "fetch"]);

function dependenciesOf(name: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(manifest.dependencies ?? {})
    .filter((dependency) => dependency.startsWith("@firn/"))
    .map((dependency) => dependency.slice("@firn/".length));
}

test("there are the eight packages of ARCHITECTURE.md, in its order", () => {
  expect(readFileSync(join(root, "ARCHITECTURE.md"), "utf8")).toContain(line.join(" → "));
  expect(readdirSync(join(root, "packages")).sort()).toEqual([...line].sort());
});

test("packages depend only on those to their left", () => {
  for (const [position, name] of line.entries()) {
    for (const dependency of dependenciesOf(name)) {
      expect([name, dependency, line.indexOf(dependency) < position]).toEqual([name, dependency, true]);
      if (withoutLanguage.has(name)) expect([name, dependency]).not.toEqual([name, "language"]);
    }
  }
});

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "firn-layers-"));
  for (const file of ["package.json", "biome.json", "tsconfig.base.json", "tsconfig.pure.json"])
    cpSync(join(root, file), join(copy, file));
  for (const name of ["formats", "language", "store", "build", "fetch", "flake"]) {
    const keep = (path: string): boolean => !path.endsWith(".test.ts");
    cpSync(join(root, "packages", name), join(copy, "packages", name), { recursive: true, filter: keep });
  }
  mkdirSync(join(copy, "node_modules"));
  for (const entry of readdirSync(join(root, "node_modules"))) {
    // Output of the copy must not land in the checkout's caches.
    if (entry !== ".cache") symlinkSync(join(root, "node_modules", entry), join(copy, "node_modules", entry));
  }
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function run(...command: string[]): { status: number | null; output: string } {
  const [program = "", ...args] = command;
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin", program), args, {
    cwd: copy,
    encoding: "utf8",
  });
  return { status, output: `${stdout}${stderr}` };
}

/** Adds files to the copy, runs the check that should object, and takes the files away again. */
function violation<Result>(files: Readonly<Record<string, string>>, check: () => Result): Result {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(copy, path), text);
  try {
    return check();
  } finally {
    for (const path of Object.keys(files)) rmSync(join(copy, path));
  }
}

/** Relative imports that leave their package. */
function strayImports(tree: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(tree, "packages"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.parentPath.includes("node_modules")) continue;
    const file = join(entry.parentPath, entry.name);
    const own = join(tree, "packages", relative(join(tree, "packages"), file).split("/")[0] ?? "");
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)) {
      if (!resolve(entry.parentPath, specifier).startsWith(`${own}/`))
        found.push(`${relative(tree, file)}: ${specifier}`);
    }
  }
  return found;
}

test("no file imports a neighbour by a relative path", () => {
  expect(strayImports(root)).toEqual([]);
  const bad = { "packages/store/src/bad.ts": 'export { FirnError } from "../../formats/src/base/error.ts";\n' };
  expect(violation(bad, () => strayImports(copy))).toEqual([
    "packages/store/src/bad.ts: ../../formats/src/base/error.ts",
  ]);
});

const door = "packages/store/src/program/start.ts";

/** Files of the packages, tests aside, that could start a program without the checks of the one door. */
function programStarters(tree: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(tree, "packages"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/(?<!\.test)\.ts$/.test(entry.name) || entry.parentPath.includes("node_modules")) continue;
    const file = join(entry.parentPath, entry.name);
    const ways = /["'](node:)?(child_process|cluster)["']|\bexecve\b|\bprocess\.(_linkedB|b)inding\b/;
    if (ways.test(readFileSync(file, "utf8"))) found.push(relative(tree, file));
  }
  return found.sort();
}

test("only one file starts programs", () => {
  expect(programStarters(root)).toEqual([door]);
});

test.each([
  ["an import", 'export { spawn } from "node:child_process";\n'],
  ["an import without its scheme", 'export { spawn } from "child_process";\n'],
  ["an import at run time", 'export const spawn = (await import("node:child_process")).spawn;\n'],
  ["a replacement of the process", 'export const go = () => process.execve?.("/bin/true", [], {});\n'],
])("%s elsewhere is found", (_what, text) => {
  const bad = "packages/store/src/bad.ts";
  expect(violation({ [bad]: text }, () => programStarters(copy))).toEqual([bad, door]);
});

/** Sources of a folder of packages, tests aside, relative to the tree. */
function sourcesBelow(tree: string, folder: string): string[] {
  return readdirSync(join(tree, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /(?<!\.test)\.ts$/.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** Functions of Node that change files by their paths. Making a directory or a new file by `wx` follows nothing that is planted. */
const CHANGES =
  /\b(?:rm|rmdir|unlink|chmod|l?chown|rename|copyFile|cp|writeFile|appendFile|symlink|link|l?utimes|truncate)(?:Sync)?\((?!\))/g;

/** Files that may call them all the same, with their reasons; everything else goes by `disk`, open directories or the writer of trees. */
const changers: Readonly<Record<string, string>> = {
  "packages/build/src/sandbox/sandbox.ts": "lays out a sandbox before its builder starts, below a directory of our own",
  "packages/fetch/src/git-repository.ts": "makes a view in a new directory of our own",
};

/** Calls of those functions under a build or fetch package, other than on `disk`, trees, and open directories and places. */
function pathChanges(tree: string): string[] {
  const found = new Set<string>();
  for (const file of ["packages/build/src", "packages/fetch/src"].flatMap((folder) => sourcesBelow(tree, folder))) {
    const text = readFileSync(join(tree, file), "utf8");
    for (const match of text.matchAll(CHANGES)) {
      const before = text.slice(Math.max(0, match.index - 24), match.index);
      const ours = /\b(?:disk|tree|place|directory|into)\.$/.test(before);
      if (!ours) found.add(file);
    }
  }
  return [...found].sort();
}

test("what builders and strangers have touched is changed through the doors of the store", () => {
  expect(pathChanges(root)).toEqual(Object.keys(changers).sort());
});

test.each([
  ["by Node's name space", 'import fs from "node:fs";\nexport const go = (path: string) => fs.rmSync(path);\n'],
  ["by name", 'import { chmod } from "node:fs/promises";\nexport const go = (path: string) => chmod(path, 0);\n'],
])("a file that is changed %s elsewhere is found", (_what, text) => {
  for (const bad of ["packages/build/src/bad.ts", "packages/fetch/src/bad.ts"]) {
    expect(violation({ [bad]: text }, () => pathChanges(copy))).toContain(bad);
  }
});

/** Files through which an evaluation reaches the machine's files, with their reasons. */
const readers: Readonly<Record<string, string>> = {
  "packages/flake/src/evaluator/node-host.ts": "the host: every path passes its guard first",
  "packages/flake/src/evaluator/kept-files.ts": "the user's own cache of code",
  "packages/flake/src/evaluator/files-ahead.ts": "hashes what the host has let the evaluation read",
  "packages/flake/src/evaluator/read-ahead.ts": "hashes what the host has let the evaluation read",
  "packages/flake/src/evaluator/tree-filter.ts":
    "lists what the host copies, whose root it has let the evaluation read",
  "packages/flake/src/evaluator/host-config.ts": "looks whether the user's cache directory is there",
};

function fileReaders(tree: string): string[] {
  return ["packages/flake/src/evaluator", "packages/language/src"]
    .flatMap((folder) => sourcesBelow(tree, folder))
    .filter((file) => /["'](?:node:)?fs(?:\/promises)?["']/.test(readFileSync(join(tree, file), "utf8")));
}

test("evaluations read files through their host", () => {
  expect(fileReaders(root).sort()).toEqual(Object.keys(readers).sort());
  const bad = "packages/flake/src/evaluator/bad.ts";
  const text = 'export { readFileSync } from "node:fs";\n';
  expect(violation({ [bad]: text }, () => fileReaders(copy))).toContain(bad);
});

const biome = ["biome", "lint", "--vcs-enabled=false", "--max-diagnostics=200"];

test("the untouched copy passes the same tools", () => {
  expect(run("tsc", "--build", "packages/formats")).toMatchObject({ status: 0 });
  expect(run(...biome, "packages/formats/src")).toMatchObject({ status: 0 });
});

test.each([
  [
    "a Node module in a pure package",
    "packages/formats/src/bad.ts",
    'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n',
    ["tsc", "--build", "packages/formats"],
    "node:fs",
  ],
  [
    "a Node global in a pure package",
    "packages/formats/src/bad.ts",
    "export const x = process.env;\n",
    ["tsc", "--build", "packages/formats"],
    "process",
  ],
  [
    "a Node module in a pure package, at lint time",
    "packages/formats/src/bad.ts",
    'export { readFileSync } from "node:fs";\n',
    [...biome, "packages/formats/src/bad.ts"],
    "noNodejsModules",
  ],
  [
    "a package that is not declared",
    "packages/store/src/bad.ts",
    'export { Evaluator } from "@firn/language";\n',
    [...biome, "packages/store/src/bad.ts"],
    "noUndeclaredDependencies",
  ],
  [
    "an import cycle",
    "packages/formats/src/bad.ts",
    'import { b } from "./worse.ts";\nexport const a = () => b;\n',
    [...biome, "packages/formats/src/bad.ts"],
    "noImportCycles",
  ],
] as const)("%s fails the check", (_what, path, text, command, word) => {
  const worse = 'import { a } from "./bad.ts";\nexport const b = () => a;\n';
  const files = { [path]: text, ...(word === "noImportCycles" ? { "packages/formats/src/worse.ts": worse } : {}) };
  const { status, output } = violation(files, () => run(...command));
  expect(status).not.toBe(0);
  expect(output).toContain(word);
});
