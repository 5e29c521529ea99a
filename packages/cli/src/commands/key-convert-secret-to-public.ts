import { FirnError, parseSecretKey, printKey, publicKeyOf, traced } from "@firn/formats";
import type { Command } from "../grammar/command.ts";

/** `firn key convert-secret-to-public`: prints the public half of a secret key read from standard input. */
export const command: Command = {
  positionals: [],
  flags: [],
  async run(_invocation, io) {
    const text = (await io.readStdin()).trim();
    try {
      io.out(printKey(publicKeyOf(parseSecretKey(text))));
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      // The reference names no key here.
      throw traced(error, "while decoding key named ''");
    }
    return 0;
  },
};
