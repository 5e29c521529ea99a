/**
 * Patterns that leave no choice: wherever a match stands, the next byte alone tells how it goes on, so that there is at most one way
 * to match a text. Whatever rules choose between several matches, that one is it. Such a pattern becomes a table.
 */

import type { Node } from "./regex-syntax.ts";

/** A step of a pattern. Steps are known by number. */
type Step =
  | { readonly kind: "set"; readonly bits: Uint8Array; next: number }
  | { readonly kind: "either"; readonly ways: number[] }
  /** Notes the place in a cell: the start of group n in cell 2n - 2, its end in the next one. */
  | { readonly kind: "note"; readonly cell: number; next: number }
  | { readonly kind: "begin" | "end"; next: number }
  | { readonly kind: "accept" };

const maxSteps = 300;
const maxStates = 60;

class TooMuch extends Error {}

class Steps {
  readonly all: Step[] = [{ kind: "accept" }];

  private add(step: Step): number {
    if (this.all.length === maxSteps) throw new TooMuch();
    return this.all.push(step) - 1;
  }

  /** Adds the steps of a node, after which `next` follows; returns the first of them. */
  of(node: Node, next: number): number {
    switch (node.kind) {
      case "set":
        return this.add({ kind: "set", bits: node.bits, next });
      case "begin":
      case "end":
        return this.add({ kind: node.kind, next });
      case "sequence":
        return node.items.reduceRight((after, item) => this.of(item, after), next);
      case "choice":
        return this.add({ kind: "either", ways: node.options.map((option) => this.of(option, next)) });
      case "group": {
        const end = this.add({ kind: "note", cell: 2 * node.index - 1, next });
        return this.add({ kind: "note", cell: 2 * node.index - 2, next: this.of(node.body, end) });
      }
      case "repeat":
        return this.repeated(node, next);
    }
  }

  private repeated(node: Node & { readonly kind: "repeat" }, next: number): number {
    let first = next;
    if (node.max === Number.POSITIVE_INFINITY) {
      const ways: number[] = [];
      first = this.add({ kind: "either", ways });
      ways.push(this.of(node.body, first), next);
    } else {
      for (let i = node.min; i < node.max; i++) {
        first = this.add({ kind: "either", ways: [this.of(node.body, first), next] });
      }
    }
    for (let i = 0; i < node.min; i++) first = this.of(node.body, first);
    return first;
  }
}

/** A way from one byte to the next one, or to the end. */
interface Way {
  /** The step of the next byte; 0 for the end. */
  readonly to: number;
  readonly cells: readonly number[];
}

class Choice extends Error {}

/** Finds the ways from a step on; throws where two lead to one step. */
function waysFrom(steps: readonly Step[], start: number, atBegin: boolean): Way[] {
  const ways: Way[] = [];
  const seen = new Set<number>();
  const go = (number: number, cells: readonly number[], ended: boolean): void => {
    if (seen.has(number)) throw new Choice();
    seen.add(number);
    const step = steps[number]!;
    switch (step.kind) {
      case "set":
        if (!ended) ways.push({ to: number, cells });
        return;
      case "accept":
        ways.push({ to: 0, cells });
        return;
      case "either":
        for (const way of step.ways) go(way, cells, ended);
        return;
      case "note":
        go(step.next, [...cells, step.cell], ended);
        return;
      case "begin":
        if (atBegin) go(step.next, cells, ended);
        return;
      case "end":
        go(step.next, cells, true);
        return;
    }
  };
  go(start, [], false);
  return ways;
}

/** A pattern as a table. */
export class OnePass {
  /** For each state and byte the number of a way, 0 for none. */
  private readonly ways: Uint8Array;
  /** The state that each way leads to. */
  private readonly states: Uint8Array;
  /** The place of the first cell of each way in `cells`, and the end of them. */
  private readonly starts: Uint16Array;
  private readonly cells: Uint8Array;
  /** The way of each state at the end of the text, 0 when that is too early. */
  private readonly ends: Uint8Array;
  /** The starts and ends of groups in the last text that matched; -1 for those that took no part. */
  readonly places: Int32Array;

  constructor(tables: {
    readonly ways: Uint8Array;
    readonly ends: Uint8Array;
    readonly made: readonly { readonly state: number; readonly cells: readonly number[] }[];
    readonly groups: number;
  }) {
    const { ways, ends, made, groups } = tables;
    this.ways = ways;
    this.ends = ends;
    this.states = Uint8Array.from(made, ({ state }) => state);
    this.cells = Uint8Array.from(made.flatMap(({ cells }) => cells));
    this.starts = new Uint16Array(made.length + 1);
    made.forEach(({ cells }, way) => {
      this.starts[way + 1] = this.starts[way]! + cells.length;
    });
    this.places = new Int32Array(2 * groups);
  }

  /** Tells whether the bytes from `start` to `end` match. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    const { ways, states, ends, places } = this;
    for (let i = 0; i < places.length; i++) places[i] = -1;
    let state = 0;
    for (let at = start; at < end; at++) {
      const way = ways[(state << 8) | bytes[at]!]!;
      if (way === 0) return false;
      this.note(way, at - start);
      state = states[way]!;
    }
    const way = ends[state]!;
    if (way === 0) return false;
    this.note(way, end - start);
    return true;
  }

  private note(way: number, place: number): void {
    const { starts, cells, places } = this;
    for (let i = starts[way]!, last = starts[way + 1]!; i < last; i++) places[cells[i]!] = place;
  }
}

/** Returns a pattern as a table; undefined when it is too large, or when a text may match in several ways. */
export function onePassOf(node: Node, groups: number): OnePass | undefined {
  if (groups > 100) return undefined;
  try {
    const steps = new Steps();
    return tableOf(steps.all, steps.of(node, 0), groups);
  } catch (error) {
    if (error instanceof Choice || error instanceof TooMuch) return undefined;
    throw error;
  }
}

function tableOf(steps: readonly Step[], start: number, groups: number): OnePass {
  // The state before the first byte, then one for each step that takes a byte.
  const states = [-1];
  const numbers = new Map<number, number>();
  const ways = new Uint8Array(256 * maxStates);
  const ends = new Uint8Array(maxStates);
  const made: { state: number; cells: readonly number[] }[] = [{ state: 0, cells: [] }];
  for (let state = 0; state < states.length; state++) {
    const from = states[state]!;
    const step = steps[from];
    for (const { to, cells } of waysFrom(steps, step?.kind === "set" ? step.next : start, state === 0)) {
      if (made.length === 256) throw new TooMuch();
      const target = steps[to]!;
      if (target.kind !== "set") {
        ends[state] = made.push({ state: 0, cells }) - 1;
        continue;
      }
      let number = numbers.get(to);
      if (number === undefined) {
        if (states.length === maxStates) throw new TooMuch();
        number = states.push(to) - 1;
        numbers.set(to, number);
      }
      const way = made.push({ state: number, cells }) - 1;
      for (let byte = 0; byte < 256; byte++) {
        if (target.bits[byte] === 0) continue;
        if (ways[(state << 8) | byte] !== 0) throw new Choice();
        ways[(state << 8) | byte] = way;
      }
    }
  }
  return new OnePass({ ways: ways.slice(0, 256 * states.length), ends: ends.slice(0, states.length), made, groups });
}
