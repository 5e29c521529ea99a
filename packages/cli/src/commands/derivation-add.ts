import { derivationFromJson, parseJson } from "@firn/formats";
import { addDerivation } from "@firn/store";
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
      printLine(io, await addDerivation(store, derivation, { dryRun: invocation.flags.has("dry-run") }));
      return 0;
    }),
};
