/**
 * Flakes that are read where they lie: every answer is that of an evaluation whose tree was copied to the store first, and what is not
 * read may be unreadable.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings } from "@firn/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostConfig } from "../../packages/flake/src/evaluator/host-config.ts";
import { createOfflineServices, hashTree } from "../../packages/flake/src/evaluator/offline-services.ts";
import { openSession } from "../../packages/flake/src/evaluator/open-session.ts";
import type { PlacedTree } from "../../packages/flake/src/evaluator/placed-trees.ts";
import type { PlainData, Request } from "../../packages/flake/src/evaluator/protocol.ts";
import type { SyncServices } from "../../packages/flake/src/evaluator/services.ts";
import { makeFixedOutputPath, printHash } from "../../packages/formats/src/index.ts";
import { randomFrom } from "../../scripts/random.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";
import { flakeFiles, flakeLinks, ways } from "./trees-in-place.ts";

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(directory, file, ".."), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
}

// ---- the evaluator: a session that reads in place beside one that does not

const standIn = "e".repeat(32);
const callFlake = readFileSync(new URL("../../packages/flake/src/call/call-flake.nix", import.meta.url), "latin1");
const lockText = '{"nodes":{"root":{}},"root":"root","version":7}';

/** A tree that lies in a directory and in a store. */
interface Laid {
  readonly storeDir: string;
  readonly directory: string;
  readonly storePath: string;
  readonly narHash: string;
  readonly fileList: string;
}

