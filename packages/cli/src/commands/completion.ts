import { completionScripts } from "../completion/scripts.ts";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";

/** `firn completion`: prints a shell's completion script. */
export const command: Command = {
  positionals: [{ label: "shell" }],
  flags: [],
  async run({ positionals: [shell = ""] }, io) {
    const script = completionScripts.get(shell);
    if (script === undefined) {
      throw new UsageError(
        `there is no completion for '${shell}', only for ${[...completionScripts.keys()].join(", ")}`,
      );
    }
    io.out(script);
    return 0;
  },
};
