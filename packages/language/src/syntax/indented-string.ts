/** Strips the common indentation of ''…'' strings. Only spaces count, and only in text that no escape made. */
import type { Expr } from "./ast.ts";

export type IndentedPart =
  | { readonly pos: number; readonly text: string; readonly indents: boolean }
  | { readonly pos: number; readonly expr: Expr };

const space = 32;
const newline = 10;

function endOfSpaces(text: string, from: number): number {
  let i = from;
  while (text.charCodeAt(i) === space) i++;
  return i;
}

function minimumIndent(parts: readonly IndentedPart[]): number {
  let atStart = true;
  let minimum = 1000000;
  let current = 0;
  for (const part of parts) {
    if ("expr" in part || !part.indents) {
      if (atStart) {
        atStart = false;
        if (current < minimum) minimum = current;
      }
      continue;
    }
    const text = part.text;
    for (let i = 0; i < text.length; ) {
      if (!atStart) {
        const next = text.indexOf("\n", i);
        if (next < 0) break;
        atStart = true;
        current = 0;
        i = next + 1;
        continue;
      }
      const end = endOfSpaces(text, i);
      current += end - i;
      i = end;
      if (i === text.length) break;
      if (text.charCodeAt(i) === newline) {
        current = 0;
        i++;
      } else {
        atStart = false;
        if (current < minimum) minimum = current;
      }
    }
  }
  return minimum;
}

export function stripIndentation(parts: readonly IndentedPart[], pos: number): Expr {
  const minimum = minimumIndent(parts);
  const out: { pos: number; expr: Expr }[] = [];
  let atStart = true;
  let dropped = 0;
  for (let n = 0; n < parts.length; n++) {
    const part = parts[n]!;
    if ("expr" in part) {
      atStart = false;
      dropped = 0;
      out.push({ pos: part.pos, expr: part.expr });
      continue;
    }
    const text = part.text;
    let result = "";
    for (let i = 0; i < text.length; ) {
      if (atStart) {
        const end = endOfSpaces(text, i);
        const spaces = end - i;
        i += Math.min(spaces, Math.max(0, minimum - dropped));
        if (end === text.length) {
          dropped += spaces;
          result += text.slice(i);
          break;
        }
        dropped = 0;
      }
      const next = text.indexOf("\n", i);
      atStart = next >= 0;
      const end = atStart ? next + 1 : text.length;
      result += text.slice(i, end);
      i = end;
    }
    if (n === parts.length - 1) {
      const last = result.lastIndexOf("\n");
      if (last >= 0 && /^ *$/.test(result.slice(last + 1))) result = result.slice(0, last + 1);
    }
    if (result !== "") out.push({ pos: part.pos, expr: { kind: "string", value: result } });
  }
  if (out.length === 0) return { kind: "string", value: "" };
  const first = out[0]!.expr;
  if (out.length === 1 && first.kind === "string") return first;
  return { kind: "concat", forceString: true, parts: out, pos };
}
