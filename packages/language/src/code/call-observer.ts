/** The interface by which an evaluation tells of its calls. */
import type { Slot, Value } from "../heap/memory.ts";

/** Hears of each call that an evaluation makes. */
export interface CallObserver {
  /** Hears that a call begins: of which value, with which arguments, and where it is written; position 0 is nowhere. */
  enter(callee: Value, args: readonly Slot[], pos: number): void;
  /** Hears that the last call that began has ended, also by an error. */
  leave(): void;
}
