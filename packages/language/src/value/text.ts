/** Text forms of single values: quoted strings and the three forms of floats. */

/** Returns a string literal, as the value printers write it. */
export function quoteString(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text;
  let out = '"';
  for (let i = 0; i < cut.length; i++) {
    const c = cut[i]!;
    switch (c) {
      case '"':
      case "\\":
        out += `\\${c}`;
        break;
      case "\n":
        out += "\\n";
        break;
      case "\r":
        out += "\\r";
        break;
      case "\t":
        out += "\\t";
        break;
      case "$":
        out += text[i + 1] === "{" ? "\\$" : "$";
        break;
      default:
        out += c;
    }
  }
  out += '"';
  if (cut.length === text.length) return out;
  const rest = text.length - cut.length;
  return `${out} \xc2\xab${rest} ${rest === 1 ? "byte" : "bytes"} elided\xc2\xbb`;
}

/** Formats a float as C's `%g`: six significant digits, exponent of at least two digits. */
export function formatFloat(value: number): string {
  return formatGeneral(value, 6);
}

/** Formats a float as C's `%.<precision>g`. */
function formatGeneral(value: number, precision: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponentText] = value.toExponential(precision - 1).split("e") as [string, string];
  const exponent = Number(exponentText);
  const trim = (digits: string) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
  if (exponent < -4 || exponent >= precision) return trim(mantissa) + exponentSuffix(exponent);
  return trim(value.toFixed(precision - 1 - exponent));
}

function exponentSuffix(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `e${exponent < 0 ? "-" : "+"}${digits}`;
}

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return undefined;
}

/** Formats a float as C's `%f`, which `toString` uses: six decimals, never an exponent. */
export function formatFixed(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  if (Math.abs(value) < 1e21) return value.toFixed(6);
  // toFixed turns to exponents here; such doubles are whole numbers.
  return `${BigInt(value)}.000000`;
}

/** Formats a float for JSON: the shortest form that reads back, always recognisable as a float. */
export function formatJsonFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponentText] = value.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 15) return mantissa + exponentSuffix(exponent);
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}
