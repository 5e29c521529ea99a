/**
 * Evaluates a random sample of a nixpkgs tree's packages, some well-known ones and whole systems with Firn and with the
 * reference, and names every derivation path that differs; writes the closures of two of them with both and compares each
 * file. One evaluation at a time. Needs FIRN_REAL_NIX.
 *
 *   node scripts/compare-nixpkgs.ts --nixpkgs DIR [--home-manager DIR] [--seed N] [--count N] [--batch N]
 *     [--no-fixed] [--no-closures] [--no-code-cache] [NAME...]
 *
 * Names are attribute paths ("python3Packages.numpy", "system.gnome"); given ones replace the sample and the fixed list.
 */
import { spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nixpkgs: { type: "string" },
    "home-manager": { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    count: { type: "string", default: "300" },
    batch: { type: "string", default: "50" },
    "no-fixed": { type: "boolean", default: false },
    "no-closures": { type: "boolean", default: false },
    "no-code-cache": { type: "boolean", default: false },
  },
});
if (options.nixpkgs === undefined) throw new Error("--nixpkgs names the tree");
const nixpkgs = realpathSync(options.nixpkgs);
const homeManager = options["home-manager"] === undefined ? undefined : realpathSync(options["home-manager"]);
const directory = mkdtempSync(join(tmpdir(), "firn-compare-"));
const expression = join(directory, "compare.nix");
writeFileSync(expression, readFileSync(join(root, "scripts/compare-nixpkgs.nix")));
const namesFile = join(directory, "names.json");

type Path = readonly string[];
type Side = "firn" | "reference";

const PACKAGES = ["hello", "firefox", "gimp", "libreoffice", "python3Packages.numpy", "linux", "gcc"];
const SYSTEMS = ["system.minimal", "system.nginx-jellyfin", "system.gnome", "system.plasma"];
/** Sets of packages; a tree need not have all, nor be able to list them. */
const SETS = `
  beamPackages coqPackages dotnetCorePackages emacsPackages fishPlugins gnome3 gst_all_1 haskellPackages
  idrisPackages kdeApplications kdePackages kodiPackages libsForQt5 linuxPackages llvmPackages lua53Packages
  luajitPackages nodePackages ocamlPackages octavePackages perlPackages php.extensions phpPackages
  pkgsCross.aarch64-multiplatform pkgsMusl pkgsStatic plasma5 python2Packages python3Packages qt5 qt6
  quicklispPackages rPackages rubyPackages rustPackages sbclPackages texlive tree-sitter-grammars
  typstPackages vimPlugins vscode-extensions.ms-vscode xfce xorg`;
const CLOSURES = ["hello", "system.minimal"];

function run(side: Side, args: readonly string[], remote: string | undefined) {
  const program = side === "firn" ? join(root, "firn") : (realNix ?? "");
  const { NIX_PATH: _, ...inherited } = process.env;
  const result = spawnSync(program, ["nix-instantiate", expression, ...args], {
    cwd: directory,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...inherited,
      // Filled by the first batch, used by the following ones.
      FIRN_CODE_CACHE: options["no-code-cache"] ? "" : join(directory, "code"),
      ...(remote === undefined ? {} : { NIX_REMOTE: remote }),
      NIX_CONFIG: "experimental-features = nix-command flakes\nsubstituters =\nbuild-users-group =\n",
      REAL_NIX_BIND: [directory, nixpkgs, homeManager ?? ""].join(":"),
    },
  });
  if (result.error !== undefined) throw result.error;
  return result;
}

const treeArguments = [
  "--argstr",
  "nixpkgs",
  nixpkgs,
  ...(homeManager === undefined ? [] : ["--argstr", "homeManager", homeManager]),
];

function evaluate(side: Side, attribute: string, more: readonly string[] = []) {
  const args = ["--eval", "--readonly-mode", "--strict", "-A", attribute, ...treeArguments, ...more];
  return run(side, args, "dummy://");
}

