/** Integers of command lines, as the reference reads them. */
import { UsageError } from "./usage-error.ts";

const unitBits: Readonly<Record<string, number>> = { K: 10, M: 20, G: 30, T: 40 };

/** Reads an integer, which a suffix K, M, G or T multiplies. Error `usage`. */
export function parseInteger(text: string): number {
  const unit = /[a-zA-Z]$/.exec(text)?.[0].toUpperCase();
  const bits = unit === undefined ? 0 : unitBits[unit];
  if (bits === undefined) throw new UsageError(`invalid unit specifier '${unit}'`);
  const digits = unit === undefined ? text : text.slice(0, -1);
  if (!/^-?[0-9]+$/.test(digits)) throw new UsageError(`'${digits}' is not an integer`);
  return Number(digits) * 2 ** bits;
}
