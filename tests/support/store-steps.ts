/** Running the steps of tests/cli/store-steps.ts: their variables, and what is kept of each. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { files, type Step, steps } from "../cli/store-steps.ts";

/** What a step gave; output that is no text is kept as base 64. */
export interface StepResult {
  readonly words: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program with arguments and standard input (all byte strings). */
export type Runner = (
  words: readonly string[],
  input: string,
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

/** Runs all steps in a working directory that it fills; returns what those that are compared gave. */
export async function runSteps(work: string, run: Runner): Promise<StepResult[]> {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), text);
  }
  const saved = new Map<string, string>([["WORK", work]]);
  const results: StepResult[] = [];
  for (const step of steps) {
    const words = step.words.map((word) => word.replace(/\$([A-Z]+)/g, (_, name: string) => saved.get(name) ?? ""));
    const input = step.input === undefined ? "" : readFileSync(join(work, step.input), "latin1");
    const { code, out, err } = await run(words, input);
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
    return decoded.replaceAll(work, "$WORK");
  };
  // The reference tidies up between commands, and says so.
  const messages = text(err).replace(/^removing stale (?:temporary roots file|link).*\n/gm, "");
  return { words: step.words.join(" "), code, out: text(out), err: messages };
}
