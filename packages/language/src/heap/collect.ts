/**
 * Freeing what is no longer reached, between two requests, when no value stands in a variable of the program. Marks are bits, one for two
 * cells. Objects stay where they are; memory.ts fills the ranges between them.
 *
 * An environment has no size of its own: its code knows it, so whatever refers to an environment gives the scope that it is for.
 */
import { type Address, firstCell, freeRanges, heap, heapSize, kind, type Slot, usedEnd } from "./memory.ts";
import { setMark, valuesFound } from "./set.ts";
import { clearPlan, firstKey } from "./shape.ts";
import { isEverythingHeld, type Kept, type Marker, tables } from "./tables.ts";
import { application2Code, applicationCode, blackHole, done, failed, nativeCode } from "./thunk.ts";

/** The scopes of all code. */
export interface Scopes {
  /** Returns the scope in which a node runs; undefined for a node that is not known. */
  scopeOf(node: number): number | undefined;
  /** Returns the number of slots of a scope's environment; the scope without variables has none, and no environment. */
  sizeOf(scope: number): number;
  outerOf(scope: number): number;
}

/** The result of a collection, in bytes. */
export interface Collected {
  readonly before: number;
  readonly after: number;
}

/** Ranges of fewer cells are not worth filling. */
const smallestRange = 128;

/** The kinds of objects, as a dump names them. */
export type ObjectKind =
  | "thunk"
  | "application"
  | "environment"
  | "string"
  | "joined string"
  | "set"
  | "layered set"
  | "mapped set"
  | "forwarded set"
  | "shape"
  | "order of names"
  | "places"
  | "list"
  | "function"
  | "partial application"
  | "path"
  | "number"
  | "constant";

/** Receives each object that is reached, once: the address of its first cell, and their number. */
export type ObjectVisitor = (what: ObjectKind, at: number, cells: number) => void;

class Unknown extends Error {}

class Marking implements Marker, Kept {
  readonly natives = new Set<number>();
  readonly failures = new Set<number>();
  private readonly scopes: Scopes;
  private readonly visit: ObjectVisitor | undefined;
  private readonly bits: Int32Array;
  /** Pairs that are yet to be looked at: of a value and -1, or of an environment and its scope. */
  private stack = new Int32Array(65536);
  private depth = 0;

  constructor(scopes: Scopes, visit?: ObjectVisitor) {
    this.scopes = scopes;
    this.visit = visit;
    this.bits = new Int32Array((usedEnd() >>> 6) + 2);
  }

  has(at: number): boolean {
    return (this.bits[at >>> 6]! & (1 << ((at >>> 1) & 31))) !== 0;
  }

  slot(slot: Slot): void {
    this.push(slot, -1);
    this.run();
  }

  shape(shape: Address): void {
    this.markShape(shape);
  }

  places(places: number): void {
    this.markPlaces(places);
    this.run();
  }

  environment(env: Address, slots: number): void {
    if (!this.claim(env, slots + 1, "environment")) return;
    for (let i = 1; i <= slots; i++) this.push(heap[env + i]!, -1);
    this.run();
  }

  /** Marks an object; returns false when it is marked already. */
  private claim(at: number, cells: number, what: ObjectKind): boolean {
    const { bits } = this;
    const first = at >>> 1;
    if ((bits[first >>> 5]! & (1 << (first & 31))) !== 0) return false;
    this.visit?.(what, at, cells);
    const end = (at + cells + 1) >>> 1;
    for (let i = first; i < end; ) {
      if ((i & 31) === 0 && i + 32 <= end) {
        bits[i >>> 5] = -1;
        i += 32;
      } else {
        bits[i >>> 5] = bits[i >>> 5]! | (1 << (i & 31));
        i++;
      }
    }
    return true;
  }

  private push(what: number, scope: number): void {
    // Integers of 31 bits, and slots that are not set.
    if (scope < 0 && ((what & 1) === 1 || what === 0)) return;
    if (this.depth + 2 > this.stack.length) {
      const larger = new Int32Array(2 * this.stack.length);
      larger.set(this.stack);
      this.stack = larger;
    }
    this.stack[this.depth++] = what;
    this.stack[this.depth++] = scope;
  }

  private run(): void {
    while (this.depth > 0) {
      const scope = this.stack[--this.depth]!;
      const what = this.stack[--this.depth]!;
      if (scope >= 0) this.markEnvironment(what, scope);
      else {
        switch (what & 7) {
          case 0:
            this.markThunk(what >>> 2);
            break;
          case 2:
            this.markSet(what >>> 2);
            break;
          case 4:
            this.markString((what >>> 2) - 1);
            break;
          case 6:
            this.markRecord((what >>> 2) - 1);
            break;
          default:
            throw new Unknown(`the value ${what} is of no kind`);
        }
      }
    }
  }

  /** Marks an environment and those around it. */
  private markEnvironment(start: number, inner: number): void {
    let env = start;
    let scope = inner;
    while (env !== 0) {
      const size = this.scopes.sizeOf(scope);
      if (scope === 0) throw new Unknown(`the environment ${env} is of no scope`);
      if (!this.claim(env, size + 1, "environment")) return;
      for (let i = 1; i <= size; i++) this.push(heap[env + i]!, -1);
      env = heap[env]!;
      scope = this.scopes.outerOf(scope);
    }
  }

  private codeEnvironment(node: number, env: number): void {
    const scope = this.scopes.scopeOf(node);
    if (scope === undefined) throw new Unknown(`the node ${node} is of no known code`);
    if (env !== 0 && scope !== 0) this.push(env, scope);
  }

