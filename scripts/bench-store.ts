/**
 * Runs Firn (bundled) and the reference in turn on the same work with stores and prints a row of a table for each: Firn's wall, CPU
 * and memory divided by the reference's, medians of the runs. Runs as root. Needs what measure.ts needs.
 *
 *   node scripts/bench-store.ts [--pairs N] [--nixpkgs DIRECTORY] [--directory DIRECTORY] [--file-size MB] [--files N] [--paths N]
 *     [--builds N] [--queries N] [--delay MS] [NAME...]
 *
 * With `--directory` what is made for the works is kept there for the next run.
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { firnCommand, measure, median, referenceCommand, type Sample } from "./measure.ts";
import { randomFrom } from "./random.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: "string", default: "5" },
    nixpkgs: { type: "string" },
    directory: { type: "string" },
    "file-size": { type: "string", default: "400" },
    files: { type: "string", default: "10000" },
    paths: { type: "string", default: "20000" },
    builds: { type: "string", default: "300" },
    queries: { type: "string", default: "3000" },
    delay: { type: "string", default: "20" },
  },
});
const directory = values.directory ?? mkdtempSync(join(tmpdir(), "firn-bench-store-"));
const place = (...names: string[]): string => join(directory, ...names);

/** Collectors read what all processes have open, and must not stumble over those of others. */
const ownProcesses = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Both use stores in the same way: everything of a store lies below one directory, paths in it begin with `DIRECTORY/store`. */
function environmentOf(store: string, settings = ""): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOME: place("home"),
    NODE_COMPILE_CACHE: place("compiled"),
    FIRN_CODE_CACHE: place("code"),
    NIX_REMOTE: "local",
    NIX_STORE_DIR: join(store, "store"),
    NIX_STATE_DIR: join(store, "state"),
    NIX_LOG_DIR: join(store, "log"),
    NIX_CONF_DIR: place("etc"),
    NIX_CONFIG: `build-users-group =\nexperimental-features = nix-command flakes\nsubstituters =\neval-cache = false\n${settings}\n`,
    REAL_NIX_BIND: [directory, values.nixpkgs ?? ""].join(":"),
  };
}

function emptied(name: string): string {
  rmSync(place(name), { recursive: true, force: true });
  mkdirSync(place(name));
  return place(name);
}

/** Makes something once, under its name and the sizes that it depends on. */
async function made(name: string, make: (path: string) => Promise<void> | void): Promise<string> {
  const path = place(name);
  const done = `${path}.done`;
  if (!existsSync(done)) {
    rmSync(path, { recursive: true, force: true });
    await make(path);
    writeFileSync(done, "");
  }
  return path;
}

/** What is measured works in this store; it is emptied before each run. */
const fresh = place("fresh");

function copyStore(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-a", from, to]);
}

/** Makes a store once; it must be copied to `fresh` to be used, since its database has the paths of that place. */
const madeStore = (name: string, make: () => Promise<void>): Promise<string> =>
  made(name, async (path) => {
    emptied("fresh");
    await make();
    copyStore(fresh, path);
  });

const reference = async (words: readonly string[], store: string, settings?: string): Promise<string> =>
  (await measure(referenceCommand(words), { cwd: directory, env: environmentOf(store, settings) })).output;

/** Half of it as text, half of it without any order, in pieces of 64 KB. */
function* contents(size: number, seed: number): Generator<Uint8Array> {
  const random = randomFrom(seed);
  const piece = 1 << 16;
  const words = Array.from({ length: 4000 }, () => Math.floor(random() * 1e12).toString(36));
  for (let at = 0, index = 0; at < size; at += piece, index++) {
    const bytes = Buffer.alloc(Math.min(piece, size - at));
    if (index % 2 === 0) for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.writeUInt32LE(random() * 2 ** 32, i);
    else for (let i = 0; i < bytes.length; ) i += bytes.write(`${words[Math.floor(random() * words.length)]} `, i) || 1;
    yield bytes;
  }
}

const largeFile = (): Promise<string> =>
  made(`large-${values["file-size"]}`, (path) => {
    const fd = openSync(path, "w");
    for (const bytes of contents(Number(values["file-size"]) * 1_000_000, 1)) writeSync(fd, bytes);
    closeSync(fd);
  });

const smallFiles = (): Promise<string> =>
  made(`small-${values.files}`, (path) => {
    const random = randomFrom(2);
    for (let i = 0; i < Number(values.files); i++) {
      if (i % 100 === 0) mkdirSync(join(path, `d${i / 100}`), { recursive: true });
      const size = Math.floor(random() * 8000);
      const [first = Buffer.alloc(0)] = contents(size, i);
      writeFileSync(join(path, `d${Math.floor(i / 100)}`, `file-${i}`), first);
    }
  });

const addFile = async (): Promise<string[]> => ["store", "add", "--name", "large", await largeFile()];
const addTree = async (): Promise<string[]> => ["store", "add", "--name", "small", await smallFiles()];

