/** `firn __dump-heap`: the evaluator's heap as text after an evaluation, for people who work on the evaluator. */
import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn __dump-heap`. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: [
    ...installableFlags,
    { name: "objects", description: "Print each object with what it refers to, too." },
    { name: "strict", description: "Evaluate the value to its end before." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      async body(session) {
        const { flags, positionals } = invocation;
        const [installable] = session.installables.parse(positionals);
        if (installable === undefined) throw new UsageError("more arguments are required");
        const { value } = await session.installables.find(installable, {
          callResult: false,
          defaults: [],
          prefixes: [],
        });
        if (flags.has("strict")) await value.deepForce();
        else await value.kind();
        const { evaluator } = await session.evaluation();
        const text = await evaluator.dumpHeap({ objects: flags.has("objects") });
        if (text === undefined) throw new FirnError("internal", "the heap holds what is not known");
        io.out(Buffer.from(text, "latin1"));
        return 0;
      },
    }),
};
