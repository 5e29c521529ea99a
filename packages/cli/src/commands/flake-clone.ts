import { resolve } from "node:path";
import { cloneInput } from "@firn/fetch";
import { resolveFlakeRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake clone`: clones the repository of a flake. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    { name: "dest", short: "f", labels: ["path"], kinds: ["path"], description: "Clone the flake to path dest." },
  ],
  run: (invocation, io) => {
    const destination = invocation.flags.value("dest");
    if (destination === undefined) throw new FirnError("missing-argument", "missing flag '--dest'");
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const { context } = await session.evaluation();
        const { input } = await resolveFlakeRef(context, flakeArgument(invocation, io), "all");
        const directory = resolve(io.cwd, destination);
        await cloneInput(input, { directory, shown: destination, context: context.fetch });
        return 0;
      },
    });
  },
};
