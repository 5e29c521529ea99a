/** Dates and times of TOML. */

export class Timestamp {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Pattern of a date, a date with a time and optionally an offset, or a time, at one position of a text. */
export const datePattern =
  /(?:(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?)?|(\d{2}:\d{2}:\d{2})(\.\d+)?)(?![\w:])/y;

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Returns the normal form: "T" between date and time, the fraction cut to 3, 6 or 9 digits. */
export function timestampText(match: RegExpExecArray): string {
  const [, date, time, fraction, offset, localTime, localFraction] = match;
  const digits = (text: string | undefined) => {
    if (text === undefined) return "";
    const nine = text.slice(1, 10).padEnd(9, "0");
    if (nine === "000000000") return "";
    if (nine.endsWith("000000")) return `.${nine.slice(0, 3)}`;
    return nine.endsWith("000") ? `.${nine.slice(0, 6)}` : `.${nine}`;
  };
  if (localTime !== undefined) return localTime + digits(localFraction);
  if (time === undefined) return date!;
  return `${date}T${time}${digits(fraction)}${(offset ?? "").toUpperCase()}`;
}
