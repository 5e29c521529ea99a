/** Flakes in Git work trees of this machine. */
import { join } from "node:path";
import { localRepository } from "@firn/fetch";
import { existsSync } from "@firn/store/files";
import type { FlakeRef } from "../refs/reference.ts";

/** Returns the directory of the Git work tree that a reference means as it stands; undefined for revisions and all other sources. */
export function workTreeOf({ input }: FlakeRef): string | undefined {
  if (input.get("type") !== "git" || input.has("rev") || input.has("ref")) return undefined;
  const directory = localRepository(input);
  return directory !== undefined && existsSync(join(directory, ".git")) ? directory : undefined;
}
