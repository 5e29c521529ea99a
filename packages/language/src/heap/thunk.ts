/** Thunks: delayed values. The first cell is the offset of the code to run, or a state; the second its environment, or what is left. */

import { allocate, heap, none, type Slot, type Value } from "./memory.ts";
import { addTable, ImageMismatch } from "./tables.ts";

/** A thunk that has its value. */
export const done = -1;
/** A thunk that is being evaluated. */
export const blackHole = -2;
/** A thunk whose evaluation failed; the second cell is the number of the failure. */
export const failed = -3;

/** The application of a function to one value; the environment is that of callee and value. Offsets below 16 are no code. */
export const applicationCode = 1;
/** The application of a function to two values. */
export const application2Code = 2;
/** A function of the host program; the environment is its number. */
export const nativeCode = 3;

export function makeThunk(code: number, env: number): Slot {
  const at = allocate(2);
  heap[at] = code;
  heap[at + 1] = env;
  return (at << 2) as Slot;
}

/** Returns the value of a slot if it is known already, else `none`. */
export function peekSlot(slot: Slot): Value {
  if ((slot & 7) !== 0) return slot as Value;
  const at = slot >>> 2;
  return (heap[at] === done ? heap[at + 1]! : none) as Value;
}

const natives: ((() => Value) | undefined)[] = [];

/** Delays a call of a function of the program. */
export function makeNativeThunk(compute: () => Value): Slot {
  return makeThunk(nativeCode, natives.push(compute) - 1);
}

const shared = new Map<() => Value, number>();

/** Delays a call of a function of the program that is the same for all evaluators, and stays. */
export function makeSharedThunk(compute: () => Value): Slot {
  let number = shared.get(compute);
  if (number === undefined) {
    number = natives.push(compute) - 1;
    shared.set(compute, number);
  }
  return makeThunk(nativeCode, number);
}

addTable({
  sweep(kept) {
    const stay = new Set(shared.values());
    natives.forEach((compute, number) => {
      if (compute !== undefined && !stay.has(number) && !kept.natives.has(number)) natives[number] = undefined;
    });
  },
  save() {
    // Those that are shared have the same numbers in each process.
    const waiting = natives.filter((compute) => compute !== undefined && !shared.has(compute));
    if (waiting.length > 0) throw new ImageMismatch("a function of the program was not called yet");
  },
});

export function nativeOf(number: number): () => Value {
  return natives[number]!;
}

/** Forgets the function of a native thunk that has its value. */
export function forgetNative(number: number): void {
  const compute = natives[number];
  if (compute !== undefined && !shared.has(compute)) natives[number] = undefined;
}
