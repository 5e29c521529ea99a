import { type FlakeRef, parseFlakeRef } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderWarning } from "../render/error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** Returns the flake that a command's first argument names; the current directory's when there is none. */
export function flakeArgument(invocation: Invocation, io: Io, word = invocation.positionals[0]): FlakeRef {
  return parseFlakeRef(word === undefined || word === "" ? "." : word, {
    baseDirectory: io.cwd,
    warn: (text, level) => io.err(`${level === "warn" ? renderWarning(text, undefined, io.terminal) : text}\n`),
  });
}

/** `firn flake lock`: creates missing lock file entries. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [...flakeFlags, ...evaluationFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        session.settings.assign("tarball-ttl", 0);
        await (await session.evaluation({ lock: { write: true, failOnUnlocked: true } })).lock(
          flakeArgument(invocation, io),
        );
        return 0;
      },
    }),
};
