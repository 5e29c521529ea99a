/**
 * String contexts: sorted sets of interned elements, merged with a memo of one entry, because long chains of
 * concatenation merge the same two again and again.
 */
import type { ContextElement } from "../host.ts";

/** Elements by number, and as text: `/nix/store/…`, `=/nix/store/….drv` (deep), `!out!/nix/store/….drv` (output). */
const known: ContextElement[] = [];
const texts: string[] = [];
const numbers = new Map<string, number>();

export class Context {
  readonly elements: readonly number[];
  mergedWith: Context | null;
  mergeResult: Context | null;
  constructor(elements: readonly number[]) {
    this.elements = elements;
    this.mergedWith = null;
    this.mergeResult = null;
  }
}

const single: Context[] = [];

/** The context of one element. */
export function contextOf(element: ContextElement): Context {
  const text = contextText(element);
  const number = numbers.get(text);
  if (number !== undefined) return single[number]!;
  const context = new Context([known.length]);
  numbers.set(text, known.length);
  known.push(element);
  texts.push(text);
  single.push(context);
  return context;
}

/** The reference's notation of an element. */
function contextText(element: ContextElement): string {
  switch (element.kind) {
    case "opaque":
      return element.path;
    case "deep":
      return `=${element.drvPath}`;
    case "output":
      return `!${element.output}!${element.drvPath}`;
  }
}

function elementAt(number: number): ContextElement {
  return known[number]!;
}

/** All elements, in the order in which the process first saw them. */
export function unorderedElements(context: Context | null): ContextElement[] {
  return context === null ? [] : context.elements.map(elementAt);
}

/** All elements, in the reference's order of their text. */
export function contextElements(context: Context | null): ContextElement[] {
  if (context === null) return [];
  const numbers = [...context.elements];
  numbers.sort((a, b) => (texts[a]! < texts[b]! ? -1 : 1));
  return numbers.map(elementAt);
}

export function mergeContexts(a: Context | null, b: Context | null): Context | null {
  if (a === null) return b;
  if (b === null || a === b) return a;
  if (a.mergedWith === b) return a.mergeResult;
  const x = a.elements;
  const y = b.elements;
  const merged: number[] = [];
  let i = 0;
  let j = 0;
  while (i < x.length && j < y.length) {
    const p = x[i]!;
    const q = y[j]!;
    if (p === q) {
      i++;
      j++;
      merged.push(p);
    } else if (p < q) {
      i++;
      merged.push(p);
    } else {
      j++;
      merged.push(q);
    }
  }
  while (i < x.length) merged.push(x[i++]!);
  while (j < y.length) merged.push(y[j++]!);
  const result = merged.length === x.length ? a : merged.length === y.length ? b : new Context(merged);
  a.mergedWith = b;
  a.mergeResult = result;
  return result;
}
