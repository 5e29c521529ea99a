import { parseSecretKey, printKey, publicKeyOf } from "@firn/formats";
import type { Command } from "../grammar/command.ts";

/** `firn key convert-secret-to-public`: prints the public half of a secret key read from standard input. */
export const command: Command = {
  positionals: [],
  flags: [],
  async run(_invocation, io) {
    io.out(printKey(publicKeyOf(parseSecretKey((await io.readStdin()).trim()))));
    return 0;
  },
};
