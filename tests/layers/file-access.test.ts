import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { changesByPath, hidden, readsFiles } from "./file-access.ts";
import { sourceFiles } from "./source-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Each source file below some directories, tests aside, for which `find` finds something. */
function findings(directories: readonly string[], find: (text: string) => string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const directory of directories) {
    for (const { file, text } of sourceFiles(root, directory)) {
      const found = find(text);
      if (found.length > 0) all[file] = found;
    }
  }
  return all;
}

/** Files that may change what lies at a path, and why nobody can lead them elsewhere. */
const writers: Record<string, string[]> = {
  // A log's directory is the store's own; no builder has its path or a handle of it.
  "packages/build/src/log/build-log.ts": ["openSync for writing"],
  // Opens devices: the two ends of a pseudo-terminal.
  "packages/build/src/sandbox/pty.ts": ["openSync for writing"],
  // Lays out a directory that it has just made and that only its user may enter, before the builder starts.
  // Files of the kernel: nothing of them is on a disk.
  "packages/build/src/sandbox/build-group.ts": ["chownSync", "rmdirSync", "writeFileSync"],
  "packages/build/src/sandbox/sandbox.ts": ["chmodSync", "chownSync", "symlinkSync", "writeFileSync"],
};

test("builds and fetches change files through the store's functions", () => {
  expect(findings(["packages/build/src", "packages/fetch/src"], changesByPath)).toEqual(writers);
});

test.each([
  ["a name", 'import { rm } from "node:fs/promises";\nawait rm("x");\n', ["rm"]],
  [
    "a name among others",
    'import {\n  existsSync,\n  writeFileSync as put,\n} from "node:fs";\nput("x");\n',
    ["writeFileSync"],
  ],
  ["the whole module", 'import fs from "node:fs";\nfs.renameSync("a", "b");\n', ["renameSync"]],
  ["its namespace", 'import * as disk from "fs";\ndisk.chmodSync("a", 0);\n', ["chmodSync"]],
  ["its promises", 'import fs from "node:fs";\nawait fs.promises.chown("a", 0, 0);\n', [hidden]],
  ["a member with a computed name", 'import fs from "node:fs";\nfs["rmSync"]("a");\n', [hidden]],
  ["a copy of the module", 'import fs from "node:fs";\nconst mine = { ...fs };\n', [hidden]],
  ["a call over two lines", 'import fs from "node:fs";\nfs\n  .rmSync("a");\n', ["rmSync"]],
  ["the module in a variable", 'import fs from "node:fs";\nconst { rmSync } = fs;\n', [hidden]],
  ["an import at run time", 'const { rm } = await import("node:fs/promises");\n', [hidden]],
  ["a required module", 'const fs = require("fs");\n', [hidden]],
  ["an export of another's names", 'export { rm } from "node:fs/promises";\n', [hidden]],
  ["the process's modules", 'process.getBuiltinModule("node:fs").rmSync("a");\n', [hidden]],
  [
    "a file opened for writing",
    'import { openSync } from "node:fs";\nopenSync(f(1, 2), "w", 0o644);\n',
    ["openSync for writing"],
  ],
  [
    "the same by numbers",
    'import fs from "node:fs";\nfs.openSync("a", O_RDONLY | O_CREAT);\n',
    ["openSync for writing"],
  ],
  ["a renamed opener", 'import { openSync as o } from "node:fs";\no("a", "w");\n', ["openSync for writing"]],
  [
    "a renamed opener of promises",
    'import { open as o } from "node:fs/promises";\nawait o("a", "a");\n',
    ["open for writing"],
  ],
  [
    "an opener that is handed on",
    'import { openSync } from "node:fs";\nconst o = openSync;\n',
    ["openSync for writing"],
  ],
  ["an opener of the whole module", 'import fs from "node:fs";\nconst o = fs.openSync;\n', ["openSync for writing"]],
  ["flags in an unknown place", 'import { openSync } from "node:fs";\nopenSync(...all);\n', ["openSync for writing"]],
  [
    "flags beside a comment",
    'import { openSync } from "node:fs";\nopenSync("a", f /* O_RDONLY */);\n',
    ["openSync for writing"],
  ],
  [
    "code between strings that look like a comment",
    'import fs from "node:fs";\nconst a = "/*"; fs.rmSync("a"); const b = "*/";\n',
    ["rmSync"],
  ],
  ["a name in quotes", 'import { "rmSync" as o } from "node:fs";\no("a");\n', ["rmSync"]],
  ["a module in a template", "const fs = await import(`node:fs`);\n", [hidden]],
  ["a stream", 'import { createWriteStream } from "node:fs";\ncreateWriteStream("a");\n', ["createWriteStream"]],
  [
    "the store's seam, where it follows links",
    'import { disk } from "@firn/store";\ndisk.chmod("a", 0);\n',
    ["disk.chmod"],
  ],
  ["the seam under another name", 'import { disk as d } from "@firn/store";\nd.chown("a", 0, 0);\n', ["disk.chown"]],
  ["a copy of the seam", 'import { disk } from "@firn/store";\nconst { chmod } = disk;\n', [hidden]],
])("a change by %s is found", (_what, text, found) => {
  expect(changesByPath(text)).toEqual(found);
});

