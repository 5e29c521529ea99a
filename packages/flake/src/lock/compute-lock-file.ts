/** Computes the next text of flake.lock from the previous one. */
import { printFlakeLock } from "@firn/formats";
import { showFlakeRef } from "../refs/reference.ts";
import { type ComputedLock, computeLock, type LockContext, type LockRequest } from "./compute.ts";
import type { FlakeSource } from "./flake-description.ts";
import { checkFollows, type GraphNode, graphToLockFile, readLockGraph } from "./graph.ts";

/** A lock file and the graph that it was made from. */
export interface ComputedLockFile extends ComputedLock {
  readonly old: GraphNode;
  readonly lockText: string;
  /** The key of every node in the file. */
  readonly keys: ReadonlyMap<GraphNode, string>;
  readonly changed: boolean;
}

async function readOldGraph(
  text: string | undefined,
  { shown, warn }: { shown(): Promise<string>; warn(text: string): void },
): Promise<GraphNode> {
  try {
    return readLockGraph(text, "flake.lock", warn);
  } catch {
    // The same error, which names the file.
    return readLockGraph(text, await shown());
  }
}

/** Computes the lock file of a flake, starting from the text of its old one. Errors as of fetching, and `bad-lock-file`, `flake-follows`. */
export async function computeLockFile(
  flake: FlakeSource,
  oldText: string | undefined,
  options: {
    readonly request: LockRequest;
    readonly context: LockContext;
    /** Returns the flake's locked reference for messages. */
    shown?(): Promise<string>;
    /** Returns the place of the old lock file for messages. */
    shownLockFile?(): Promise<string>;
  },
): Promise<ComputedLockFile> {
  const shown = options.shown ?? (async () => showFlakeRef(flake.lockedRef));
  const old = await readOldGraph(oldText, {
    shown: options.shownLockFile ?? (async () => `${await shown()}/flake.lock`),
    warn: options.context.warn,
  });
  const computed = await computeLock(flake, old, options);
  checkFollows(computed.root);
  const { file, keys } = graphToLockFile(computed.root);
  const lockText = printFlakeLock(file);
  return { ...computed, old, lockText, keys, changed: lockText !== printFlakeLock(graphToLockFile(old).file) };
}
