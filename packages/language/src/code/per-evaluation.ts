/** Values that a builtin keeps for one evaluation. */
import { type EvaluatorState, evaluation } from "./interpret.ts";

/** One value for each evaluation, made at its first use and gone with the evaluation. */
export class PerEvaluation<T> {
  readonly #make: () => T;
  readonly #made = new WeakMap<EvaluatorState, T>();

  constructor(make: () => T) {
    this.#make = make;
  }

  /** Returns the value of the running evaluation. */
  get(): T {
    const owner = evaluation();
    let value = this.#made.get(owner);
    if (value === undefined) {
      value = this.#make();
      this.#made.set(owner, value);
    }
    return value;
  }

  /** Forgets the value of an evaluation, so that the next `get` makes it anew. */
  forget(owner: EvaluatorState): void {
    this.#made.delete(owner);
  }
}
