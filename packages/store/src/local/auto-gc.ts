/** Collections that a store starts by itself when its disk is nearly full: `min-free` and `max-free`. */
import { showSize } from "@firn/formats";
import * as fs from "../fs/files.ts";
import { testVariable } from "../surroundings.ts";
import { collectGarbage } from "./gc.ts";
import type { LocalInternals } from "./internals.ts";

/** The settings of automatic collections; sizes in bytes, the interval in seconds. */
export interface AutoGcOptions {
  /** Free space below which a collection starts; 0 for never. */
  readonly minFree: number;
  /** Free space at which it ends. */
  readonly maxFree: number;
  /** Time between two looks at the disk. */
  readonly interval: number;
}

/** Starts collections, one at a time. */
export class AutoGc {
  private readonly options: AutoGcOptions;
  private looked = 0;
  /** The free space after the last collection: when hardly more is used, there is nothing new to delete. */
  private left = Number.MAX_SAFE_INTEGER;
  private running: Promise<void> | undefined;

  constructor(options: AutoGcOptions) {
    this.options = options;
  }

  /** Collects garbage when there is too little free space; resolves when there is enough, or nothing more to delete. */
  async makeRoom(store: LocalInternals): Promise<void> {
    if (this.options.minFree <= 0) return;
    this.running ??= this.collect(store).finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  private async collect(store: LocalInternals): Promise<void> {
    const { minFree, maxFree, interval } = this.options;
    const now = Date.now();
    if (now < this.looked + interval * 1000) return;
    this.looked = now;
    const available = freeSpace(store);
    // Where a collection has left as little, another one would find nothing either.
    if (available >= minFree || available > this.left * 0.97) return;
    const text = `running auto-GC to free ${showSize(maxFree - available)}`;
    store.events({ kind: "message", level: "info", text });
    await collectGarbage(store, { action: "delete-dead", maxFreed: maxFree - available });
    this.left = freeSpace(store);
  }
}

function freeSpace(store: LocalInternals): number {
  const file = testVariable("_NIX_TEST_FREE_SPACE_FILE");
  if (file !== undefined) return Number(fs.readFileSync(file, "latin1"));
  const { bsize, bavail } = fs.statfsSync(store.location.realStoreDir);
  return bsize * bavail;
}
