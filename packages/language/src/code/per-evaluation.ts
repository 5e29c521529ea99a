/** What a builtin keeps for one evaluation. */
import { type EvaluatorState, evaluation } from "./interpret.ts";

/** One value for each evaluation, made when it is first wanted, gone with it. */
export class PerEvaluation<T> {
  readonly #make: () => T;
  readonly #made = new WeakMap<EvaluatorState, T>();

  constructor(make: () => T) {
    this.#make = make;
  }

  /** The value of the evaluation that is running. */
  get(): T {
    const owner = evaluation();
    let value = this.#made.get(owner);
    if (value === undefined) {
      value = this.#make();
      this.#made.set(owner, value);
    }
    return value;
  }

  /** Has the next `get` in an evaluation make it anew. */
  forget(owner: EvaluatorState): void {
    this.#made.delete(owner);
  }
}
