/** The interfaces of a local store for its collector, roots and checks. */
import type { EventSink } from "../events.ts";
import type { StoreFiles } from "../store/files.ts";
import type { PathFacts } from "../store/paths.ts";
import type { OutputRegistry } from "../store/registering.ts";
import type { PathWriter } from "../store/writing.ts";
import type { StoreDatabase } from "./database.ts";

/** A local store with its internal functions. */
export interface LocalInternals extends PathFacts, PathWriter, StoreFiles, OutputRegistry {
  readonly database: StoreDatabase;
  readonly events: EventSink;
  readonly options: {
    readonly keepOutputs?: boolean;
    readonly keepDerivations?: boolean;
    readonly useRootsDaemon?: boolean;
  };
  /** Makes a path invalid; error `path-in-use` while others refer to it. */
  invalidatePath(path: string): void;
  /** Makes paths invalid one after another with one transaction, and returns those that are now: others may still refer to some. */
  invalidatePaths(paths: readonly string[]): Set<string>;
}
