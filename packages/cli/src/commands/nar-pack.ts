import { resolve } from "node:path";
import { dumpPath } from "@firn/store";
import type { Command } from "../grammar/command.ts";

/** `firn nar pack`: writes a path as a NAR to standard output. */
export const command: Command = {
  positionals: [{ label: "path" }],
  flags: [],
  async run({ positionals }, io) {
    for (const chunk of dumpPath(resolve(io.cwd, positionals[0] ?? ""))) {
      io.out(chunk);
      await io.drained?.();
    }
    return 0;
  },
};
