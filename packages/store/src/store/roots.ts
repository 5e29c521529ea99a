/** The roots of a store, and the garbage collection of other paths. */

/** Roots by store path: file names, or `{censored}`-like marks in braces. */
export type Roots = Map<string, Set<string>>;

/** The action of a collection: list the living or dead paths, delete the dead ones, or delete certain paths if they are dead. */
export type GcAction = "live" | "dead" | "delete-dead" | "delete-specific";

/** Options of a collection. Sizes in bytes. */
export interface GcOptions {
  readonly action: GcAction;
  readonly paths?: readonly string[];
  readonly ignoreLiveness?: boolean;
  /** Number of freed bytes after which to stop. */
  readonly maxFreed?: number;
  readonly signal?: AbortSignal;
}

/** Paths found or deleted (logical), and the bytes freed by deleting. */
export interface GcResult {
  readonly paths: readonly string[];
  readonly bytesFreed: number;
  /** Paths that could not be deleted, with the reasons; the next collection tries them again. */
  readonly failures: readonly { readonly path: string; readonly reason: string }[];
}

/** A store whose paths are kept alive by links to them. */
export interface RootWriter {
  /** Makes `link` a link to `path` that keeps it alive, registering it as an indirect root; returns the link. Error `bad-root`. */
  addPermRoot(path: string, link: string): Promise<string>;
  /** Registers a link outside the state directory as a root, for as long as it exists. */
  addIndirectRoot(link: string): Promise<void>;
}

/** A store with garbage collection. */
export interface RootKeeper extends RootWriter {
  /** Returns all permanent and runtime roots whose paths are valid. */
  findRoots(): Promise<Roots>;
  /** Collects garbage. Errors `still-alive`, `aborted`, `unreadable-roots`, `temp-roots`. */
  collectGarbage(options: GcOptions): Promise<GcResult>;
}
