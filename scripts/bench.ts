/**
 * Runs Firn (bundled) and the reference in turn on the same work and prints ratios: Firn's figure divided by the
 * reference's, medians of the runs. The reference is timed inside its own root. Needs FIRN_REAL_NIX.
 *
 *   node scripts/bench.ts [--pairs N] [--nixpkgs DIRECTORY] [NAME...]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

interface Work {
  readonly name: string;
  /** Arguments of `nix-instantiate` or `nix`, the same for both. */
  readonly reference: readonly string[];
  readonly firn: readonly string[];
  /** Whether both must print the same. */
  readonly sameOutput: boolean;
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
  works.push(instantiate("nixpkgs hello", "--eval", "--readonly-mode", values.nixpkgs, "-A", "hello.drvPath"));
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
  readonly output: string;
}

/** Times a command with bash's own clock; figures come as the last line of standard error. */
const script = 'TIMEFORMAT="%R %U %S"; time "$@"';

function measure(command: readonly string[], env: NodeJS.ProcessEnv): Sample {
  const [program = "", ...args] = command;
  const marked = execFileSync(program, args, {
    env,
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = marked.trimEnd().split("\n");
  const [wall = 0, user = 0, system = 0] = (lines.pop() ?? "").split(" ").map(Number);
  return { wall, cpu: user + system, output: lines.join("\n") };
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
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    ours.push(
      measure(
        withTimes([process.execPath, "--disable-warning=ExperimentalWarning", bundle, ...work.firn]),
        environment,
      ),
    );
    theirs.push(measure([realNix, ...withTimes(work.reference)], environment));
  }
  if (work.sameOutput && ours[0]?.output !== theirs[0]?.output) {
    throw new Error(`${work.name}: Firn printed ${ours[0]?.output}, the reference ${theirs[0]?.output}`);
  }
  const [wall, cpu] = [
    (samples: Sample[]) => median(samples.map((s) => s.wall)),
    (samples: Sample[]) => median(samples.map((s) => s.cpu)),
  ];
  const ratio = (a: number, b: number): string => (a / b).toFixed(2);
  console.log(
    `${work.name.padEnd(16)} wall ${ratio(wall(ours), wall(theirs)).padStart(6)}  cpu ${ratio(cpu(ours), cpu(theirs)).padStart(6)}   (Firn ${(cpu(ours) * 1000).toFixed(0)} ms of CPU, reference ${(cpu(theirs) * 1000).toFixed(0)} ms)`,
  );
}
rmSync(directory, { recursive: true });
