/** Functions of the language and builtins. */
import { allocate, heap, kind, type Slot, type Value } from "./memory.ts";
import { addTable, ImageMismatch } from "./tables.ts";

/** Bit of a function's first cell. */
const freshBit = 16;

/**
 * Makes a function of the node with its code and its environment. `fresh` is true for a function made at once where the reference
 * delays it: until it is called or used, it is shown as delayed.
 */
export function makeLambda(node: number, env: number, fresh: boolean): Value {
  const at = allocate(2);
  heap[at] = (node << 5) | (fresh ? freshBit | kind.lambda : kind.lambda);
  heap[at + 1] = env;
  return ((at << 2) | 6) as Value;
}

export function lambdaNode(lambda: Slot): number {
  return heap[(lambda >>> 2) - 1]! >>> 5;
}

/** Returns the environment that a function was made in. */
export function lambdaClosure(lambda: Slot): number {
  return heap[lambda >>> 2]!;
}

export function isFresh(slot: Slot): boolean {
  return (slot & 7) === 6 && (heap[(slot >>> 2) - 1]! & 31) === (freshBit | kind.lambda);
}

/** Marks a value as used: if the reference had delayed it, it would no longer be delayed. */
export function markUsed(value: Slot): void {
  if ((value & 7) !== 6) return;
  const at = (value >>> 2) - 1;
  if ((heap[at]! & 31) === 18) heap[at] = heap[at]! & ~freshBit;
}

/** Makes a function with some of its arguments. */
export function makePartialLambda(lambda: Value, args: readonly Slot[]): Value {
  return partial(kind.partialLambda, lambda, args);
}

function partial(recordKind: number, callee: Value, args: readonly Slot[]): Value {
  const count = args.length;
  const at = allocate((count + 3) & -2);
  heap[at] = (count << 4) | recordKind;
  heap[at + 1] = callee;
  for (let i = 0; i < count; i++) heap[at + 2 + i] = args[i]!;
  return ((at << 2) | 6) as Value;
}

/** Returns the function or builtin of a partial one. */
export function partialCallee(value: Slot): Value {
  return heap[value >>> 2]! as Value;
}

/** Returns the number of arguments that a partial function or builtin has. */
export function partialCount(value: Slot): number {
  return heap[(value >>> 2) - 1]! >>> 4;
}

export function partialArgument(value: Slot, index: number): Slot {
  return heap[(value >>> 2) + 1 + index]! as Slot;
}

/** Returns a partial function or builtin with one more argument. */
export function withArgument(value: Value, argument: Slot): Value {
  const from = (value >>> 2) - 1;
  const count = heap[from]! >>> 4;
  const at = allocate((count + 4) & -2);
  heap[at] = ((count + 1) << 4) | (heap[from]! & 15);
  for (let i = 1; i <= count + 1; i++) heap[at + i] = heap[from + i]!;
  heap[at + 2 + count] = argument;
  return ((at << 2) | 6) as Value;
}

/** Returns a copy of a function or builtin that is not the same one for `==`. */
export function copyFunction(value: Value): Value {
  const from = (value >>> 2) - 1;
  const first = heap[from]!;
  if ((first & 15) === kind.lambda) return makeLambda(first >>> 5, heap[from + 1]!, false);
  const cells = (first & 1) === 1 ? ((first >>> 4) + 3) & -2 : 2;
  const at = allocate(cells);
  for (let i = 0; i < cells; i++) heap[at + i] = heap[from + i]!;
  return ((at << 2) | 6) as Value;
}

export type BuiltinFunction = (a: Slot, b: Slot, c: Slot) => Value;

/** A builtin function. */
export interface BuiltinInfo {
  readonly name: string;
  readonly arity: number;
  readonly call: BuiltinFunction;
  /** True when errors get a "while calling the … builtin" frame. */
  readonly traced: boolean;
  /** True when it has two arguments and forces first the one, then the other. */
  readonly strict: boolean;
}

const builtins: BuiltinInfo[] = [];
const numbers = new WeakMap<BuiltinInfo, number>();

addTable({
  save: (to) =>
    to.texts(
      "builtins",
      builtins.map(({ name }) => name),
    ),
  load(from) {
    const names = from.texts("builtins");
    if (names.length !== builtins.length || names.some((name, number) => builtins[number]!.name !== name)) {
      throw new ImageMismatch("the builtins have other numbers");
    }
  },
});

export function makeBuiltinValue(info: BuiltinInfo): Value {
  let number = numbers.get(info);
  if (number === undefined) {
    number = builtins.push(info) - 1;
    numbers.set(info, number);
  }
  const at = allocate(2);
  heap[at] = (number << 4) | kind.builtin;
  return ((at << 2) | 6) as Value;
}

/** Returns what is known of a builtin value. */
export function builtinOf(value: Slot): BuiltinInfo {
  return builtins[heap[(value >>> 2) - 1]! >>> 4]!;
}

/** Makes a builtin with some of its arguments. */
export function makePartialBuiltin(builtin: Value, args: readonly Slot[]): Value {
  return partial(kind.partialBuiltin, builtin, args);
}
