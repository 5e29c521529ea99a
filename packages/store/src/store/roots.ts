/** What keeps the paths of a store alive, and the collection of the others. */

/** Store path → where it is rooted (file names, or `{censored}`-like marks in braces). */
export type Roots = Map<string, Set<string>>;

/** What to do: tell the living or dead paths, delete the dead ones, or delete certain paths if they are dead. */
export type GcAction = "live" | "dead" | "delete-dead" | "delete-specific";

/** Options of a collection. Sizes in bytes. */
export interface GcOptions {
  readonly action: GcAction;
  readonly paths?: readonly string[];
  readonly ignoreLiveness?: boolean;
  /** Stop once this much is freed. */
  readonly maxFreed?: number;
  readonly signal?: AbortSignal;
}

/** Paths found or deleted (logical), and what deleting freed. */
export interface GcResult {
  readonly paths: readonly string[];
  readonly bytesFreed: number;
  /** Paths that were to be deleted and could not be, with the reasons; they are tried again by the next collection. */
  readonly failures: readonly { readonly path: string; readonly reason: string }[];
}

/** A store that garbage is collected from. */
export interface RootKeeper {
  /** Makes `link` a link to `path` that keeps it alive, registering it as an indirect root; gives the link. Error `bad-root`. */
  addPermRoot(path: string, link: string): Promise<string>;
  /** All permanent and runtime roots whose paths are valid. */
  findRoots(): Promise<Roots>;
  /** Collects garbage. Errors `still-alive`, `aborted`, `unreadable-roots`, `temp-roots`. */
  collectGarbage(options: GcOptions): Promise<GcResult>;
}
