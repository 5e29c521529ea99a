import { dumpPath } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { deprecatedAlias } from "../grammar/deprecated-alias.ts";
import { printChunks } from "../render/output.ts";
import { commandSettings } from "../session/session.ts";
import { existingPath } from "../targets/existing-path.ts";

/** `firn nar pack`: writes a path as a NAR to standard output. */
export const command: Command = {
  positionals: [{ label: "path" }],
  flags: [],
  async run(invocation, io) {
    const { positionals } = invocation;
    commandSettings(invocation, io);
    await printChunks(io, dumpPath(existingPath(io.cwd, positionals[0] ?? "")));
    return 0;
  },
};

/** `firn nar dump-path`: the deprecated name of `firn nar pack`. */
export const dumpPathCommand = deprecatedAlias(command, (program) => [
  `${program} nar dump-path`,
  `${program} nar pack`,
]);
