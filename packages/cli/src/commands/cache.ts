import { keptOnDisk } from "@firn/flake";
import type { Command } from "../grammar/command.ts";
import { mebibytes } from "../render/quantities.ts";

/** `firn cache info`: shows where answers, images and lowered code of evaluations are kept, and how much. */
export const infoCommand: Command = {
  positionals: [],
  flags: [{ name: "json", description: "Produce output in JSON format, suitable for consumption by another program." }],
  async run({ flags }, io) {
    const kept = keptOnDisk(io.env);
    const figures = kept?.figures() ?? null;
    if (flags.has("json")) io.out(`${JSON.stringify(figures)}\n`);
    else if (figures === null) io.out("nothing is kept: there is no cache directory\n");
    else {
      io.out(`directory: ${figures.directory}\n`);
      io.out(`answers: ${figures.answers.count} (${mebibytes(figures.answers.size)})\n`);
      io.out(`lowered code: ${figures.code.count} files (${mebibytes(figures.code.size)})\n`);
      io.out(`images: ${figures.images.count} files (${mebibytes(figures.images.size)})\n`);
    }
    return 0;
  },
};

/** `firn cache clear`: removes the kept answers, images and lowered code. */
export const clearCommand: Command = {
  positionals: [],
  flags: [],
  async run(_invocation, io) {
    keptOnDisk(io.env)?.clear();
    return 0;
  },
};
