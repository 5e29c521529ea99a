/** "Did you mean …?" for a missing name. */
import { nearNames } from "@firn/formats";

/** The names that `wanted` may have meant, nearest first. */
export function suggest(names: Iterable<string>, wanted: string): string[] {
  return nearNames(wanted, names);
}
