/** The directory of what evaluations keep. */
import { join } from "node:path";
import { userCacheDirectory } from "@firn/store/surroundings";

/**
 * Returns the directory of what evaluations keep, lowered code and answers: `$FIRN_CODE_CACHE` (empty: none), else a directory below
 * the user's cache.
 */
export function codeDirectory(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { FIRN_CODE_CACHE: chosen } = environment;
  if (chosen !== undefined) return chosen === "" ? undefined : chosen;
  const base = userCacheDirectory(environment);
  return base === undefined ? undefined : join(base, "firn/code");
}
