import { fetchLockedTree, isLockedNode, type LockedFlake, relativePathOf, showFlakeRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { errorEvent } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake prefetch-inputs`: fetches all inputs of a flake, those of its inputs too. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [...flakeFlags, ...evaluationFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const evaluation = await session.evaluation();
        const locked = await evaluation.lock(flakeArgument(invocation, io));
        const failures: FirnError[] = [];
        for (const node of lockedNodes(locked)) {
          if (relativePathOf(node.lockedRef) !== undefined) continue;
          const text = `fetching '${showFlakeRef(node.lockedRef)}'...`;
          session.progress.event({ kind: "message", level: "info", text });
          try {
            await fetchLockedTree(evaluation.context, locked, node);
          } catch (error) {
            if (!(error instanceof FirnError)) throw error;
            failures.push(error);
          }
        }
        const [first] = failures;
        if (first === undefined) return 0;
        if (failures.length === 1) throw first;
        for (const { message } of failures) session.progress.event(errorEvent(message));
        throw new FirnError("fetch-failed", `${failures.length} inputs cannot be fetched`);
      },
    }),
};

function lockedNodes({ keys }: LockedFlake) {
  return [...keys.keys()].filter(isLockedNode);
}
