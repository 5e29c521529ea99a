/** Kills a process that works on a store before each of its steps in turn, opens the store again and checks it. */
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sandboxWorks } from "@firn/build";
import { copyClosure, offered, openStore, removePath, Settings, verifyStore } from "@firn/store";
import { currentManifest } from "@firn/system";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachStep } from "./each-step.ts";
import { openTestStore, prepare, profileOf, type Work, work } from "./work.ts";

const program = new URL("work.ts", import.meta.url).pathname;
/** Far fewer steps would mean that the seam is not where the work is. */
const LEAST_STEPS: Readonly<Record<Work, number>> = {
  add: 40,
  collect: 12,
  build: 80,
  substitute: 25,
  profile: 40,
  copy: 15,
  optimise: 12,
  repair: 25,
  export: 5,
  import: 25,
  migrate: 12,
};

let top: string;

beforeAll(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-crash-"));
});

afterAll(() => removePath(top));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Works in a child of its own; with a limit it is killed before that step. */
function runChild(root: string, kind: Work, limit?: number): Promise<Ended> {
  const args = [program, root, kind, ...(limit === undefined ? [] : [String(limit)])];
  const env = { ...process.env, TMPDIR: path.join(root, "tmp"), NODE_COMPILE_CACHE: path.join(top, "code") };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("latin1")));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** The valid paths of a store that must be whole. */
async function check(root: string): Promise<Set<string>> {
  const store = await openTestStore(root);
  try {
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
    const valid = await store.queryAllValidPaths();
    for (const item of valid) expect(fs.existsSync(store.realPath(item)), item).toBe(true);
    return new Set(valid);
  } finally {
    await store.close();
  }
}

/** The valid paths of a store in which one path is damaged, good or just being replaced, never in part; the path that refers to it is whole. */
async function checkBesideDamage(root: string): Promise<Set<string>> {
  const store = await openTestStore(root);
  try {
    const valid = await store.queryAllValidPaths();
    expect(await store.isIntact(valid.find((item) => item.endsWith("-outer")) ?? "")).toBe(true);
    const inner = store.realPath(valid.find((item) => item.endsWith("-inner")) ?? "");
    if (fs.existsSync(inner)) expect(fs.readdirSync(inner).map(String), inner).toEqual(["a", "d"]);
    return new Set(valid);
  } finally {
    await store.close();
  }
}

/** The paths of a file cache, each of which can be had from it with those that it refers to. */
async function checkCache(root: string): Promise<string[]> {
  const directory = path.join(root, "copy");
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  const cache = await openStore(`file://${directory}`, { settings: new Settings() });
  const index = offered(cache, "hashParts");
  const paths: string[] = [];
  for (const name of names.filter((item) => item.endsWith(".narinfo"))) {
    const found = await index.queryPathFromHashPart(name.slice(0, 32));
    paths.push(found ?? `nothing in ${name}`);
  }
  const place = path.join(root, "from-copy");
  removePath(place);
  const store = await openTestStore(place);
  try {
    await copyClosure(paths, { from: cache, to: store, checkSignatures: false });
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
  } finally {
    await store.close();
    await cache.close();
    removePath(place);
  }
  return paths.sort();
}

/** The number of files that share their contents with others. */
function sharedFiles(root: string): number {
  const links = path.join(root, "nix/store/.links");
  return fs.readdirSync(links).filter((name) => fs.lstatSync(path.join(links, name)).nlink > 2).length;
}

/** What besides the paths of the store the work leaves, when it is done. */
async function result(root: string, kind: Work): Promise<unknown> {
  if (kind === "profile") return profileElements(root);
  if (kind === "copy") return checkCache(root);
  if (kind === "optimise") return sharedFiles(root);
  if (kind === "export") return fs.readFileSync(path.join(root, "exported"), "latin1");
  return undefined;
}

async function profileElements(root: string): Promise<string[]> {
  const store = await openTestStore(root);
  try {
    const target = fs.readlinkSync(profileOf(root));
    const link = fs.readlinkSync(path.join(path.dirname(profileOf(root)), target));
    expect(await store.isValidPath(link)).toBe(true);
    return [...(await currentManifest({ store }, profileOf(root))).keys()].sort();
  } finally {
    await store.close();
  }
}

/** Nothing lies about in the store but what is valid, once the garbage is gone. */
async function checkClean(root: string): Promise<void> {
  const store = await openTestStore(root);
  try {
    await store.collectGarbage({ action: "delete-dead" });
    const valid = (await store.queryAllValidPaths()).map((item) => path.basename(item));
    expect(fs.readdirSync(path.join(root, "nix/store")).sort()).toEqual([".links", ...valid].sort());
  } finally {
    await store.close();
  }
}

