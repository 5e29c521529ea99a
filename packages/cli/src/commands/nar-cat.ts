import { FirnError } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { printChunks } from "../render/output.ts";
import { narPlace, narTree } from "./nar-ls.ts";

/** `firn nar cat`: prints a file in an archive. */
export const command: Command = {
  positionals: [{ label: "nar", kind: "path" }, { label: "path" }],
  flags: [],
  async run({ positionals: [nar = "", path = ""] }, io) {
    const tree = narTree(io.cwd, nar);
    const place = narPlace(path);
    if (tree.find(place)?.kind !== "regular") {
      throw new FirnError("not-a-file", `NAR does not contain regular file '${place === "" ? "/" : place}'`);
    }
    await printChunks(io, tree.read(place));
    return 0;
  },
};
