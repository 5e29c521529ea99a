import type { JsonValue } from "@firn/formats";
import { offered, whyAlive } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

/** `firn store why-alive`: shows which roots keep a path, and through which references. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable" }],
  flags: [...installableFlags, ...jsonFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const store = await session.store();
        const roots = await offered(store, "roots").findRoots();
        const results = new Map<string, JsonValue>();
        const paths = await pathsOf(session, invocation.positionals, { realise: false });
        for (const path of paths) {
          const found = await whyAlive(store, path, roots);
          if (invocation.flags.has("json")) {
            const entries = found.map(
              ({ links, chain }): JsonValue =>
                new Map<string, JsonValue>([
                  ["chain", chain],
                  ["roots", links],
                ]),
            );
            results.set(path, entries);
            continue;
          }
          if (found.length === 0) printLine(io, `'${path}' is kept by no root`);
          for (const { links, chain } of found) {
            for (const link of links) printLine(io, link);
            for (const [depth, step] of chain.entries()) printLine(io, `${"  ".repeat(depth)}-> ${step}`);
          }
        }
        if (invocation.flags.has("json")) printJsonResult(io, results, invocation);
        return 0;
      },
    }),
};
