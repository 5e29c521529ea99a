/**
 * Runs Firn (bundled) and the reference in turn on the same work and prints ratios: Firn's figure divided by the
 * reference's, medians of the runs. Needs what measure.ts needs.
 *
 *   node scripts/bench.ts [--pairs N] [--nixpkgs DIRECTORY] [NAME...]
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { firnCommand, measure, median, referenceCommand, type Sample } from "./measure.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "5" }, nixpkgs: { type: "string" } },
});
const directory = mkdtempSync(join(tmpdir(), "firn-bench-"));

interface Work {
  readonly name: string;
  /** Arguments of `nix-instantiate` or `nix`, the same for both. */
  readonly reference: readonly string[];
  readonly firn: readonly string[];
  /** Whether both must print the same. */
  readonly sameOutput: boolean;
  /** Whether Firn finds its lowered code of an earlier run. */
  readonly warm?: boolean;
  /** Whether Firn finds the answers of an earlier run. */
  readonly again?: boolean;
  /** Changes a file before each run of either, by its number. */
  readonly edit?: (run: number) => void;
}

const fib = join(directory, "fib.nix");
writeFileSync(fib, "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 32\n");
const instantiate = (name: string, ...args: string[]): Work => ({
  name,
  reference: ["nix-instantiate", ...args],
  firn: ["nix-instantiate", ...args],
  sameOutput: true,
});
const works: Work[] = [
  instantiate("fib 32", "--eval", fib),
  { ...instantiate("1+1", "--eval", "-E", "1 + 1"), warm: true },
  { name: "--version", reference: ["nix", "--version"], firn: ["--version"], sameOutput: false },
  { name: "--help", reference: ["nix-instantiate", "--version"], firn: ["--help"], sameOutput: false },
];
/** Programs of one kind of work each. */
const programs: Readonly<Record<string, string>> = {
  fold: "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 1000000)",
  strings: `let text = builtins.concatStringsSep "-" (builtins.genList (n: "item" + toString n) 1000000); in
    [ (builtins.stringLength (builtins.replaceStrings [ "item" "9" ] [ "thing" "nine" ] text))
      (builtins.length (builtins.split "-" (builtins.substring 0 1000000 text))) ]`,
  fixpoint: `let
      fix = f: let x = f x; in x;
      sets = builtins.genList (round: fix (self: builtins.listToAttrs (builtins.genList (n: {
        name = "a" + toString n;
        value = if n == 0 then round else self.\${"a" + toString (n - 1)} + 1;
      }) 2000))) 50;
    in builtins.foldl' (sum: set: sum + set.a1999) 0 sets`,
  sort: "builtins.elemAt (builtins.sort builtins.lessThan (builtins.genList (n: builtins.bitAnd (n * 7919) 1048575) 500000)) 5",
  json: `builtins.stringLength (builtins.toJSON (builtins.fromJSON (builtins.toJSON
    (builtins.genList (n: { a = n; b = "x" + toString n; c = [ n n ]; }) 200000))))`,
  regex: `builtins.length (builtins.filter (text: builtins.match "([a-z]+)-([0-9]+)" text != null)
    (builtins.genList (n: (if builtins.bitAnd n 1 == 0 then "abc-" else "abc_") + toString n) 200000))`,
};
for (const [name, text] of Object.entries(programs)) {
  const file = join(directory, `${name}.nix`);
  writeFileSync(file, `${text}\n`);
  works.push(instantiate(name, "--eval", "--strict", file));
}
/** A flake whose inputs are thirty flakes beside it. */
const flake = join(directory, "flake");
const neighbours = Array.from({ length: 30 }, (_, n) => `i${n}`);
for (const name of neighbours) {
  mkdirSync(join(directory, name));
  writeFileSync(join(directory, name, "flake.nix"), `{ outputs = _: { name = "${name}"; }; }\n`);
}
mkdirSync(flake);
const inputLines = neighbours.map((name) => `inputs.${name}.url = "path:${directory}/${name}";`);
writeFileSync(join(flake, "flake.nix"), `{ ${inputLines.join(" ")} outputs = _: { x = 1; }; }\n`);
const flakeWork = (name: string, words: readonly string[]): Work => ({
  name,
  reference: ["nix", "--extra-experimental-features", "nix-command flakes", ...words],
  firn: words,
  sameOutput: false,
  warm: true,
  again: true,
});
works.push(
  {
    ...flakeWork("lock of 30", ["flake", "lock", `path:${flake}`]),
    edit: () => rmSync(join(flake, "flake.lock"), { force: true }),
  },
  flakeWork("flake metadata", ["flake", "metadata", `path:${flake}`]),
);
if (values.nixpkgs !== undefined) {
  const writeSystem = (file: string, more: string): void =>
    writeFileSync(
      file,
      `(import ${values.nixpkgs}/nixos { system = "x86_64-linux"; configuration = {
      system.stateVersion = "26.05"; boot.loader.grub.device = "/dev/sda";
      fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };
      services.nginx.enable = true; services.jellyfin.enable = true; ${more} }; }).system.drvPath\n`,
    );
  const system = join(directory, "system.nix");
  writeSystem(system, "");
  const edited = join(directory, "edited.nix");
  const gnome = join(directory, "gnome.nix");
  writeSystem(gnome, "services.desktopManager.gnome.enable = true; services.displayManager.gdm.enable = true;");
  const hosts = ["a", "b", "c", "d"].map((name) => join(directory, `${name}.nix`));
  for (const [n, file] of hosts.entries()) writeSystem(file, `networking.hostName = "host-${n}";`);
  const four = join(directory, "four.nix");
  writeFileSync(four, `[ ${hosts.map((file) => `(import ${file})`).join(" ")} ]\n`);
  const hello = ["--eval", "--readonly-mode", values.nixpkgs, "-A", "hello.drvPath"];
  const whole = ["--eval", "--readonly-mode", system];
  const helloAgain = join(directory, "hello.nix");
  works.push(
    instantiate("hello cold", ...hello),
    { ...instantiate("hello warm", ...hello), warm: true },
    {
      ...instantiate("hello image", "--eval", "--readonly-mode", helloAgain),
      warm: true,
      again: true,
      edit: (run) => writeFileSync(helloAgain, `(import ${values.nixpkgs} { }).hello.drvPath + "${run}"\n`),
    },
    instantiate("system cold", ...whole),
    { ...instantiate("system warm", ...whole), warm: true },
    { ...instantiate("system again", ...whole), warm: true, again: true },
    {
      ...instantiate("host renamed", "--eval", "--readonly-mode", edited),
      warm: true,
      again: true,
      edit: (run) => writeSystem(edited, `services.nginx.virtualHosts."host-${run}".root = "/srv";`),
    },
    { ...instantiate("gnome warm", "--eval", "--readonly-mode", gnome), warm: true },
    { ...instantiate("four warm", "--eval", "--strict", "--readonly-mode", four), warm: true },
  );
}

