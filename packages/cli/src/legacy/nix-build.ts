/** `nix-build`: builds the derivations of expressions (manual: "nix-build"). */
import { resolve } from "node:path";
import type { Target } from "@firn/flake";
import { FirnError, isDerivationPath } from "@firn/formats";
import type { Command, Flag } from "../grammar/command.ts";
import type { Io } from "../io.ts";
import { printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { type BuiltTarget, buildTargets } from "../targets/build-targets.ts";
import { derivationsIn, type Expressions, expressionFlags, expressionsOf, rootFlag } from "./expressions.ts";

const flags: readonly Flag[] = [
  ...expressionFlags,
  rootFlag,
  {
    name: "out-link",
    short: "o",
    labels: ["path"],
    kinds: ["path"],
    description: "Use path as prefix for the links to the results. It defaults to result.",
  },
  { name: "no-out-link", aliases: ["no-link"], description: "Do not create links to the results." },
  { name: "add-drv-link", description: "Ignored." },
  { name: "drv-link", labels: ["path"], kinds: ["path"], description: "Ignored." },
  { name: "check", description: "Build again and compare with what is in the store." },
  { name: "repair", description: "Build again what is missing or damaged." },
  { name: "pure", description: "Ignored." },
  { name: "keep", labels: ["name"], description: "Ignored." },
  { name: "exclude", labels: ["regexp"], description: "Ignored." },
];

/** `nix-build`. */
export const command: Command = {
  style: "old",
  positionals: [{ label: "paths", kind: "path", optional: true, repeats: true }],
  flags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { impure: true },
      body: async (session) => {
        const { flags } = invocation;
        const targets = await wantedTargets(session, expressionsOf(invocation));
        const dryRun = flags.has("dry-run");
        const mode = flags.has("check") ? "check" : flags.has("repair") ? "repair" : undefined;
        const built = await buildTargets(session, targets, { dryRun, ...(mode === undefined ? {} : { mode }) });
        session.progress.clear();
        if (dryRun) return 0;
        if (flags.last("no-out-link", "out-link") !== "no-out-link") {
          await linkResults(
            session,
            resolve(io.cwd, flags.value("add-root") ?? flags.value("out-link") ?? "result"),
            built,
          );
        }
        for (const { outputs } of built) for (const path of outputs.values()) printLine(io, path);
        return 0;
      },
    }),
};

/** Returns what to build: derivations that are named by their path, and those that the expressions evaluate to. */
async function wantedTargets(session: EvaluationSession, expressions: Expressions): Promise<Target[]> {
  const { io } = session;
  const { storeDir } = await session.store();
  const targets: Target[] = [];
  const evaluated: string[] = [];
  for (const word of expressions.words) {
    const target = expressions.texts ? undefined : derivationTarget(word, storeDir, io);
    if (target === undefined) evaluated.push(word);
    else targets.push(target);
  }
  if (evaluated.length === 0) return targets;
  const evaluation = await session.evaluation();
  const context = {
    evaluator: evaluation.evaluator,
    io,
    directory: io.cwd,
    fetchPath: (url: string) => evaluation.pathOfUrl(url),
  };
  for await (const facts of derivationsIn({ ...expressions, words: evaluated }, context)) {
    targets.push({ kind: "outputs", drvPath: facts.drvPath, outputs: [facts.outputName], facts });
  }
  return targets;
}

/** Returns the target of a word that is the path of a derivation, with outputs after `!`; undefined for others. */
function derivationTarget(word: string, storeDir: string, io: Io): Target | undefined {
  const [path = "", names] = resolve(io.cwd, word).split("!");
  if (!path.startsWith(`${storeDir}/`) || !isDerivationPath(path)) return undefined;
  const outputs = names === undefined ? ["out"] : names.split(",");
  if (outputs.length > 1) {
    throw new FirnError(
      "several-outputs",
      `building more than one derivation output is not supported, in '${path}!${names}'`,
    );
  }
  return { kind: "outputs", drvPath: path, outputs };
}

/** Makes the links `result`, `result-2`, `result-2-dev`, numbered by derivation. */
async function linkResults(session: EvaluationSession, prefix: string, built: readonly BuiltTarget[]): Promise<void> {
  const store = await session.store();
  const numbers = new Map<string, number>();
  for (const { target, outputs } of built) {
    const key = target.kind === "path" ? target.path : target.drvPath;
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    for (const [name, path] of outputs) {
      const link = `${prefix}${number === 1 ? "" : `-${number}`}${name === "out" ? "" : `-${name}`}`;
      await store.addPermRoot(path, link);
    }
  }
}
