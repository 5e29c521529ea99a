import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { narFileTree } from "@firn/store";
import { existsSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { listingFlags, printListing } from "../render/tree-listing.ts";

/** Returns the tree in an archive. Errors `not-found`, and those of archives. */
export function narTree(cwd: string, nar: string): ReturnType<typeof narFileTree> {
  const path = resolve(cwd, nar);
  if (!existsSync(path)) throw new FirnError("not-found", `opening NAR file "${nar}": No such file or directory`);
  return narFileTree(path);
}

/** Returns a place in an archive's tree without slashes at its ends, `""` for the root. */
export function narPlace(path: string): string {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .map((name) => `/${name}`)
    .join("");
}

/** `firn nar ls`: lists a directory in an archive. */
export const command: Command = {
  positionals: [{ label: "nar", kind: "path" }, { label: "path" }],
  flags: listingFlags,
  async run(invocation, io) {
    const [nar = "", path = ""] = invocation.positionals;
    printListing(io, invocation, { tree: narTree(io.cwd, nar), path: narPlace(path), shown: path });
    return 0;
  },
};
