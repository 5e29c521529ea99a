/**
 * String contexts: sorted sets of interned elements, merged with a memo of one entry, because long chains of
 * concatenation merge the same two again and again.
 */
import type { ContextElement } from "../host.ts";

/** Elements by number, as text: `/nix/store/…`, `=/nix/store/….drv` (deep), `!out!/nix/store/….drv` (output). */
const texts: string[] = [];
const numbers = new Map<string, number>();

function numberOf(text: string): number {
  let number = numbers.get(text);
  if (number === undefined) {
    number = texts.length;
    texts.push(text);
    numbers.set(text, number);
  }
  return number;
}

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

const single: (Context | undefined)[] = [];

/** The context of one element. */
export function contextOf(element: ContextElement): Context {
  return contextOfText(contextText(element));
}

function contextOfText(text: string): Context {
  const number = numberOf(text);
  while (single.length <= number) single.push(undefined);
  let context = single[number];
  if (context === undefined) {
    context = new Context([number]);
    single[number] = context;
  }
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

function parseContextText(text: string): ContextElement {
  if (text.startsWith("=")) return { kind: "deep", drvPath: text.slice(1) };
  if (!text.startsWith("!")) return { kind: "opaque", path: text };
  const end = text.indexOf("!", 1);
  return { kind: "output", output: text.slice(1, end), drvPath: text.slice(end + 1) };
}

const parsed: (ContextElement | undefined)[] = [];

function elementAt(number: number): ContextElement {
  while (parsed.length <= number) parsed.push(undefined);
  let element = parsed[number];
  if (element === undefined) {
    element = parseContextText(texts[number]!);
    parsed[number] = element;
  }
  return element;
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
