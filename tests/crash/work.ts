/** What a process does to a store before it is killed: `node work.ts ROOT KIND STEP`; without STEP it tells its steps. */
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buildPaths } from "@firn/build";
import {
  bytesOf,
  type Derivation,
  derivationStorePath,
  fillOutputPaths,
  type MemoryNode,
  narOfMemory,
} from "@firn/formats";
import {
  copyClosure,
  exportPaths,
  importPaths,
  LocalStore,
  offered,
  openStore,
  openSubstituters,
  repairPath,
  Settings,
  storeLocation,
  verifyStore,
} from "@firn/store";
import { changeProfile, elementIdentifier } from "@firn/system";
import { interceptSteps } from "./seam.ts";

const tree = narOfMemory({
  kind: "directory",
  entries: new Map<string, MemoryNode>([
    ["a", { kind: "regular", executable: true, contents: bytesOf("x".repeat(100_000)) }],
    ["d", { kind: "directory", entries: new Map([["l", { kind: "symlink", target: "../a" }]]) }],
  ]),
});

/** Kinds of work. */
export type Work =
  | "add"
  | "collect"
  | "build"
  | "substitute"
  | "profile"
  | "copy"
  | "optimise"
  | "repair"
  | "export"
  | "import"
  | "migrate";

/** Opens the store of these tests. */
export function openTestStore(root: string): Promise<LocalStore> {
  return LocalStore.open({ location: storeLocation({ rootDir: root }), reservedSpace: 10, requireSigs: false });
}

/** The profile of these tests. */
export const profileOf = (root: string): string => path.join(root, "profiles/p");

function settingsOf(root: string): Settings {
  const settings = new Settings();
  const host = ["/bin", "/lib", "/lib64", "/usr"].filter((item) => fs.existsSync(item));
  settings.set("sandbox-paths", host.join(" "));
  settings.set("substituters", fs.existsSync(`${root}/cache`) ? `file://${root}/cache` : "");
  return settings;
}

async function add(store: LocalStore): Promise<string> {
  const inner = await store.addContent(() => tree, { name: "inner" });
  return store.addTextToStore("outer", inner.path, [inner.path]);
}

/** Returns the paths that {@link add} adds, each after those it refers to. */
export const addedPaths = async (store: LocalStore): Promise<string[]> =>
  (await store.queryAllValidPaths()).sort((a, b) => Number(a.endsWith("-outer")) - Number(b.endsWith("-outer")));

/** Damages a file of the path `inner`. */
async function damage(store: LocalStore): Promise<void> {
  const [inner] = await addedPaths(store);
  const file = `${store.realPath(inner!)}/a`;
  fs.chmodSync(file, 0o755);
  fs.appendFileSync(file, "damage");
  fs.chmodSync(file, 0o555);
}

/** Gives a closed store the tables of version 7, the oldest that differs from its successors in every way. */
function makeOld(root: string): void {
  const directory = storeLocation({ rootDir: root }).stateDir;
  const database = new DatabaseSync(`${directory}/db/db.sqlite`);
  database.exec(
    "alter table ValidPaths drop column ca; alter table ValidPaths drop column sigs; alter table ValidPaths drop column ultimate; create table FailedPaths (path text primary key not null, time integer not null); drop table SchemaMigrations",
  );
  database.close();
  fs.writeFileSync(`${directory}/db/schema`, "7");
}

/** Exports what a store has to a file. */
async function exportTo(store: LocalStore, file: string): Promise<void> {
  const fd = fs.openSync(file, "w");
  for await (const chunk of exportPaths(store, await addedPaths(store))) fs.writeSync(fd, chunk);
  fs.closeSync(fd);
}

async function addToProfile(store: LocalStore, root: string, file: string): Promise<void> {
  const nar = narOfMemory({
    kind: "directory",
    entries: new Map([[file, { kind: "regular", executable: false, contents: bytesOf(file) }]]),
  });
  const { path: storePath } = await store.addContent(() => nar, { name: file });
  const element = { storePaths: [storePath], active: true, priority: 5 };
  await changeProfile(
    { store, profile: profileOf(root), warn: () => undefined },
    async (manifest) => new Map([...manifest, [elementIdentifier(element), element]]),
  );
}

