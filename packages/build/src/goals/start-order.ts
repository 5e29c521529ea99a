/**
 * The order in which builds begin. As in the reference, those that could begin at the same time begin by their names: a build
 * begins when no other derivation is being looked at that may turn out to be ready as well.
 */
import { compareByteStrings } from "@firn/formats";

/** Holds builds back while derivations are being looked at. */
export class StartOrder {
  /** Derivations that are looked at now, without those that wait for others. */
  #looking = 0;
  #ready: { readonly name: string; readonly begin: () => void }[] = [];
  #scheduled = false;

  /** Runs work that looks at a derivation. */
  async looking<T>(work: () => Promise<T>): Promise<T> {
    this.#looking++;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Waits, within work that looks at a derivation, for what may take long: builds, other derivations, substitution. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    this.#leave();
    try {
      return await work;
    } finally {
      this.#looking++;
    }
  }

  /** Resolves when the build of this name may begin. */
  turn(name: string): Promise<void> {
    return new Promise((begin) => {
      this.#ready.push({ name, begin });
      this.#schedule();
    });
  }

  #leave(): void {
    this.#looking--;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#looking > 0 || this.#ready.length === 0) return;
    this.#scheduled = true;
    // What waited for others goes on in microtasks when those are done.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#looking > 0) return;
      const ready = this.#ready.sort((a, b) => compareByteStrings(a.name, b.name));
      this.#ready = [];
      for (const { begin } of ready) begin();
    });
  }
}
