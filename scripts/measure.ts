/**
 * What the benchmarks share: Firn's bundle, the reference, and measuring a command. Needs FIRN_REAL_NIX, and python3 for the peak
 * of memory.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundled } from "./bundled.ts";

const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const bundle = bundled();
/** How the published program has itself started: `#!/usr/bin/env -S VARIABLE=${VALUE} node FLAG...`. */
const [, line = ""] = /^#!.* -S (.*)$/m.exec(readFileSync(bundle, "utf8")) ?? [];
const start = ["env", "-S", line.replace(" node ", ` ${process.execPath} `)];

/** The figures of one run. */
export interface Sample {
  readonly wall: number;
  readonly cpu: number;
  /** Megabytes of the largest process. */
  readonly memory: number;
  readonly output: string;
}

/** Where messages of the measured program go, below the working directory. */
const messages = "messages";
/** Times a command with bash's own clock; figures come as the last line of standard error. */
const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
/** Runs a command and prints the peak of its largest descendant's memory, in KB, after what that printed. */
const peak =
  "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)";

const withTimes = (words: readonly string[]): string[] => [
  "bash",
  "-c",
  `{ ${script} 2>${messages}; } 2>&1`,
  "bash",
  ...words,
];

/** Returns the command that runs Firn's bundle and times it. */
export function firnCommand(words: readonly string[]): string[] {
  return withTimes([...start, bundle, ...words]);
}

/** Returns the command that runs a program of the reference and times it inside the reference's own root. */
export function referenceCommand(words: readonly string[]): string[] {
  return [realNix!, ...withTimes(words)];
}

/** Runs a command that times itself; throws when it fails. */
export async function measure(
  command: readonly string[],
  place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Sample> {
  const running = promisify(execFile)("python3", ["-uc", peak, ...command], {
    ...place,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  running.child.stdin?.end();
  const { stdout } = await running.catch((cause: unknown) => {
    throw new Error(`${command.join(" ")} failed: ${readFileSync(join(place.cwd, messages), "utf8")}`, { cause });
  });
  const lines = stdout.trimEnd().split("\n");
  const memory = Number(lines.pop()) / 1024;
  const [wall = 0, user = 0, system = 0] = (lines.pop() ?? "").split(" ").map(Number);
  return { wall, cpu: user + system, memory, output: lines.join("\n") };
}

/** Returns the median of a figure. */
export function median(samples: readonly Sample[], figure: (sample: Sample) => number): number {
  const sorted = samples.map(figure).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