  private markThunk(at: number): void {
    if (!this.claim(at, 2, "thunk")) return;
    const code = heap[at]!;
    const second = heap[at + 1]!;
    switch (code) {
      case done:
        this.push(second, -1);
        return;
      case failed:
        this.failures.add(second);
        return;
      case blackHole:
        throw new Unknown("a value is being evaluated");
      case applicationCode:
      case application2Code:
        if (!this.claim(second, code + 1, "application")) return;
        for (let i = 0; i <= code; i++) this.push(heap[second + i]!, -1);
        return;
      case nativeCode:
        this.natives.add(second);
        return;
      default:
        this.codeEnvironment(code, second);
    }
  }

  private markString(at: number): void {
    const length = heap[at]!;
    if (length >= 0) this.claim(at, 2 + ((length + 3) >> 2), "string");
    else if (this.claim(at, 4, "joined string")) {
      this.push(heap[at + 2]!, -1);
      this.push(heap[at + 3]!, -1);
    }
  }

  private markShape(at: number): void {
    const size = heap[at]!;
    if (!this.claim(at, firstKey + size, "shape")) return;
    clearPlan(at as Address);
    const order = heap[at + 1]!;
    if (order !== 0) this.claim(order, Math.max(2, size), "order of names");
  }

  private markPlaces(start: number): void {
    const waiting = [start];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (at === 0) continue;
      if (heap[at]! >= 0) {
        this.markShape(heap[at]!);
        this.claim(at, 2 + heap[heap[at]!]!, "places");
      } else if (this.claim(at, 4, "places")) {
        this.markShape(heap[at + 1]!);
        waiting.push(heap[at + 2]!, heap[at + 3]!);
      }
    }
  }

  private markSet(at: number): void {
    const shape = heap[at]!;
    if (shape > 0) {
      const size = heap[shape]!;
      if (!this.claim(at, 2 + size, "set")) return;
      this.markShape(shape);
      this.markPlaces(heap[at + 1]!);
      for (let i = 0; i < size; i++) this.push(heap[at + 2 + i]!, -1);
      return;
    }
    const mark = setMark(at);
    const ofShape = mark === "mapped" ? heap[at + 3]! : 0;
    const size = ofShape > 0 ? heap[ofShape]! : 0;
    if (!this.claim(at, mark === "forwarded" ? 2 : 4 + size, `${mark} set`)) return;
    this.push(heap[at + 1]!, -1);
    if (mark === "forwarded") return;
    this.push(heap[at + 2]!, -1);
    if (ofShape > 0) this.markShape(ofShape);
    for (let i = 0; i < size; i++) this.push(heap[at + 4 + i]!, -1);
    if (ofShape < 0) for (const slot of valuesFound(~ofShape)) this.push(slot, -1);
  }

  private markRecord(at: number): void {
    const first = heap[at]!;
    const count = first >>> 4;
    switch (first & 15) {
      case kind.list:
        if (this.claim(at, 1 + count, "list")) for (let i = 1; i <= count; i++) this.push(heap[at + i]!, -1);
        return;
      case kind.lambda:
        if (this.claim(at, 2, "function")) this.codeEnvironment(first >>> 5, heap[at + 1]!);
        return;
      case kind.partialLambda:
      case kind.partialBuiltin:
        if (this.claim(at, 2 + count, "partial application"))
          for (let i = 1; i <= 1 + count; i++) this.push(heap[at + i]!, -1);
        return;
      case kind.path:
        if (this.claim(at, 2, "path")) this.push(heap[at + 1]!, -1);
        return;
      case kind.float:
      case kind.integer:
        this.claim(at, 4, "number");
        return;
      case kind.builtin:
      case kind.boolean:
      case kind.null:
        this.claim(at, 2, "constant");
        return;
      default:
        throw new Unknown(`the record at ${at} is of no kind`);
    }
  }

  /** Frees what is not marked; cells before `base` stay. */
  free(base: number): void {
    const end = usedEnd();
    const { bits } = this;
    const ranges: { start: number; end: number }[] = [];
    let i = base >>> 1;
    const last = end >>> 1;
    let inUse = end;
    while (i < last) {
      if ((bits[i >>> 5]! & (1 << (i & 31))) !== 0) {
        i = (i & 31) === 0 && bits[i >>> 5] === -1 ? i + 32 : i + 1;
        continue;
      }
      const start = i;
      while (i < last && (bits[i >>> 5]! & (1 << (i & 31))) === 0)
        i = (i & 31) === 0 && bits[i >>> 5] === 0 ? i + 32 : i + 1;
      if (i > last) i = last;
      const cells = 2 * (i - start);
      if (cells < smallestRange) continue;
      ranges.push({ start: 2 * start, end: 2 * i });
      inUse -= cells;
    }
    freeRanges(ranges, inUse - firstCell);
  }
}

let base = 0;

/** Sets the end of what stays in any case: what the modules of the program have made while they were loaded. */
export function startOfEvaluations(): void {
  if (base === 0) base = usedEnd();
}

/** Shows all that tables hold to a visitor. Returns false when something is met that is not known to the last cell. */
export function visitObjects(scopes: Scopes, visit: ObjectVisitor): boolean {
  return markAll(new Marking(scopes, visit));
}

function markAll(marking: Marking): boolean {
  try {
    for (const table of tables) table.mark?.(marking);
    return true;
  } catch (error) {
    if (error instanceof Unknown) return false;
    throw error;
  }
}

/**
 * Frees all that no table holds. Returns undefined, and frees nothing, when something is met that is not known to the last cell,
 * such as a value that is being evaluated.
 */
export function collectGarbage(scopes: Scopes): Collected | undefined {
  if (isEverythingHeld()) return undefined;
  const marking = new Marking(scopes);
  if (!markAll(marking)) return undefined;
  for (const table of tables) table.sweep?.(marking);
  const before = heapSize();
  marking.free(base);
  return { before: 4 * before, after: 4 * heapSize() };
}
