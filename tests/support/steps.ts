/** Commands one after the other, as the reference has been recorded to answer them: their variables, and what is kept of each. */
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One command; `$NAME` in its words stands for what an earlier step printed, `$WORK` for the working directory. */
export interface Step {
  /** The name of the program that is called, and its arguments. */
  readonly words: readonly string[];
  /** The name under which the first line that it prints is kept. */
  readonly save?: string;
  /** A file of the working directory that standard input comes from. */
  readonly input?: string;
  /** A directory below the working directory to run it in. */
  readonly directory?: string;
  /** True when the command ends as another program, which takes the place of its process. */
  readonly process?: boolean;
  /** A file of the working directory that its output is written to as well. */
  readonly output?: string;
  /** False when what it says is Firn's own: the words of a library that the reference uses, or clearer ones. */
  readonly messages?: boolean;
  /** False when the messages depend on the machine or on what ran before (default true). */
  readonly compares?: boolean;
}

/** Steps with the files that they find in their working directory. */
export interface StepSuite {
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** Makes a step of a line of words. */
export function step(line: string, more: Omit<Step, "words"> = {}): Step {
  return { words: line.split(" "), ...more };
}

/** What a step gave; output that is no text is kept as base 64. */
export interface StepResult {
  readonly words: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program with arguments and standard input (all byte strings) in a directory, as a process of its own where that is asked for. */
export type Runner = (
  words: readonly string[],
  input: string,
  options: { readonly directory: string; readonly process: boolean },
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

/** Runs all steps in a working directory that it fills; returns what those that are compared gave. */
export async function runSteps({ files, steps }: StepSuite, work: string, run: Runner): Promise<StepResult[]> {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), text, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
  }
  // Flakes show when their files were changed.
  for (const name of readdirSync(work, { recursive: true, encoding: "utf8" })) utimesSync(join(work, name), 1e9, 1e9);
  const saved = new Map<string, string>([["WORK", work]]);
  const results: StepResult[] = [];
  for (const step of steps) {
    const words = step.words.map((word) => word.replace(/\$([A-Z]+)/g, (_, name: string) => saved.get(name) ?? ""));
    const input = step.input === undefined ? "" : readFileSync(join(work, step.input), "latin1");
    const { code, out, err } = await run(words, input, {
      directory: join(work, step.directory ?? ""),
      process: step.process === true,
    });
    if (step.output !== undefined) writeFileSync(join(work, step.output), out, "latin1");
    if (step.save !== undefined) saved.set(step.save, out.split("\n")[0]!);
    if (step.compares !== false) results.push(resultOf(step, work, { code, out, err }));
  }
  return results;
}

function resultOf(step: Step, work: string, { code, out, err }: Awaited<ReturnType<Runner>>): StepResult {
  const text = (bytes: string): string => {
    const decoded = Buffer.from(bytes, "latin1").toString("utf8");
    if (bytes.includes("\0")) return `base64:${Buffer.from(bytes, "latin1").toString("base64")}`;
    // The reference names files of a store elsewhere by their place on disk.
    return decoded
      .replaceAll(`'/${work}`, `'${work}`)
      .replaceAll(work, "$WORK")
      .replaceAll(`${dirname(work)}/root/nix/store/`, "/nix/store/");
  };
  // The reference tidies up between commands, and says so.
  const messages = text(err).replace(/^(?:removing stale (?:temporary roots file|link)|evaluating ').*\n/gm, "");
  return {
    words: step.words.join(" "),
    code,
    out: text(out).replace(/"registrationTime":\d+/g, '"registrationTime":1'),
    err: step.messages === false ? "" : messages,
  };
}