const environment = {
  ...process.env,
  NIX_REMOTE: "dummy://",
  NIX_CONFIG: "substituters =\n",
  REAL_NIX_BIND: [directory, values.nixpkgs ?? ""].join(":"),
};
/** Waits until the image that an evaluation has asked for is there. */
async function imageIsMade(): Promise<void> {
  const images = join(directory, "code/images");
  const names = (): string[] => (existsSync(images) ? readdirSync(images) : []);
  const wanted = (): string[] => names().filter((name) => name.endsWith(".wanted"));
  const made = (): string[] => names().filter((name) => name.endsWith(".image"));
  while (made().length < wanted().length || names().includes("making")) await sleep(100);
}

for (const work of works) {
  if (positionals.length > 0 && !positionals.includes(work.name)) continue;
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  // Answers are kept with what they read of a store, which a store in memory has not.
  const store = work.again === true ? join(directory, "root") : environment.NIX_REMOTE;
  const keeping = work.again === true ? [] : ["--option", "eval-cache", "false"];
  const firn = firnCommand([...work.firn, ...(work.firn.length > 1 ? keeping : [])]);
  const firnPlace = {
    cwd: directory,
    env: { ...environment, NIX_REMOTE: store, FIRN_CODE_CACHE: work.warm === true ? join(directory, "code") : "" },
  };
  work.edit?.(0);
  rmSync(join(directory, "code/images"), { recursive: true, force: true });
  if (work.warm === true) await measure(firn, firnPlace);
  if (work.again === true) await imageIsMade();
  for (let pair = 1; pair <= Number(values.pairs); pair++) {
    work.edit?.(pair);
    ours.push(await measure(firn, firnPlace));
    work.edit?.(pair);
    theirs.push(
      await measure(referenceCommand(work.reference), { cwd: directory, env: { ...environment, NIX_REMOTE: store } }),
    );
  }
  if (work.sameOutput && ours[0]?.output !== theirs[0]?.output) {
    throw new Error(`${work.name}: Firn printed ${ours[0]?.output}, the reference ${theirs[0]?.output}`);
  }
  const ratio = (of: (sample: Sample) => number): string =>
    (median(ours, of) / median(theirs, of)).toFixed(2).padStart(6);
  const cpu = (samples: readonly Sample[]) => (median(samples, (s) => s.cpu) * 1000).toFixed(0);
  console.log(
    `${work.name.padEnd(12)} wall ${ratio((s) => s.wall)}  cpu ${ratio((s) => s.cpu)}  memory ${ratio((s) => s.memory)}   (Firn ${cpu(ours)} ms of CPU, reference ${cpu(theirs)} ms)`,
  );
}
rmSync(directory, { recursive: true });
