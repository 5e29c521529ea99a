/** "Did you mean …?" for a missing name. */
import { nearNames } from "@firn/formats";

/** Returns the names similar to `wanted`, nearest first. */
export function suggest(names: Iterable<string>, wanted: string): string[] {
  return nearNames(wanted, names);
}
