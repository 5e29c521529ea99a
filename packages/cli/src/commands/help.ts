import type { Command, CommandTable } from "../grammar/command.ts";
import { helpText } from "../grammar/help.ts";

/** Makes `firn help`, which shows the page of a command of a table. */
export function helpCommand(table: CommandTable): Command {
  return {
    positionals: [{ label: "subcommand", kind: "command", optional: true, repeats: true }],
    flags: [],
    async run({ program, positionals }, io) {
      io.out(await helpText(table, program, positionals));
      return 0;
    },
  };
}
