/** Ages on command lines: `30d`. */
import { FirnError } from "@firn/formats";

const secondsPerDay = 86_400;

/** Returns the time that is so many days ago, in seconds since 1970. Error `usage` for other words than `14d`. */
export function timeOfAge(word: string): number {
  if (!word.endsWith("d"))
    throw new FirnError("usage", `invalid number of days specifier '${word}', expected something like '14d'`);
  const days = /^[+-]?[0-9]{1,9}$/.test(word.slice(0, -1)) ? Number(word.slice(0, -1)) : 0;
  if (days < 1) throw new FirnError("usage", `invalid number of days specifier '${word}'`);
  return Math.floor(Date.now() / 1000) - days * secondsPerDay;
}
