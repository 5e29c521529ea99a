/** The versions that the program prints. */
import { nixVersion } from "@firn/formats/base";

/** Firn's own version. */
export const firnVersion = "0.1.0";

/** Returns the output of `--version`: the reference's line, to which Firn adds its own version under its own name. */
export function versionText(program: string): string {
  const line = `${program} (Nix) ${nixVersion}`;
  return program === "firn" ? `${line}, Firn ${firnVersion}\n` : `${line}\n`;
}
