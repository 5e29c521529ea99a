import { derivationToJson, isDerivationPath, type JsonValue, jsonNumber } from "@firn/formats";
import { computeClosure } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags, stdinFlag } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

/** `firn derivation show`: prints store derivations as JSON. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...installableFlags,
    ...jsonFlags.slice(1),
    stdinFlag,
    { name: "recursive", short: "r", description: "Include the dependencies of the specified derivations." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const store = await session.store();
        let paths = await pathsOf(session, await session.words(), { realise: false, derivations: true });
        if (invocation.flags.has("recursive")) paths = (await computeClosure(store, paths)).filter(isDerivationPath);
        const entries = new Map<string, JsonValue>();
        for (const path of paths)
          entries.set(path.slice(store.storeDir.length + 1), derivationToJson(store.readDerivation(path)));
        printJsonResult(
          io,
          new Map<string, JsonValue>([
            ["derivations", entries],
            ["version", jsonNumber(4)],
          ]),
          invocation,
        );
        return 0;
      },
    }),
};
