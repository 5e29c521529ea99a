/** Lets a limited number of tasks run at once, in the order of their names, or in which they asked. */
import { compareByteStrings } from "@firn/formats";

/** Counts free slots. */
export class Semaphore {
  #free: number;
  readonly #waiting: { readonly name: string; readonly begin: () => void }[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Runs `task` as soon as a slot is free and returns its result. Of those that wait, the first by name comes first. */
  async run<T>(task: () => Promise<T>, name = ""): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((begin) => this.#insert({ name, begin }));
    return this.#run(task);
  }

  #insert(entry: { readonly name: string; readonly begin: () => void }): void {
    let at = this.#waiting.length;
    while (at > 0 && compareByteStrings(this.#waiting[at - 1]!.name, entry.name) > 0) at--;
    this.#waiting.splice(at, 0, entry);
  }

  /** Starts `task` if a slot is free now; undefined when none is. */
  tryRun<T>(task: () => Promise<T>): Promise<T> | undefined {
    if (this.#free === 0) return undefined;
    this.#free--;
    return this.#run(task);
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      // Whoever asked for this task hears of its failure first, and may end the others.
      else setImmediate(next.begin);
    }
  }
}
