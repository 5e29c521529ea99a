import type { Command, CommandTable } from "../grammar/command.ts";
import { helpText } from "../grammar/help.ts";

/** Makes `firn help-stores`, which shows the page of the kinds of stores. */
export function helpStoresCommand(table: CommandTable): Command {
  return {
    positionals: [],
    flags: [],
    async run({ program }, io) {
      io.out(await helpText(table, program, ["help-stores"]));
      return 0;
    },
  };
}