/** A store with the large file and the small ones; the file `paths` beside them names their store paths. */
const bothStore = (): Promise<string> =>
  made(`both-${values["file-size"]}-${values.files}`, async (path) => {
    const paths = [];
    for (const words of [await addFile(), await addTree()]) paths.push(await reference(["nix", ...words], path));
    writeFileSync(join(path, "paths"), paths.join("\n"));
  });

const pathsOf = (store: string): string[] => readFileSync(join(store, "paths"), "utf8").split("\n");

/** A cache with the large file and the small ones. */
const bothCache = (compression: string): Promise<string> =>
  made(`cache-${compression}-${values["file-size"]}-${values.files}`, async (path) => {
    const store = await bothStore();
    await reference(["nix", "copy", "--to", `file://${path}?compression=${compression}`, ...pathsOf(store)], store);
  });

/** A store with text files that nothing keeps, each of which refers to another one. */
const manyStore = (): Promise<string> =>
  madeStore(`many-${values.paths}`, async () => {
    const file = place("many.nix");
    writeFileSync(
      file,
      `let
        text = i: builtins.toFile "text-\${toString i}" "\${toString i} \${if i == 0 then "" else builtins.elemAt all (i / 2)}";
        all = builtins.genList text ${values.paths};
      in all\n`,
    );
    await reference(["nix-instantiate", "--eval", "--strict", "--read-write-mode", file], fresh);
  });

function nixpkgs(): string {
  if (values.nixpkgs === undefined) throw new Error("this work needs --nixpkgs");
  return values.nixpkgs;
}

/** A store with the derivation of hello and all that it needs. */
const helloStore = (): Promise<string> =>
  madeStore("hello", async () => {
    await reference(["nix-instantiate", nixpkgs(), "-A", "hello"], fresh);
  });

/** The trivial builds and one that joins them. */
const builds = (): Promise<string> =>
  made(`builds-${values.builds}.nix`, (path) =>
    writeFileSync(
      path,
      `let
        make = name: text: derivation { inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" text ]; };
        each = builtins.genList (i: make "trivial-\${toString i}" "echo \${toString i} > $out") ${values.builds};
      in make "joined" "echo \${toString each} > $out"\n`,
    ),
  );

/** A file cache whose paths are asked for. */
const askedCache = (): Promise<string> =>
  made(`asked-${values.queries}`, async (path) => {
    const store = `${path}-store`;
    mkdirSync(store, { recursive: true });
    const file = join(store, "asked.nix");
    writeFileSync(
      file,
      `map (i: builtins.toFile "text-\${toString i}" "") (builtins.genList (i: i) ${values.queries})\n`,
    );
    await reference(["nix-instantiate", "--eval", "--strict", "--read-write-mode", file], store);
    await reference(["nix", "copy", "--all", "--to", `file://${path}?compression=none`], store);
  });