let base: string;
let laid: Laid;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "firn-in-place-"));
  const directory = join(base, "a tree/\u0434");
  write(directory, flakeFiles);
  for (const [name, target] of Object.entries(flakeLinks)) symlinkSync(target, join(directory, name));
  const storeDir = join(base, "store");
  const hash = hashTree(byteText(directory), "nar");
  const storePath = makeFixedOutputPath({ method: "nar", hash }, { name: "source", storeDir });
  mkdirSync(storeDir);
  cpSync(directory, storePath, { recursive: true, verbatimSymlinks: true });
  write(directory, { "untracked.nix": "3\n" });
  const fileList = [...Object.keys(flakeFiles), ...Object.keys(flakeLinks)].join("\0");
  laid = { storeDir, directory: byteText(directory), storePath, narHash: printHash(hash, "sri"), fileList };
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function byteText(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** What an evaluation gave: its answers or its error, and its messages. */
interface Given {
  readonly answers: readonly unknown[];
  readonly messages: readonly string[];
  /** True when the store path was asked for. */
  readonly isStored: boolean;
}

/** Evaluates outputs of the flake one after the other. */
function evaluated(names: readonly string[], inPlace: boolean): Given {
  const { storeDir, directory, storePath, narHash, fileList } = laid;
  const environment = {
    NIX_CONFIG: "pure-eval = true",
    HOME: "/nowhere",
    FIRN_CODE_CACHE: "",
    NIX_STORE_DIR: storeDir,
  };
  const config = hostConfig(loadSettings(environment), { environment, cwd: base }, { includes: [], readOnly: true });
  const messages: string[] = [];
  let isStored = false;
  const offline = createOfflineServices(storeDir, true);
  const lastModified = 1_700_000_000n;
  const services: SyncServices = {
    ...offline,
    addPath(request) {
      const { include, ...rest } = request;
      if (include === undefined) return offline.addPath(request);
      const kept = new Set(include);
      return offline.addPath({ ...rest, filter: (path) => kept.has(path.slice(request.path.length)) });
    },
    realise: () => new Map(),
    ensurePath(path) {
      if (path === storePath && (isStored || !inPlace)) return;
      throw new Error(`${path} is not there`);
    },
    queryPath: () => ({ narHash: "", narSize: 0, references: [] }),
    obtainTree() {
      isStored = true;
      return { storePath, narHash, lastModified };
    },
  };
  const session = openSession(
    { config: { ...config, storeDir }, services: true, flakes: true },
    {
      services,
      report: ({ kind, text }) => messages.push(`${kind}: ${text}`),
      interrupted: () => false,
      whenLong: () => undefined,
    },
  );
  const root = `${storeDir}/${standIn}-source`;
  const tree: PlacedTree = { directory, isRevision: false, since: 0, fileList };
  const rev = { rev: "1234567", revCount: 3n, submodules: false, elsewhere: storePath };
  const known: Record<string, PlainData> = {
    ...rev,
    narHash,
    lastModified,
    lastModifiedDate: "20231114221320",
    outPath: { string: storePath, context: [{ kind: "opaque", path: storePath }] },
  };
  const facts: Record<string, PlainData> = { ...rev };
  for (const fact of ["narHash", "lastModified", "lastModifiedDate", "outPath"] as const)
    facts[fact] = { fact, of: root };
  const flake: Record<string, PlainData> = inPlace
    ? { dir: "", sourceInfo: { attrs: facts }, root: { path: root } }
    : { dir: "", sourceInfo: { attrs: known } };
  const attempt = (request: Request): unknown => {
    try {
      return session.answer(request);
    } catch (error) {
      return { error: session.errorData(error) };
    }
  };
  const name = { root: directory, kind: "work-tree" } as const;
  session.answer(inPlace ? { op: "allowPath", path: root, name, tree } : { op: "allowPath", path: storePath, name });
  const path = inPlace ? root : storePath;
  session.answer({ op: "evaluate", source: { kind: "file", path: `${path}/flake.nix` }, literalSet: true });
  const call = session.answer({
    op: "evaluate",
    source: { kind: "string", text: callFlake, directory: "/" },
  }) as number;
  const fetchTree = session.answer({ op: "internalBuiltin", name: "fetchFinalTree" }) as number;
  const flakeOfTree = session.answer({ op: "internalBuiltin", name: "flakeOfTree" }) as number;
  const overrides: PlainData = { attrs: { root: { attrs: flake } } };
  const value = session.answer({
    op: "call",
    callee: call,
    args: [lockText, overrides, { handle: fetchTree }, { handle: flakeOfTree }],
  }) as number;
  const answers = names.map((name) => {
    const found = attempt({ op: "attribute", value, name });
    if (typeof found !== "number") return found;
    return [
      attempt({ op: "print", value: found, form: { kind: "nix" } }),
      attempt({ op: "print", value: found, form: { kind: "json" } }),
    ];
  });
  return { answers, messages, isStored };
}

/** The outputs that need no store path in place. */
const unstored = new Set([
  "names of self",
  "names of sourceInfo",
  "throw in a file",
  "error with a value",
  "missing attribute",
  "missing file",
  "untracked file",
  "untracked file is not there",
  "syntax error",
  "interpolated part",
  "interpolated file",
  "path of a directory",
  "path of one file",
  "hashFile",
  "text and path",
  "import",
  "lower file",
  "readDir",
  "readDir below",
  "readFile",
  "readFile has no context",
  "readFileType",
  "link to nothing",
  "is it there",
  "derivation with an error",
  "derivation without its tree",
  "error with a path",
  "warning of the parser",
  "equal paths",
  "path with a name",
  "out of the tree",
  "the store itself",
  "another file",
  "self in self",
  "context from elsewhere",
]);

test.each(Object.keys(ways))("%s is the same in place", (name) => {
  const inPlace = evaluated([name], true);
  const stored = evaluated([name], false);
  expect({ ...inPlace, isStored: false }).toEqual(stored);
  expect(JSON.stringify(inPlace)).not.toContain(standIn);
  expect([name, inPlace.isStored]).toEqual([name, !unstored.has(name)]);
});

const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("outputs in any order are the same in place, before and after the tree is in the store", () => {
  console.log(`fuzz seed of outputs: ${seed} (FIRN_FUZZ_SEED repeats it)`);
  const random = randomFrom(seed);
  const names = Object.keys(ways);
  for (let round = 0; round < 40; round++) {
    const chosen = Array.from({ length: 8 }, () => names[Math.floor(random() * names.length)]!);
    const inPlace = evaluated(chosen, true);
    expect([chosen, { ...inPlace, isStored: false }]).toEqual([chosen, evaluated(chosen, false)]);
  }
});

// ---- the commands: two places, one of which copies everything first

let place: Place;
let copying: Place;
beforeAll(() => {
  place = makePlace();
  copying = makePlace();
});
afterAll(() => {
  place.remove();
  copying.remove();
});

function git(directory: string, ...args: string[]): string {
  const person = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"];
  return execFileSync("git", [...person, ...args], {
    cwd: directory,
    env: { ...place.environment, GIT_CONFIG_NOSYSTEM: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  })
    .toString()
    .trim();
}

/** Makes a repository with files, all of them committed. */
function repository(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(place.directory, "work", name);
  mkdirSync(directory, { recursive: true });
  git(directory, "init", "--quiet", "--initial-branch=master");
  write(directory, files);
  git(directory, "add", ".");
  git(directory, "commit", "--quiet", "--message=a");
  return directory;
}

/** The paths in the store of a place. */
function stored({ store }: Place): string[] {
  const directory = join(store, "nix/store");
  return existsSync(directory) ? readdirSync(directory).filter((name) => !name.startsWith(".")) : [];
}

/** Runs a command in place, and once more with the tree copied first; returns the outcome, which is that of both. */
async function same(directory: string, ...args: string[]): Promise<Outcome> {
  const inPlace = await place.firnWith({ cwd: directory }, ...args);
  process.env._FIRN_TREES_TO_STORE = "1";
  try {
    const first = await copying.firnWith({ cwd: directory }, ...args);
    expect({ ...inPlace, err: inPlace.err.replaceAll(place.store, "") }).toEqual({
      ...first,
      err: first.err.replaceAll(copying.store, ""),
    });
  } finally {
    delete process.env._FIRN_TREES_TO_STORE;
  }
  return inPlace;
}

const small = {
  "flake.nix": `{
  description = "small";
  outputs = { self }: {
    x = import ./sub/number.nix;
    path = ./sub;
    text = "\${./.}";
    bad = throw "at \${toString 1}";
    facts = removeAttrs self.sourceInfo [ "outPath" ];
    drv = derivation { name = "d"; system = "x86_64-linux"; builder = "/bin/sh"; src = self; part = ./sub; };
  };
}
`,
  "sub/number.nix": "1\n",
  "sub/flake.nix": "{ outputs = { self }: { y = ./.; n = import ./number.nix; }; }\n",
};

/** Compares the outputs of the small flake. */
async function sameOutputs(directory: string, reference: string): Promise<void> {
  const before = stored(place).length;
  expect(await same(directory, "eval", `${reference}#x`)).toMatchObject({ code: 0, out: "1\n" });
  expect(await same(directory, "eval", `${reference}#bad`)).toMatchObject({ code: 1 });
  expect(stored(place).length).toBe(before);
  for (const name of ["facts", "drv.drvPath"]) {
    expect(await same(directory, "eval", `${reference}#${name}`)).toMatchObject({ code: 0 });
  }
  const { out } = await same(directory, "eval", `${reference}#path`);
  expect(readFileSync(join(place.store, out.trim(), "number.nix"), "utf8")).toBe("1\n");
}

test("a clean work tree", async () => {
  const directory = repository("clean \u0434\u0435\u0440\u0435\u0432\u043e", small);
  await sameOutputs(directory, ".");
  expect(await same(directory, "flake", "metadata", "--json")).toMatchObject({ code: 0 });
  expect(await same(directory, "flake", "show")).toMatchObject({ code: 0 });
});

test("a dirty work tree", async () => {
  const directory = repository("dirty", small);
  write(directory, { "sub/more.nix": "2\n", "untracked.nix": "3\n" });
  git(directory, "add", "sub/more.nix");
  await sameOutputs(directory, ".");
  write(directory, { "sub/number.nix": "1\n# changed\n" });
  expect(await same(directory, "eval", ".#drv.drvPath")).toMatchObject({ code: 0 });
  rmSync(join(directory, "sub/more.nix"));
  expect(await same(directory, "eval", ".#text")).toMatchObject({ code: 0 });
});

test("a directory that is no work tree", async () => {
  const directory = join(place.directory, "work/plain");
  write(directory, small);
  await sameOutputs(directory, ".");
  expect(await same(directory, "flake", "show")).toMatchObject({ code: 0 });
});

test("a flake below the root of its tree, and one in the tree of another", async () => {
  const parent = `{ inputs.below.url = "path:./sub"; outputs = { self, below }: { y = below.y; n = below.n; }; }\n`;
  const directory = repository("below", {
    ...small,
    "parent/flake.nix": parent,
    "parent/sub/flake.nix": small["sub/flake.nix"],
    "parent/sub/number.nix": "4\n",
  });
  const before = stored(place).length;
  expect(await same(directory, "eval", ".?dir=sub#n")).toMatchObject({ code: 0, out: "1\n" });
  expect(stored(place).length).toBe(before);
  expect(await same(directory, "eval", ".?dir=sub#y")).toMatchObject({ code: 0 });
  const unlocked = ["eval", "--no-write-lock-file", ".?dir=parent#n"];
  expect(await same(directory, ...unlocked)).toMatchObject({ code: 0, out: "4\n" });
  expect(await place.firnWith({ cwd: directory }, "flake", "lock", "./parent")).toMatchObject({ code: 0 });
  expect(await same(directory, "eval", ".?dir=parent#n")).toMatchObject({ code: 0, out: "4\n" });
  expect(await same(directory, "eval", ".?dir=parent#y")).toMatchObject({ code: 0 });
});

test("a work tree with submodules", async () => {
  const inner = repository("inner", { "number.nix": "5\n" });
  const directory = repository("outer", {
    "flake.nix": `{ inputs.self.submodules = true; outputs = { self }: { x = import ./inner/number.nix; y = self.narHash; }; }\n`,
  });
  git(directory, "submodule", "--quiet", "add", inner, "inner");
  git(directory, "commit", "--quiet", "--message=b");
  expect(await same(directory, "eval", ".#x")).toMatchObject({ code: 0, out: "5\n" });
  expect(await same(directory, "eval", ".#y")).toMatchObject({ code: 0 });
  expect(await same(directory, "eval", ".?submodules=0#x")).toMatchObject({ code: 1 });
});

test.each(["clean", "dirty", "path"])("nothing but what is imported is read of a tree that is %s", async (kind) => {
  const directory = repository(`unread-${kind}`, { ...small, "large/file": "large" });
  if (kind === "dirty") write(directory, { "sub/number.nix": "1\n#\n" });
  if (kind === "path") {
    // What is opened for reading blocks until somebody writes to it; Git tracks no such file.
    rmSync(join(directory, "large/file"));
    execFileSync("mkfifo", [join(directory, "large/file")]);
  }
  const before = stored(place);
  const reference = kind === "path" ? "path:." : ".";
  expect(await place.firnWith({ cwd: directory }, "eval", `${reference}#x`)).toMatchObject({ code: 0, out: "1\n" });
  expect(stored(place)).toEqual(before);
});

test("answers about a tree are kept as long as what was read of it is as it was", async () => {
  const slow = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) 500000)";
  const flake = `{ outputs = { self }: builtins.seq (${slow}) { x = import ./x.nix; y = toString ./.; }; }\n`;
  const directory = repository("kept", { "flake.nix": flake, "x.nix": "1\n", other: "other\n" });
  const evaluated = async (name: string): Promise<string> => {
    const { out, err } = await place.firnWith({ cwd: directory }, "eval", "--explain-cache", `.#${name}`);
    return `${out.trim().replace(/[0-9a-z]{32}/, "HASH")} ${/cache: evaluating/.test(err) ? "new" : "kept"}`;
  };
  // Files count by their times two seconds after they were written.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  expect([await evaluated("x"), await evaluated("x")]).toEqual(["1 new", "1 kept"]);
  expect([await evaluated("y"), await evaluated("y")]).toEqual([
    '"/nix/store/HASH-source" new',
    '"/nix/store/HASH-source" kept',
  ]);
  write(directory, { untracked: "1" });
  expect([await evaluated("x"), await evaluated("y")]).toEqual(["1 kept", '"/nix/store/HASH-source" kept']);
  write(directory, { other: "changed\n" });
  expect([await evaluated("x"), await evaluated("x")]).toEqual(["1 new", "1 kept"]);
  expect([await evaluated("y"), await evaluated("y")]).toEqual([
    '"/nix/store/HASH-source" new',
    '"/nix/store/HASH-source" kept',
  ]);
  write(directory, { other: "changed again\n", "untracked 2": "1" });
  expect([await evaluated("x"), await evaluated("y")]).toEqual(["1 kept", '"/nix/store/HASH-source" new']);
  write(directory, { "x.nix": "2\n" });
  expect(await evaluated("x")).toBe("2 new");
});
