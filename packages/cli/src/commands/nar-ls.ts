import { resolve } from "node:path";
import { narFileTree } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { listingFlags, printListing } from "../render/tree-listing.ts";

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
    printListing(io, invocation, { tree: narFileTree(resolve(io.cwd, nar)), path: narPlace(path), shown: path });
    return 0;
  },
};
