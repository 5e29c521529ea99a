/**
 * Runs Firn (bundled) and the reference in turn on the same work and prints ratios: Firn's figure divided by the
 * reference's, medians of the runs. The reference is timed inside its own root. Needs FIRN_REAL_NIX, and python3 for the peak
 * of memory.
 *
 *   node scripts/bench.ts [--pairs N] [--nixpkgs DIRECTORY] [NAME...]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "5" }, nixpkgs: { type: "string" } },
});
const directory = mkdtempSync(join(tmpdir(), "firn-bench-"));
const bundle = join(root, "dist/package/dist/firn.mjs");
if (!existsSync(bundle)) execFileSync(process.execPath, [join(root, "scripts/bundle.ts")], { stdio: "inherit" });
/** How the published program has itself started: `#!/usr/bin/env -S node FLAG...`. */
const flags = readFileSync(bundle, "utf8").split("\n", 1)[0]!.split(" ").slice(3);

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
  instantiate("1+1", "--eval", "-E", "1 + 1"),
  { name: "--version", reference: ["nix", "--version"], firn: ["--version"], sameOutput: false },
  { name: "--help", reference: ["nix-instantiate", "--version"], firn: ["--help"], sameOutput: false },
];
if (values.nixpkgs !== undefined) {
  const system = join(directory, "system.nix");
  writeFileSync(
    system,
    `(import ${values.nixpkgs}/nixos { system = "x86_64-linux"; configuration = {
      system.stateVersion = "26.05"; boot.loader.grub.device = "/dev/sda";
      fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };
      services.nginx.enable = true; services.jellyfin.enable = true; }; }).system.drvPath\n`,
  );
  const hello = ["--eval", "--readonly-mode", values.nixpkgs, "-A", "hello.drvPath"];
  const whole = ["--eval", "--readonly-mode", system];
  works.push(
    instantiate("hello cold", ...hello),
    { ...instantiate("hello warm", ...hello), warm: true },
    instantiate("system cold", ...whole),
    { ...instantiate("system warm", ...whole), warm: true },
    { ...instantiate("system again", ...whole), warm: true, again: true },
  );
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
  /** Megabytes of the largest process. */
  readonly memory: number;
  readonly output: string;
}

/** Times a command with bash's own clock; figures come as the last line of standard error. */
const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
/** Runs a command and prints the peak of its largest descendant's memory, in KB, after what that printed. */
const peak =
  "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)";

function measure(command: readonly string[], env: NodeJS.ProcessEnv): Sample {
  const printed = execFileSync("python3", ["-uc", peak, ...command], {
    env,
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = printed.trimEnd().split("\n");
  const memory = Number(lines.pop()) / 1024;
  const [wall = 0, user = 0, system = 0] = (lines.pop() ?? "").split(" ").map(Number);
  return { wall, cpu: user + system, memory, output: lines.join("\n") };
}

const withTimes = (words: readonly string[]): string[] => [
  "bash",
  "-c",
  `{ ${script} 2>/dev/null; } 2>&1`,
  "bash",
  ...words,
];

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const environment = {
  ...process.env,
  NIX_REMOTE: "dummy://",
  NIX_CONFIG: "substituters =\n",
  REAL_NIX_BIND: [directory, values.nixpkgs ?? ""].join(":"),
};
for (const work of works) {
  if (positionals.length > 0 && !positionals.includes(work.name)) continue;
  const ours: Sample[] = [];
  const theirs: Sample[] = [];
  const keeping = work.again === true ? [] : ["--option", "eval-cache", "false"];
  const firn = withTimes([process.execPath, ...flags, bundle, ...work.firn, ...(work.firn.length > 1 ? keeping : [])]);
  const firnEnvironment = { ...environment, FIRN_CODE_CACHE: work.warm === true ? join(directory, "code") : "" };
  if (work.warm === true) measure(firn, firnEnvironment);
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    ours.push(measure(firn, firnEnvironment));
    theirs.push(measure([realNix, ...withTimes(work.reference)], environment));
  }
  if (work.sameOutput && ours[0]?.output !== theirs[0]?.output) {
    throw new Error(`${work.name}: Firn printed ${ours[0]?.output}, the reference ${theirs[0]?.output}`);
  }
  const ratio = (of: (sample: Sample) => number): string =>
    (median(ours.map(of)) / median(theirs.map(of))).toFixed(2).padStart(6);
  const cpu = (samples: readonly Sample[]) => (median(samples.map((s) => s.cpu)) * 1000).toFixed(0);
  console.log(
    `${work.name.padEnd(12)} wall ${ratio((s) => s.wall)}  cpu ${ratio((s) => s.cpu)}  memory ${ratio((s) => s.memory)}   (Firn ${cpu(ours)} ms of CPU, reference ${cpu(theirs)} ms)`,
  );
}
rmSync(directory, { recursive: true });
