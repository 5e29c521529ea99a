/** The heap as text, for people who work on the evaluator: how much of what there is, and each object with what it refers to. */
import { type ObjectKind, type Scopes, visitObjects } from "../heap/collect.ts";
import { type Address, heap, heapSize, kind, type Value } from "../heap/memory.ts";
import { floatOf, integerOf } from "../heap/number.ts";
import { keysOf } from "../heap/shape.ts";
import { stringText } from "../heap/string.ts";
import { nameOf } from "../heap/symbol.ts";
import { application2Code, applicationCode, blackHole, done, failed, nativeCode } from "../heap/thunk.ts";
import { ints } from "./memory.ts";
import { opcodes } from "./opcodes.ts";

/** Length up to which texts are shown whole, and number of cells of an object that are shown. */
const shownLength = 60;
const shownCells = 24;

/**
 * Returns a line for each kind of object that something reaches, with number and size, the largest first, and with `objects` a line for each object by address: its
 * kind, and its cells with references as `@address`. Undefined while something is being evaluated.
 */
export function dumpHeap(scopes: Scopes, { objects }: { readonly objects: boolean }): string | undefined {
  const totals = new Map<ObjectKind, { count: number; cells: number }>();
  const lines: { readonly at: number; readonly text: string }[] = [];
  const isWhole = visitObjects(scopes, (what, at, cells) => {
    const total = totals.get(what) ?? { count: 0, cells: 0 };
    totals.set(what, { count: total.count + 1, cells: total.cells + ((cells + 1) & -2) });
    if (objects) lines.push({ at, text: `@${at} ${what}: ${detail(what, at, cells)}\n` });
  });
  if (!isWhole) return undefined;
  const sorted = [...totals].sort(([, a], [, b]) => b.cells - a.cells);
  const rows = [
    ["kind", "objects", "bytes"],
    ...sorted.map(([what, { count, cells }]) => [what, String(count), String(4 * cells)]),
    ["all in use, also what nothing reaches", "", String(4 * heapSize())],
  ];
  const table = rows.map(
    ([name = "", ...figures]) => `${name.padEnd(37)}${figures.map((f) => f.padStart(12)).join("")}\n`,
  );
  return [...table, ...lines.sort((a, b) => a.at - b.at).map(({ text }) => text)].join("");
}

function detail(what: ObjectKind, at: number, cells: number): string {
  switch (what) {
    case "thunk":
      return thunkDetail(heap[at]!, heap[at + 1]!);
    case "string":
      return shownText(stringText(((at << 2) | 4) as Value));
    case "number": {
      const value = (((at + 1) << 2) | 6) as Value;
      return String((heap[at]! & 15) === kind.float ? floatOf(value) : integerOf(value));
    }
    case "shape":
      return shownText(
        keysOf(at as Address)
          .map(nameOf)
          .join(" "),
      );
    case "set":
      return attributes(heap[at]!, at + 2);
    case "function":
      return `${codeName(heap[at]! >>> 5)} in @${heap[at + 1]}`;
    case "environment":
      return `in @${heap[at]}: ${references(at + 1, at + cells)}`;
    case "list":
    case "partial application":
    case "path":
    case "layered set":
    case "mapped set":
    case "forwarded set":
      return references(at + 1, at + cells);
    case "joined string":
      return references(at + 2, at + 4);
    case "application":
      return references(at, at + cells);
    case "order of names":
    case "places":
    case "constant":
      return `${cells} cells`;
  }
}

function attributes(shape: number, at: number): string {
  const names = keysOf(shape as Address).map(nameOf);
  return names.length > shownCells
    ? `${names.length} attributes of @${shape}`
    : names.map((name, i) => `${name}=${reference(heap[at + i]!)}`).join(" ");
}

function thunkDetail(code: number, second: number): string {
  switch (code) {
    case done:
      return `done, ${reference(second)}`;
    case failed:
      return `failed, failure ${second}`;
    case blackHole:
      return "being evaluated";
    case nativeCode:
      return `function ${second} of the program`;
    case applicationCode:
    case application2Code:
      return `application @${second}`;
    default:
      return `${codeName(code)} in @${second}`;
  }
}

/** Returns the name of a node's opcode, and where it lies. */
function codeName(node: number): string {
  return `${opcodes[ints[node]!]?.name ?? "?"} at ${node}`;
}

function references(from: number, to: number): string {
  const shown = Array.from({ length: Math.min(to - from, shownCells) }, (_, i) => reference(heap[from + i]!));
  return `${shown.join(" ")}${to - from > shownCells ? ` and ${to - from - shownCells} more` : ""}`;
}

/** Returns a small integer as it is, and the address of the first cell of anything else. */
function reference(slot: number): string {
  if ((slot & 1) === 1) return String(slot >> 1);
  if (slot === 0) return "unset";
  return `@${(slot & 7) === 0 || (slot & 7) === 2 ? slot >>> 2 : (slot >>> 2) - 1}`;
}

function shownText(text: string): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
}
