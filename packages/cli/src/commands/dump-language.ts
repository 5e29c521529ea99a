import { dumpLanguage } from "@firn/language/docs";
import type { Command } from "../grammar/command.ts";

/** `firn __dump-language`: prints the facts about every builtin, as JSON on one line. */
export const command: Command = {
  positionals: [],
  flags: [],
  run(_invocation, io) {
    io.out(`${JSON.stringify(dumpLanguage())}\n`);
    return Promise.resolve(0);
  },
};
