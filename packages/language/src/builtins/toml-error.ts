/** Errors of `fromTOML`, in the words and the layout of the reference's TOML library. */

export class TomlError extends Error {}

/** Offsets of a piece of the text. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

export interface Note extends Region {
  readonly text: string;
}

export const keyAdvice = "Hint: non-ASCII scripts are allowed in toml v1.1.0, but not in v1.0.0.\n";
export const integerAdvice =
  "Hint: valid  : -42, 1_000, 1_2_3_4_5, 0xC0FFEE, 0b0010, 0o755\nHint: invalid: _42, 1__000, 0123\n";
export const floatAdvice =
  "Hint: valid  : +1.0, -2e-2, 3.141_592_653_589, inf, nan\nHint: invalid: .0, 1., _1.0, 1.0_, 1_.0, 1.0__0\n";
export const invalidKey = "toml::parse_simple_key: invalid key: key must be \"quoted\", 'quoted-literal', or bare key.";
export const keyLetters = "expected alpha [a-zA-Z], digit [0-9], -, or _";

/** Makes an error in the layout of the reference's TOML library: title, source lines with marks, advice. */
export function report(
  text: string,
  title: string,
  at: { readonly notes: readonly Note[]; readonly advice?: string },
): string {
  const places = at.notes.map(({ start, end, text: note }) => {
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const lineEnd = text.indexOf("\n", start);
    const line = text
      .slice(lineStart, lineEnd < 0 ? text.length : lineEnd)
      .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => `0x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
    const number = String(text.slice(0, start).split("\n").length);
    return { number, line, column: start - lineStart, length: Math.max(1, end - start), note };
  });
  const width = Math.max(...places.map(({ number }) => number.length));
  const margin = " ".repeat(width + 2);
  const shown = places.map(
    ({ number, line, column, length, note }) =>
      `${margin}|\n ${number.padStart(width)} | ${line}\n${margin}| ${" ".repeat(column)}${"^".repeat(length)}-- ${note}\n`,
  );
  return `[error] ${title}\n --> fromTOML\n${shown.join(`${margin}| ...\n`)}${at.advice ?? ""}`;
}
