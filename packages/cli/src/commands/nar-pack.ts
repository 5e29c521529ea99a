import { dumpPath } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { renderWarning } from "../render/error.ts";
import { printChunks } from "../render/output.ts";
import { existingPath } from "../targets/existing-path.ts";

/** `firn nar pack`: writes a path as a NAR to standard output. */
export const command: Command = {
  positionals: [{ label: "path" }],
  flags: [],
  async run({ positionals }, io) {
    await printChunks(io, dumpPath(existingPath(io.cwd, positionals[0] ?? "")));
    return 0;
  },
};

/** `firn nar dump-path`: the deprecated name of `firn nar pack`. */
export const dumpPathCommand: Command = {
  ...command,
  run(invocation, io) {
    const name = invocation.mainProgram;
    io.err(`${renderWarning(`'${name} nar dump-path' is a deprecated alias for '${name} nar pack'`, undefined)}\n`);
    return command.run(invocation, io);
  },
};
