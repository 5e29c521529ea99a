import { nixVersion } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withReadingSession } from "../session.ts";

/** `firn store info`: whether a store can be reached, and which it is. */
export const command: Command = {
  positionals: [],
  flags: jsonFlags,
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const store = await session.store();
      if (invocation.flags.has("json")) {
        printJsonResult(
          io,
          new Map<string, string | boolean>([
            ["trusted", true],
            ["url", store.uri],
            ["version", nixVersion],
          ]),
          invocation,
        );
      } else {
        io.err(`Store URL: ${store.uri}\nVersion: ${nixVersion}\nTrusted: 1\n`);
      }
      return 0;
    }),
};
