import { debianIndex, type FlakeRef, loadFlake, parseInputPath } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** Tells whether the flake that is updated has an input of this name. */
async function hasOwnInput(
  session: EvaluationSession,
  name: string,
  { invocation, io }: { readonly invocation: Invocation; readonly io: Io },
): Promise<boolean> {
  const word = invocation.flags.value("flake");
  if (word !== undefined) return true;
  let ref: FlakeRef;
  try {
    ref = flakeArgument(invocation, io, ".");
  } catch (error) {
    if (error instanceof FirnError && error.code === "bad-flake-ref") return false;
    throw error;
  }
  const { context } = await session.evaluation();
  return (await loadFlake(context, ref, { registries: "all" })).inputs.has(name);
}

/** Reads the paths of inputs, which are each once in the result; warns of repeated ones and of references in their place. */
function inputsToUpdate(words: readonly string[], warn: (text: string) => void): ReturnType<typeof parseInputPath>[] {
  const updates = new Map<string, ReturnType<typeof parseInputPath>>();
  for (const word of words) {
    let path: ReturnType<typeof parseInputPath>;
    try {
      path = parseInputPath(word);
      if (path.length === 0) {
        throw new FirnError(
          "usage",
          "input path to be updated cannot be zero-length; it would refer to the flake itself, not an input",
        );
      }
    } catch (error) {
      warn(
        `Invalid flake input '${word}'. To update a specific flake, use 'nix flake update --flake ${word}' instead.`,
      );
      throw error;
    }
    const shown = path.join("/");
    if (updates.has(shown)) warn(`Input '${shown}' was specified multiple times. You may have done this by accident.`);
    updates.set(shown, path);
  }
  return [...updates.values()];
}

/** `firn flake update`: updates the lock of all inputs, or of those named; `deb` renews the Debian index. */
export const command: Command = {
  positionals: [{ label: "inputs", kind: "flake-input", optional: true, repeats: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    { name: "flake", labels: ["flake-url"], description: "The flake to operate on. Default is the current directory." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags, positionals } = invocation;
        session.settings.assign("tarball-ttl", 0);
        if (
          positionals.length === 1 &&
          positionals[0] === "deb" &&
          !(await hasOwnInput(session, "deb", { invocation, io }))
        ) {
          const saved = await debianIndex(
            {
              settings: session.settings,
              environment: io.env,
              events: (event) => session.progress.event(event),
              offline: flags.has("offline"),
            },
            true,
          );
          session.progress.clear();
          for (const suite of saved.suites) io.err(`${suite.archive} ${suite.suite} of ${suite.date}\n`);
          io.err(`${saved.index.packages.size} packages\n`);
          return 0;
        }
        const updates = inputsToUpdate(positionals, (text) => session.progress.warn(text));
        const evaluation = await session.evaluation({ lock: { write: true, updates, recreate: updates.length === 0 } });
        await evaluation.lock(flakeArgument(invocation, io, flags.value("flake") ?? "."));
        return 0;
      },
    }),
};
