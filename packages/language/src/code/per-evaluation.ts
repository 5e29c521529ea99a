/** Values that a builtin keeps for one evaluation. */
import { addHolder, addTable, type Marker } from "../heap/tables.ts";
import { type EvaluatorState, evaluation } from "./interpret.ts";

/** One value for each evaluation, made at its first use and gone with the evaluation. */
export class PerEvaluation<T> {
  readonly #make: () => T;
  readonly #mark: ((value: T, marker: Marker) => void) | undefined;
  #made = new WeakMap<EvaluatorState, T>();

  /** Takes what makes a value, and what marks the values of the language in it. A memo of such values is forgotten in a collection. */
  constructor(make: () => T, kept: "memo" | "plain" | ((value: T, marker: Marker) => void)) {
    this.#make = make;
    this.#mark = typeof kept === "function" ? kept : undefined;
    if (kept === "memo") addTable({ sweep: () => (this.#made = new WeakMap()) });
  }

  /** Returns the value of the running evaluation. */
  get(): T {
    const owner = evaluation();
    let value = this.#made.get(owner);
    if (value === undefined) {
      value = this.#make();
      this.#made.set(owner, value);
      this.#hold(owner);
    }
    return value;
  }

  #hold(owner: EvaluatorState): void {
    const mark = this.#mark;
    if (mark === undefined) return;
    addHolder(owner, (state, marker) => {
      const value = this.#made.get(state);
      if (value !== undefined) mark(value, marker);
    });
  }

  /** Forgets the value of an evaluation, so that the next `get` makes it anew. */
  forget(owner: EvaluatorState): void {
    this.#made.delete(owner);
  }
}