/** The last error's words, without colours and trace. */
function lastError(stderr: string): string {
  const plain = stderr.replace(/\u001b\[[0-9;]*m/g, "");
  return plain.slice(plain.lastIndexOf("error: ")).split("\n")[0] ?? "";
}

/** What one side says, and what it warned of on the way. */
interface Said {
  readonly of: readonly string[];
  readonly warnings: readonly string[];
}

/** What one side says of each path; a fatal error counts for the path it happened in, and the rest is evaluated anew. */
function describe(side: Side, paths: readonly Path[], attribute = "report"): Said {
  const found: string[] = [];
  const warnings: string[] = [];
  while (found.length < paths.length) {
    writeFileSync(namesFile, JSON.stringify(paths.slice(found.length)));
    const { status, signal, stderr } = evaluate(side, attribute, ["--argstr", "names", namesFile]);
    for (const match of stderr.matchAll(/^trace: compared \d+ (.*)$/gm)) found.push(match[1] ?? "");
    warnings.push(...(stderr.match(/^evaluation warning: .*$/gm) ?? []));
    if (status === 0 && found.length < paths.length) throw new Error(`${side} ended early:\n${stderr}`);
    if (signal !== null) throw new Error(`${side} was killed by ${signal}`);
    if (status !== 0) found.push(lastError(stderr));
  }
  return { of: found, warnings };
}

/** Small, well mixed and the same everywhere: the sample must be repeatable from its seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws attribute paths; also says in how many sets the two find different names. */
function sample(count: number, seed: number): { readonly paths: readonly Path[]; readonly different: number } {
  const sets: Path[] = [[], ...namesOf(SETS.trim().split(/\s+/))];
  const lists = describe("reference", sets, "list").of;
  const ourLists = describe("firn", sets, "list").of;
  const [top = [], ...inSets] = lists.map((text, index) =>
    text.startsWith("[") ? (JSON.parse(text) as string[]).map((name): Path => [...(sets[index] ?? []), name]) : [],
  );
  const filled = inSets.filter((members) => members.length > 0);
  console.log(`seed ${seed}: ${count} of ${top.length} top-level attributes and the members of ${filled.length} sets`);
  const next = random(seed);
  const draw = <T>(pool: T[], remove: boolean): T => {
    const at = Math.floor(next() * pool.length);
    const drawn = pool[at];
    if (drawn === undefined) throw new Error("the tree has fewer attributes than are to be drawn");
    if (remove) pool.splice(at, 1);
    return drawn;
  };
  // Large sets would otherwise fill the sample: the set is drawn first, then one of its members.
  const member = (): Path => {
    const set = draw(filled, false);
    return set.length > 0 ? draw(set, true) : member();
  };
  const paths = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? draw(top, true) : member()));
  const otherLists = sets.filter((_, index) => lists[index] !== ourLists[index]).map((path) => path.join("."));
  for (const name of otherLists) console.log(`the names in '${name}' differ`);
  return { paths, different: otherLists.length };
}

const namesOf = (texts: readonly string[]): Path[] => texts.map((text) => text.split("."));

function comparePaths(paths: readonly Path[]): number {
  let [derivations, same, different] = [0, 0, 0];
  const size = Number(options.batch);
  for (let start = 0; start < paths.length; start += size) {
    const batch = paths.slice(start, start + size);
    const [theirs, ours] = [describe("reference", batch), describe("firn", batch)];
    batch.forEach((path, index) => {
      const [a = "", b = ""] = [theirs.of[index], ours.of[index]];
      if (a !== b) {
        different++;
        console.log(`${path.join(".")}: reference ${a}\n  Firn ${b}`);
      } else if (a.startsWith("/")) derivations++;
      else same++;
    });
    if (theirs.warnings.join("\n") !== ours.warnings.join("\n")) {
      different++;
      console.log(`reference warns: ${theirs.warnings.join("\n  ")}\nFirn warns: ${ours.warnings.join("\n  ")}`);
    }
    console.log(
      `${start + batch.length} compared: ${derivations} derivations equal, ${same} alike without one, ${different} differ`,
    );
  }
  return different;
}

/** All regular files of a store directory that lie in it directly; directories carry their hash in their name. */
function storeFiles(store: string): Map<string, Buffer | undefined> {
  return new Map(
    readdirSync(store)
      .filter((name) => !name.startsWith("."))
      .map((name) => {
        const path = join(store, name);
        return [name, lstatSync(path).isFile() ? readFileSync(path) : undefined];
      }),
  );
}

function compareClosure(path: Path): number {
  writeFileSync(namesFile, JSON.stringify([path]));
  const written = (["reference", "firn"] as const).map((side) => {
    const store = mkdtempSync(join(directory, `${side}-`));
    mkdirSync(join(store, "nix"));
    const args = ["--store", store, "-A", "one", ...treeArguments, "--argstr", "names", namesFile];
    const { status, stdout, stderr } = run(side, args, undefined);
    if (status !== 0) throw new Error(`${side}: ${stderr}`);
    const files = storeFiles(join(store, "nix/store"));
    rmSync(store, { recursive: true });
    return { files, root: stdout.trim() };
  });
  const [theirs, ours] = written;
  if (theirs === undefined || ours === undefined) return 1;
  const names = new Set([...theirs.files.keys(), ...ours.files.keys()]);
  let different = theirs.root === ours.root ? 0 : 1;
  for (const name of names) {
    const both = theirs.files.has(name) && ours.files.has(name);
    const [a, b] = [theirs.files.get(name), ours.files.get(name)];
    if (both && (a === undefined ? b === undefined : b?.equals(a) === true)) continue;
    different++;
    console.log(`  ${name}: ${both ? "other bytes" : theirs.files.has(name) ? "the reference's only" : "Firn's only"}`);
  }
  const derivations = [...names].filter((name) => name.endsWith(".drv")).length;
  console.log(
    `closure of ${path.join(".")}: ${derivations} derivations, ${names.size - derivations} other paths, ${different} differ`,
  );
  return different;
}

let failures = 0;
if (positionals.length > 0) failures += comparePaths(namesOf(positionals));
else {
  if (!options["no-fixed"]) {
    failures += comparePaths(namesOf(PACKAGES));
    for (const path of namesOf([...SYSTEMS, ...(homeManager === undefined ? [] : ["system.home"])]))
      failures += comparePaths([path]);
  }
  if (Number(options.count) > 0) {
    const { paths, different } = sample(Number(options.count), Number(options.seed));
    failures += different + comparePaths(paths);
  }
  if (!options["no-closures"]) for (const path of namesOf(CLOSURES)) failures += compareClosure(path);
}
rmSync(directory, { recursive: true });
console.log(failures === 0 ? "all equal" : `${failures} differ`);
process.exitCode = failures === 0 ? 0 : 1;