/** What one run of a work is. */
interface Run {
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

interface Work {
  readonly name: string;
  /** The ratio of wall times that is wanted at most. */
  readonly wanted: number;
  /** Makes ready for one run; words of new commands begin with what follows `nix`. */
  run(): Promise<Run>;
  /** Whether the program is `nix`; otherwise the first word names it. */
  readonly old?: boolean;
  /** Whether both must print the same. */
  readonly sameOutput?: boolean;
}

const compressions = [
  { compression: "none", wanted: 1 },
  { compression: "zstd", wanted: 1 },
  { compression: "xz", wanted: 0.8 },
];
const hostPrograms = "sandbox-paths = /bin /usr /lib /lib64";

const building = (name: string, wanted: number, settings: string): Work => ({
  name,
  wanted,
  old: true,
  async run() {
    const words = ["nix-build", await builds(), "--no-out-link", "-j", "2"];
    return { words, env: environmentOf(emptied("fresh"), settings) };
  },
  sameOutput: true,
});

const instantiatingHello = (name: string, keepsCode: boolean): Work => ({
  name,
  wanted: 1,
  old: true,
  async run() {
    const env = environmentOf(emptied("fresh"));
    if (!keepsCode) rmSync(place("code"), { recursive: true, force: true });
    return { words: ["nix-instantiate", nixpkgs(), "-A", "hello"], env };
  },
  sameOutput: true,
});

const onCopy = (
  name: string,
  store: () => Promise<string>,
  { wanted, words }: { readonly wanted: number; readonly words: readonly string[] },
): Work => ({
  name,
  wanted,
  async run() {
    copyStore(await store(), fresh);
    return { words, env: environmentOf(fresh) };
  },
  sameOutput: true,
});

const works: Work[] = [
  {
    name: "add-file",
    wanted: 1,
    run: async () => ({ words: await addFile(), env: environmentOf(emptied("fresh")) }),
    sameOutput: true,
  },
  {
    name: "add-tree",
    wanted: 0.9,
    run: async () => ({ words: await addTree(), env: environmentOf(emptied("fresh")) }),
    sameOutput: true,
  },
  ...compressions.map(
    ({ compression, wanted }): Work => ({
      name: `copy-to-${compression}`,
      wanted,
      async run() {
        const store = await bothStore();
        const url = `file://${emptied("cache")}?compression=${compression}`;
        return { words: ["copy", "--to", url, ...pathsOf(store)], env: environmentOf(store) };
      },
    }),
  ),
  ...compressions.map(
    ({ compression }): Work => ({
      name: `copy-from-${compression}`,
      wanted: 1,
      async run() {
        // Paths of the cache begin with the directory of the store that it was made from.
        const store = await bothStore();
        const url = `file://${await bothCache(compression)}`;
        const state = emptied("fresh");
        const root = `local?root=${state}&store=${join(store, "store")}`;
        const words = ["copy", "--no-check-sigs", "--from", url, "--to", root, ...pathsOf(store)];
        return { words, env: environmentOf(store) };
      },
    }),
  ),
  {
    name: "verify",
    wanted: 0.7,
    run: async () => ({ words: ["store", "verify", "--all", "--no-trust"], env: environmentOf(await bothStore()) }),
  },
  {
    name: "check-contents",
    wanted: 0.7,
    old: true,
    run: async () => ({ words: ["nix-store", "--verify", "--check-contents"], env: environmentOf(await bothStore()) }),
  },
  instantiatingHello("hello", true),
  instantiatingHello("hello-cold", false),
  onCopy("path-info-hello", helloStore, { wanted: 1.3, words: ["path-info", "--all", "--json"] }),
  onCopy("path-info-many", manyStore, { wanted: 1.3, words: ["path-info", "--all", "--json"] }),
  onCopy("collect-hello", helloStore, { wanted: 1, words: ["store", "gc"] }),
  onCopy("collect-many", manyStore, { wanted: 1, words: ["store", "gc"] }),
  building("builds", 0.3, "sandbox = false"),
  building("builds-sandboxed", 1, `sandbox = true\n${hostPrograms}`),
  {
    name: "queries",
    wanted: 0.5,
    async run() {
      const asked = await askedCache();
      rmSync(place("home/.cache/nix"), { recursive: true, force: true });
      const paths = readdirSync(asked)
        .filter((name) => name.endsWith(".narinfo"))
        .map((name) => /^StorePath: (.*)$/m.exec(readFileSync(join(asked, name), "utf8"))![1]!);
      const url = `http://127.0.0.1:${await delayingServer(asked)}`;
      return { words: ["path-info", "--store", url, ...paths], env: environmentOf(`${asked}-store`) };
    },
    sameOutput: true,
  },
];

let serving: Promise<number> | undefined;
/** Serves a directory, each answer after the delay of the link; returns the port. */
function delayingServer(served: string): Promise<number> {
  serving ??= new Promise((resolve) => {
    const server = createServer((request, response) => {
      const file = join(served, new URL(request.url ?? "/", "http://localhost").pathname);
      setTimeout(() => {
        if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
        else response.writeHead(404).end();
      }, Number(values.delay));
    });
    server.listen(0, "127.0.0.1", () => {
      server.unref();
      resolve((server.address() as AddressInfo).port);
    });
  });
  return serving;
}

for (const name of ["home", "etc"]) mkdirSync(place(name), { recursive: true });
const unknown = positionals.filter((name) => !works.some((work) => work.name === name));
if (unknown.length > 0) throw new Error(`no such work: ${unknown.join(", ")}; there are ${works.map((w) => w.name)}`);
console.log("| work | wall | wanted | CPU | memory | Firn | reference |\n| --- | --- | --- | --- | --- | --- | --- |");
for (const work of works) {
  if (positionals.length > 0 && !positionals.includes(work.name)) continue;
  const once = async (command: (words: readonly string[]) => string[], old: readonly string[]): Promise<Sample> => {
    const { words, env } = await work.run();
    // What was written before would be written during the run.
    execFileSync("sync");
    return measure([...ownProcesses, ...command([...(work.old === true ? [] : old), ...words])], {
      cwd: directory,
      env,
    });
  };
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  // The first run compiles Firn's code and brings files into memory.
  await once(firnCommand, []);
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    ours.push(await once(firnCommand, []));
    theirs.push(await once(referenceCommand, ["nix"]));
  }
  if (work.sameOutput === true && ours[0]?.output !== theirs[0]?.output) {
    throw new Error(`${work.name}: Firn printed ${ours[0]?.output}, the reference ${theirs[0]?.output}`);
  }
  const ratio = (of: (sample: Sample) => number): string => (median(ours, of) / median(theirs, of)).toFixed(2);
  const figures = (samples: readonly Sample[]): string =>
    `${median(samples, (s) => s.wall).toFixed(2)} s, ${median(samples, (s) => s.memory).toFixed(0)} MB`;
  const cells = [
    work.name,
    ratio((s) => s.wall),
    work.wanted.toFixed(1),
    ratio((s) => s.cpu),
    ratio((s) => s.memory),
    figures(ours),
    figures(theirs),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
if (values.directory === undefined) rmSync(directory, { recursive: true });
