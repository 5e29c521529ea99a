import { derivationFromJson, derivationKind, parseJson } from "@firn/formats";
import { addDerivation, requireFeature } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";
import { withSession } from "../session/session.ts";

/** `firn derivation add`: adds a derivation, read as JSON from standard input. */
export const command: Command = {
  positionals: [],
  flags: [{ name: "dry-run", description: "Show what this command would do without doing it." }],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const store = await session.store();
      const derivation = derivationFromJson(parseJson(await io.readStdin()), store.storeDir);
      switch (derivationKind(derivation)) {
        case "floating":
          requireFeature(session.settings, "ca-derivations");
          break;
        case "impure":
          requireFeature(session.settings, "impure-derivations");
          break;
        case "input-addressed":
        case "deferred":
        case "fixed":
          break;
      }
      printLine(io, await addDerivation(store, derivation, { dryRun: invocation.flags.has("dry-run") }));
      return 0;
    }),
};
