import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importCircles } from "./import-circles.ts";
import { sourceFiles } from "./source-files.ts";

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
  for (const name of ["formats", "store"]) {
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

/** Relative imports that leave their package; tests may take what stands in for the world from `tests/support`. */
function strayImports(tree: string): string[] {
  const found: string[] = [];
  for (const { file, text } of sourceFiles(tree, "packages", { tests: true })) {
    const own = join(tree, "packages", file.split("/")[1] ?? "");
    for (const [, specifier = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)) {
      const target = resolve(tree, dirname(file), specifier);
      if (file.endsWith(".test.ts") && target.startsWith(join(tree, "tests/support/"))) continue;
      if (!target.startsWith(`${own}/`)) found.push(`${file}: ${specifier}`);
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
  const double = 'export { makeFakeStore } from "../../../tests/support/fake-system.ts";\n';
  const beside = { "packages/store/src/bad.ts": double, "packages/store/src/good.test.ts": double };
  expect(violation(beside, () => strayImports(copy))).toEqual([
    "packages/store/src/bad.ts: ../../../tests/support/fake-system.ts",
  ]);
});

const door = "packages/store/src/program/start.ts";

/** Files of the packages, tests aside, that could start a program without the checks of the one door. */
function programStarters(tree: string): string[] {
  const ways = /["'](node:)?(child_process|cluster)["']|\bexecve\b|\bprocess\.(_linkedB|b)inding\b/;
  return sourceFiles(tree)
    .filter(({ text }) => ways.test(text))
    .map(({ file }) => file);
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

test("no package has a circle of imports, of types neither", () => {
  for (const name of line) expect([name, importCircles(join(root, "packages", name, "src"))]).toEqual([name, []]);
  const bad = {
    "packages/formats/src/bad-a.ts": 'import type { B } from "./bad-b.ts";\nexport type A = B[];\n',
    "packages/formats/src/bad-b.ts": 'import type { A } from "./bad-a.ts";\nexport type B = A | undefined;\n',
  };
  const circles = violation(bad, () => importCircles(join(copy, "packages/formats/src")));
  expect(circles).toEqual([["bad-a.ts", "bad-b.ts"]]);
});

/** Files that send the evaluator's worker a request of their own, by its `op`. */
function rawRequests(tree: string): string[] {
  return sourceFiles(tree, "packages", { tests: true })
    .filter(({ file }) => !file.startsWith("packages/flake/src/evaluator/"))
    .filter(
      ({ text }) =>
        /\.request\(\s*\{\s*op\b|[{,]\s*op:\s*["'`]/.test(text) ||
        /evaluator\/(?:client|protocol)\.ts"/.test(withoutTypes(text)),
    )
    .map(({ file }) => file);
}

/** A text without its imports of types. */
function withoutTypes(text: string): string {
  return text.replace(/^(?:import|export) type [^;]*;$/gm, "");
}

test("only the evaluator's own client sends raw requests", () => {
  expect(rawRequests(root)).toEqual([]);
  const bad = "packages/store/src/bad.ts";
  for (const text of [
    'export const go = (client: { request(r: object): void }) => client.request({ op: "kind", value: 1 });\n',
    'const wanted = { op: "kind" };\nexport const go = (client: { request(r: object): void }) => client.request(wanted);\n',
    'export { EvaluatorClient } from "../../flake/src/evaluator/client.ts";\n',
  ])
    expect(violation({ [bad]: text }, () => rawRequests(copy))).toEqual([bad]);
});

/** Files outside the store that name its local store by its class: they take the interface they need instead. */
function localStoreUsers(tree: string): string[] {
  return sourceFiles(tree)
    .filter(({ file, text }) => !file.startsWith("packages/store/") && /\bLocalStore\b/.test(text))
    .map(({ file }) => file);
}

/** Returns the files that hold Nix code in a string: a function over attributes, or a derivation's attributes. */
function nixCodeIn(files: readonly { readonly file: string; readonly text: string }[]): string[] {
  const code =
    /^[^/*\n]*["'`](?:\{ [a-z][A-Za-z, ?]*\}:|[a-z][A-Za-z]*: (?:builtins\.|let\b|\{|import\b)|let\n|rec \{)/m;
  return files.filter(({ text }) => code.test(text)).map(({ file }) => file);
}

test("Nix code is in files of its own", () => {
  // The language's own table of opcodes shows examples of code.
  const examples = "packages/language/src/code/opcodes.ts";
  expect(nixCodeIn(sourceFiles(root))).toEqual([examples]);
  const found = ["const a = `{ name, src }: derivation { }`;", 'const b = "paths: builtins.mapAttrs f paths";'];
  for (const text of found) expect(nixCodeIn([{ file: "a.ts", text }])).toEqual(["a.ts"]);
});

test("only the store names its local store", () => {
  expect(localStoreUsers(root)).toEqual([]);
  const bad = "packages/formats/src/bad.ts";
  const text = 'import type { LocalStore } from "@firn/store";\nexport type Bad = LocalStore;\n';
  expect(violation({ [bad]: text }, () => localStoreUsers(copy))).toEqual([bad]);
});
