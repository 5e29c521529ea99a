/** Commands under names that the reference has given up. */
import { renderWarning } from "../render/error.ts";
import type { Command } from "./command.ts";

/** Makes the command of a deprecated name, which warns first; `names` are the old and the new one for the name of the program. */
export function deprecatedAlias(command: Command, names: (program: string) => readonly [string, string]): Command {
  return {
    ...command,
    run(invocation, io) {
      const [old, current] = names(invocation.mainProgram);
      io.err(`${renderWarning(`'${old}' is a deprecated alias for '${current}'`, undefined, io.terminal)}\n`);
      return command.run(invocation, io);
    },
  };
}