/** A derivation with two outputs that refer to each other's neighbour, its builder being the machine's shell. */
function derivation(): Derivation {
  const deferred = { kind: "deferred" as const };
  const plain: Derivation = {
    name: "two",
    outputs: new Map([
      ["dev", deferred],
      ["out", deferred],
    ]),
    inputDrvs: new Map(),
    inputSrcs: [],
    system: new Settings().get("system"),
    builder: "/bin/sh",
    args: ["-ec", "echo hello; mkdir $out; echo x > $out/x; echo $out > $dev"],
    env: new Map([
      ["PATH", "/bin:/usr/bin"],
      ["out", ""],
      ["dev", ""],
    ]),
  };
  return fillOutputPaths(plain, {
    lookup: () => {
      throw new Error("there are no inputs");
    },
  });
}

/** What has to be there before the work begins. */
export async function prepare(root: string, kind: Work): Promise<void> {
  fs.mkdirSync(path.join(root, "tmp"), { recursive: true });
  if (kind === "add") return;
  if (kind === "substitute" || kind === "repair" || kind === "import") {
    const elsewhere = `${root}/elsewhere`;
    const source = await openTestStore(elsewhere);
    const cache = await openStore(`file://${root}/cache?compression=none`, { settings: new Settings() });
    await copyClosure([await add(source)], { from: source, to: cache });
    if (kind === "import") await exportTo(source, `${root}/exported`);
    await source.close();
  }
  const store = await openTestStore(root);
  if (["collect", "copy", "optimise", "repair", "export", "migrate"].includes(kind)) await add(store);
  if (kind === "optimise") await store.addContent(() => tree, { name: "twin" });
  if (kind === "repair") await damage(store);
  if (kind === "build") {
    const { contents, references } = derivationStorePath(derivation());
    await store.addTextToStore("two.drv", contents, references);
  }
  if (kind === "profile") await addToProfile(store, root, "old");
  await store.close();
  if (kind === "migrate") makeOld(root);
}

/** Opens a store and works on it. */
export async function work(root: string, kind: Work): Promise<void> {
  const store = await openTestStore(root);
  try {
    await workOn(store, root, kind);
  } finally {
    await store.close();
  }
}

async function workOn(store: LocalStore, root: string, kind: Work): Promise<void> {
  const settings = settingsOf(root);
  const common = { store, settings, events: () => undefined };
  switch (kind) {
    case "add":
      await add(store);
      break;
    case "collect":
      await store.collectGarbage({ action: "delete-dead" });
      break;
    case "build":
      await buildPaths([{ kind: "built", drvPath: derivationStorePath(derivation()).path, outputs: "*" }], common);
      break;
    case "substitute": {
      const substituters = await openSubstituters({ settings });
      const names = fs.readdirSync(`${root}/cache`).filter((name) => name.endsWith(".narinfo"));
      const paths = await Promise.all(
        names.map((name) => offered(substituters[0]!, "hashParts").queryPathFromHashPart(name.slice(0, 32))),
      );
      await buildPaths(
        paths.filter((item) => item !== undefined).map((item) => ({ kind: "opaque", path: item })),
        { ...common, substituters: async () => substituters },
      );
      break;
    }
    case "profile":
      await addToProfile(store, root, "new");
      break;
    case "copy": {
      const to = await openStore(`file://${root}/copy?compression=xz&write-nar-listing=true`, { settings });
      await copyClosure(await addedPaths(store), { from: store, to });
      await to.close();
      break;
    }
    case "optimise":
      await store.optimiseStore();
      break;
    case "repair": {
      const substituters = await openSubstituters({ settings });
      await verifyStore(store, { checkContents: true, repair: (item) => repairPath(store, item, substituters) });
      break;
    }
    case "export":
      await exportTo(store, `${root}/exported`);
      break;
    case "import":
      await importPaths(store, fs.createReadStream(`${root}/exported`));
      break;
    case "migrate":
      // Opening it was all.
      break;
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , root, kind, limit] = process.argv;
  let steps = 0;
  const seen: string[] = [];
  interceptSteps((step, subject) => {
    if (limit === undefined) seen.push(`${step} ${subject.replaceAll("\n", " ")}`);
    else if (steps++ === Number(limit)) process.kill(process.pid, "SIGKILL");
  });
  process.on("exit", () => process.stdout.write(seen.splice(0).join("\n")));
  await work(root!, kind as Work);
}
