/** Lets a limited number of tasks run at once, in the order they asked. */

/** Counts free slots. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Runs `task` as soon as a slot is free and returns its result. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#run(task);
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
      else next();
    }
  }
}
