import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { printChunks } from "../render/output.ts";
import { withFileOfStore } from "./store-ls.ts";

/** `firn store cat`: prints a file of the store. */
export const command: Command = {
  positionals: [{ label: "path", kind: "path" }],
  flags: [],
  run: (invocation, io) =>
    withFileOfStore(invocation, io, async ({ tree, place, path }) => {
      if (tree.find(place) === undefined) throw new FirnError("not-found", `path '${path}' does not exist`);
      await printChunks(io, tree.read(place));
      return 0;
    }),
};