/** Plain run first, then one killed before each of its steps. */
async function killEverywhere(kind: Work): Promise<void> {
  const plain = path.join(top, kind);
  await prepare(plain, kind);
  const checked = kind === "repair" ? checkBesideDamage : check;
  // Looking at an old store would bring it up to date.
  const before = kind === "add" || kind === "migrate" ? new Set<string>() : await checked(plain);
  const ended = await runChild(plain, kind);
  expect(ended).toMatchObject({ code: 0, err: "" });
  const steps = ended.out.split("\n");
  expect(steps.length).toBeGreaterThan(LEAST_STEPS[kind]);
  const after = await check(plain);
  const wanted = await result(plain, kind);
  await forEachStep(steps.length, async (step) => {
    const where = `killed before step ${step}: ${steps[step]}`;
    const root = path.join(top, `${kind}${step}`);
    await prepare(root, kind);
    const killed = await runChild(root, kind, step);
    expect([killed.signal, killed.err], where).toEqual(["SIGKILL", ""]);
    const valid = await checked(root);
    if (kind !== "collect") for (const item of before) expect(valid, where).toContain(item);
    if (kind === "profile") expect([["old"], ["new", "old"]], where).toContainEqual(await profileElements(root));
    if (kind === "copy") await checkCache(root);
    await work(root, kind);
    expect(await check(root), where).toEqual(after);
    expect(await result(root, kind), where).toEqual(wanted);
    await checkClean(root);
    removePath(root);
  });
}

describe("a process killed before any of its steps leaves a whole store and can be run again", () => {
  it("while it makes a store and adds to it", () => killEverywhere("add"));
  it("while it deletes garbage", () => killEverywhere("collect"));
  it("while it substitutes from a cache", () => killEverywhere("substitute"));
  it("while it switches a profile, which is the old or the new and never none", () => killEverywhere("profile"));
  it("while it copies to a file cache, which offers only what it has", () => killEverywhere("copy"));
  it("while it replaces equal files by links", () => killEverywhere("optimise"));
  it("while it makes a damaged path good", () => killEverywhere("repair"));
  it("while it exports", () => killEverywhere("export"));
  it("while it imports", () => killEverywhere("import"));
  it("while it brings an old database up to date", () => killEverywhere("migrate"));
  it.skipIf(!sandboxWorks())("while it builds in the sandbox and registers", () => killEverywhere("build"), 300_000);
});

/** System calls that change files, as strace names them. */
const CALLS =
  "open,openat,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,?fchmodat2,chown,lchown,fchown,fchownat,utimensat,futimesat,utimes,utime,write,pwrite64,writev,pwritev,fsync,fdatasync,truncate,ftruncate,copy_file_range,sendfile,fallocate";

/** The database's own files (SQL is the step), the socket that Node deletes with its server, and this test's own report. */
const IGNORED = /\/db(?:\/db\.sqlite(?:-[a-z]+)?)?[">]|^unlink\(".*\/gc-socket\/socket"|^write\(1</;

/** Changing calls that the threads of the first process made on files below `directory`. */
function changingCalls(trace: string, directory: string): string[] {
  const lines = trace.split("\n").map((line) => /^(\d+) +(.*)$/.exec(line));
  const own = new Set([lines[0]?.[1] ?? ""]);
  const calls: string[] = [];
  for (const match of lines) {
    const [, thread, call] = match ?? [];
    if (thread === undefined || call === undefined || !own.has(thread)) continue;
    // A thread of ours; children get ids of their own and are the steps `spawn`.
    const child =
      /^(?:clone|clone3)\(.*CLONE_THREAD.*=> \{parent_tid=\[(\d+)\]|^(?:clone|clone3)\(.*CLONE_THREAD.* = (\d+)/.exec(
        call,
      );
    if (child !== null) own.add(child[1] ?? child[2] ?? "");
    if (/^(?:clone|clone3|fork|vfork)\(|^<\.\.\./.test(call)) continue;
    if (/^(?:open|openat)\(/.test(call) && !/O_CREAT|O_TRUNC/.test(call)) continue;
    // Names relative to an open directory; all that are changed lie below this one.
    const held = call.includes('"/proc/self/fd/');
    if (IGNORED.test(call) || !(held || call.includes(`${directory}/`))) continue;
    calls.push(call);
  }
  return calls;
}

const straced = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0;

describe.skipIf(!straced)("the seam sees every changing system call", () => {
  it.each<Work>([
    ...(["add", "collect", "substitute", "profile", "copy", "optimise", "repair", "import"] as const),
    ...(sandboxWorks() ? (["build"] as const) : []),
  ])("of %s", async (kind) => {
    const root = path.join(top, `traced-${kind}`);
    await prepare(root, kind);
    const log = path.join(top, `${kind}.strace`);
    const options = ["-f", "-y", "-s", "400", "-o", log, "-e", `trace=${CALLS},clone,clone3,fork,vfork`];
    const env = { ...process.env, TMPDIR: path.join(root, "tmp") };
    const result = spawnSync("strace", [...options, process.execPath, program, root, kind], {
      env,
      encoding: "latin1",
    });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const seen = result.stdout.split("\n").filter((step) => step.includes(`${root}/`));
    const calls = changingCalls(fs.readFileSync(log, "latin1"), root);
    expect(calls.length).toBeGreaterThan(8);
    expect(seen.length, `${calls.join("\n")}\n---\n${seen.join("\n")}`).toBeGreaterThanOrEqual(calls.length);
  });
});
