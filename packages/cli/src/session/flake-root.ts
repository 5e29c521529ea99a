/** The flake around a directory. */
import { dirname, join } from "node:path";
import { existsSync } from "@firn/store/files";

/** Returns the nearest directory, itself or above, with a `flake.nix`; the directory itself when there is none. */
export function flakeRoot(directory: string): string {
  for (let current = directory; ; current = dirname(current)) {
    if (existsSync(join(current, "flake.nix"))) return current;
    if (current === dirname(current)) return directory;
  }
}
