/** Versions and package names: components, their order, and the end of a name. */

const digit = /[0-9]/;

/** Splits a version into runs of digits and runs of other characters; dots and dashes separate. */
export function versionComponents(version: string): string[] {
  const components: string[] = [];
  let i = 0;
  while (i < version.length) {
    if (version[i] === "." || version[i] === "-") {
      i++;
      continue;
    }
    const start = i;
    if (digit.test(version[i]!)) while (i < version.length && digit.test(version[i]!)) i++;
    else while (i < version.length && !digit.test(version[i]!) && version[i] !== "." && version[i] !== "-") i++;
    components.push(version.slice(start, i));
  }
  return components;
}

const number = /^[0-9]+$/;

function numeric(component: string): bigint | undefined {
  if (!number.test(component)) return undefined;
  const value = BigInt(component);
  return value > 2147483647n ? undefined : value;
}

function componentLess(a: string, b: string): boolean {
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined) return x < y;
  if (a === "" && y !== undefined) return true;
  if (a === "pre" && b !== "pre") return true;
  if (b === "pre") return false;
  if (y !== undefined) return true;
  if (x !== undefined) return false;
  return a < b;
}

/** Orders versions as the reference does: -1, 0 or 1. */
export function compareVersions(a: string, b: string): number {
  const x = versionComponents(a);
  const y = versionComponents(b);
  for (let i = 0; i < x.length || i < y.length; i++) {
    const p = x[i] ?? "";
    const q = y[i] ?? "";
    if (componentLess(p, q)) return -1;
    if (componentLess(q, p)) return 1;
  }
  return 0;
}

/** Splits `name-version`: the version starts after the first dash that no letter follows. */
export function parseDrvName(text: string): { name: string; version: string } {
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "-" && i + 1 < text.length && !/[a-zA-Z]/.test(text[i + 1]!)) {
      return { name: text.slice(0, i), version: text.slice(i + 1) };
    }
  }
  return { name: text, version: "" };
}
