/**
 * String contexts: sorted sets of interned elements, by number, merged with a memo of one entry, because long chains of
 * concatenation merge the same two again and again. 0 is no context.
 */
import type { ContextId } from "../heap/string.ts";
import { addTable } from "../heap/tables.ts";
import type { ContextElement } from "../host.ts";

class Context {
  readonly elements: readonly number[];
  mergedWith: ContextId;
  mergeResult: ContextId;
  constructor(elements: readonly number[]) {
    this.elements = elements;
    this.mergedWith = 0;
    this.mergeResult = 0;
  }
}

const contexts: Context[] = [new Context([])];

function addContext(elements: readonly number[]): ContextId {
  return contexts.push(new Context(elements)) - 1;
}

/** Elements by number, and those of their texts that were needed so far. */
const known: ContextElement[] = [];
const texts: (string | undefined)[] = [];

/** The kinds of elements by number, as images have them. */
const kinds = ["opaque", "deep", "output"] as const;

addTable({
  save(to) {
    to.cells(
      "contexts",
      contexts.flatMap(({ elements }) => [elements.length, ...elements]),
    );
    to.cells(
      "kinds of context elements",
      known.map(({ kind }) => kinds.indexOf(kind)),
    );
    to.texts(
      "context elements",
      known.flatMap((element) =>
        element.kind === "opaque"
          ? [element.path, ""]
          : [element.drvPath, element.kind === "output" ? element.output : ""],
      ),
    );
  },
  load(from) {
    const elements = from.texts("context elements");
    from.cells("kinds of context elements").forEach((kind, i) => {
      const path = elements[2 * i]!;
      if (kind === 0) known.push({ kind: "opaque", path });
      else if (kind === 1) known.push({ kind: "deep", drvPath: path });
      else known.push({ kind: "output", drvPath: path, output: elements[2 * i + 1]! });
      texts.push(undefined);
    });
    const cells = from.cells("contexts");
    for (let at = cells[0]! + 1; at < cells.length; at += cells[at]! + 1) {
      const members = [...cells.subarray(at + 1, at + 1 + cells[at]!)];
      const context = addContext(members);
      if (members.length === 1) rememberElement(known[members[0]!]!, context);
    }
  },
});

/** Lets the context of an element be found. */
function rememberElement(element: ContextElement, context: ContextId): void {
  if (element.kind === "opaque") {
    paths.set(element.path, context);
    return;
  }
  let derivation = derivations.get(element.drvPath);
  if (derivation === undefined) {
    derivation = { deep: undefined, outputs: new Map() };
    derivations.set(element.drvPath, derivation);
  }
  if (element.kind === "deep") derivation.deep = context;
  else derivation.outputs.set(element.output, context);
}

const paths = new Map<string, ContextId>();
/** Contexts of each derivation: itself (deep) and its outputs by name. */
const derivations = new Map<string, { deep: ContextId | undefined; readonly outputs: Map<string, ContextId> }>();

function newElement(element: ContextElement): ContextId {
  known.push(element);
  texts.push(undefined);
  return addContext([known.length - 1]);
}

/** Returns the context of one element. */
export function contextOf(element: ContextElement): ContextId {
  if (element.kind === "opaque") {
    let context = paths.get(element.path);
    if (context === undefined) {
      context = newElement(element);
      paths.set(element.path, context);
    }
    return context;
  }
  let derivation = derivations.get(element.drvPath);
  if (derivation === undefined) {
    derivation = { deep: undefined, outputs: new Map() };
    derivations.set(element.drvPath, derivation);
  }
  if (element.kind === "deep") {
    derivation.deep ??= newElement(element);
    return derivation.deep;
  }
  let context = derivation.outputs.get(element.output);
  if (context === undefined) {
    context = newElement(element);
    derivation.outputs.set(element.output, context);
  }
  return context;
}

/** Returns an element in the reference's notation: `/nix/store/…`, `=/nix/store/….drv` (deep), `!out!/nix/store/….drv` (output). */
function textAt(number: number): string {
  let text = texts[number];
  if (text === undefined) {
    text = contextText(known[number]!);
    texts[number] = text;
  }
  return text;
}

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

/** Returns all elements, in the order in which the process first saw them. */
export function unorderedElements(context: ContextId): ContextElement[] {
  return contexts[context]!.elements.map(elementAt);
}

/** Returns all elements, in the reference's order of their text. */
export function contextElements(context: ContextId): ContextElement[] {
  const numbers = [...contexts[context]!.elements];
  numbers.sort((a, b) => (textAt(a) < textAt(b) ? -1 : 1));
  return numbers.map(elementAt);
}

/** Returns the context with the elements of both. */
export function mergeContexts(a: ContextId, b: ContextId): ContextId {
  if (a === 0) return b;
  if (b === 0 || a === b) return a;
  const left = contexts[a]!;
  if (left.mergedWith === b) return left.mergeResult;
  const x = left.elements;
  const y = contexts[b]!.elements;
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
  const result = merged.length === x.length ? a : merged.length === y.length ? b : addContext(merged);
  left.mergedWith = b;
  left.mergeResult = result;
  return result;
}