test("reading, and what is only mentioned, is no change", () => {
  const text = [
    'import type { Stats } from "node:fs";',
    'import fs, { type Dirent, openSync } from "node:fs";',
    '// fs.rmSync("a")',
    "/** Calls rm. */",
    'fs.readFileSync("a"); openSync("a"); openSync("a", "r"); openSync("a", fs.constants.O_RDONLY | O_NOFOLLOW);',
    'const link = (a: string): string => a; link("x"); own.fs.rmSync;',
  ];
  expect(changesByPath(text.join("\n"))).toEqual([]);
});

/** Files of the evaluator that may read, and why no expression can make them read what it may not. */
const readers = [
  // The door: what an evaluation asks for is resolved and checked by path-guard.ts.
  "packages/flake/src/evaluator/node-host.ts",
  // Walk a tree that the door has resolved and checked, and that it hands on to be copied or hashed; no link in it is followed.
  "packages/flake/src/evaluator/offline-services.ts",
  "packages/flake/src/evaluator/tree-filter.ts",
  // Looks whether a file that Git does not track is there, for the message of an error that ends the evaluation.
  "packages/flake/src/evaluator/shown-trees.ts",
  // Looks again whether files that the door has looked at are still the same ones.
  "packages/flake/src/evaluator/placed-trees.ts",
  // Files of the evaluator's own below the user's cache.
  "packages/flake/src/evaluator/kept-files.ts",
  "packages/flake/src/evaluator/image-file.ts",
  // Hashes in advance what an earlier evaluation read; the door gives out the digest of a file only when it may be read.
  "packages/flake/src/evaluator/read-ahead.ts",
];

test("evaluations read files through their host", () => {
  const found = findings(["packages/flake/src/evaluator", "packages/language/src"], readsFiles);
  expect(Object.keys(found).sort()).toEqual([...readers].sort());
});

test.each([
  ["a name", 'import { readFileSync } from "node:fs";\nreadFileSync("x");\n', ["readFileSync"]],
  ["the whole module", 'import fs from "node:fs";\nfs.statSync("x");\n', ["statSync"]],
  ["an import at run time", 'const { readFile } = await import("fs/promises");\n', [hidden]],
  ["the store's walker of trees", 'import { dumpPath } from "@firn/store";\ndumpPath("x");\n', ["dumpPath"]],
  ["the store as a whole", 'import * as store from "@firn/store";\nstore.dumpPath("x");\n', [hidden]],
])("a reader by %s is found", (_what, text, found) => {
  expect(readsFiles(text)).toEqual(found);
});
