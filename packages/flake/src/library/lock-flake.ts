/** Locks flakes over a fetcher of the caller's: nothing here touches a file, a store or the network by itself. */
import type { Input, Registry } from "@firn/fetch/inputs";
import { byteStringOf, FirnError, textOf } from "@firn/formats";
import type { LockContext, TreePlace } from "../lock/compute.ts";
import { computeLockFile } from "../lock/compute-lock-file.ts";
import type { FlakeInput, FlakeSource } from "../lock/flake-description.ts";
import { describeChanges, type GraphNode, parseInputPath } from "../lock/graph.ts";
import { type FlakeRef, parseReference, resolveReference, showFlakeRef } from "../refs/reference.ts";
import { type FlakeAt, type FlakeFile, flakeSource, noFlake } from "../source/flake-file.ts";
import { readFlakeText } from "./read-flake-text.ts";

/** A tree that was fetched. */
export interface FetchedSource {
  /** The input's attributes with all that pins it: `rev`, `narHash`, `lastModified`. */
  readonly locked: Input;
  /** Returns the text of a file by its path in the tree (`flake.nix`, `sub/flake.lock`), or undefined when there is none. */
  readFile(path: string): Promise<string | undefined>;
}

/** The operations that locking needs from its caller. */
export interface FlakeFetcher {
  /** Fetches the tree of an input. The input is never a name of a registry. */
  fetch(input: Input): Promise<FetchedSource>;
  /** Registries for names like `nixpkgs`; without them names are an error. The first matching entry counts. */
  readonly registries?: readonly Registry[];
  /** Reads the text of a flake.nix; by default the language does it, see `readFlakeText`. */
  readFlake?(text: string, place: { readonly path: string; readonly shown: string }): Promise<FlakeFile>;
  /** Receives a warning for overrides and updates that match no input. */
  warn?(text: string): void;
}

/** Options of locking. */
export interface LockFlakeOptions {
  /** Inputs to update, as paths (`nixpkgs`, `a/nixpkgs`), or "all"; by default none: only missing ones are added. */
  readonly update?: readonly string[] | "all";
  /** References that replace those of flake.nix: input path → reference. */
  readonly override?: Readonly<Record<string, string | FlakeRef>>;
  /** The lock to start from, in place of the flake's own. */
  readonly lockText?: string;
}

/** A flake and its lock. */
export interface LockedFlake {
  readonly description: string | undefined;
  readonly lockedRef: FlakeRef;
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  /** The text for flake.lock, byte for byte as Nix writes it. */
  readonly lockText: string;
  /** True when it differs from the previous lock. */
  readonly changed: boolean;
  /** The differences, in the lines that Nix prints; empty when there are none. */
  readonly changes: string;
  readonly root: GraphNode;
}

/**
 * Locks a flake: reads its flake.nix, fetches inputs that its flake.lock lacks, and returns the new lock; nothing is written.
 * Errors are those of the fetcher, of the language, and `FirnError`s with the code `no-flake`, `bad-flake`, `bad-lock-file`,
 * `registry` or one that begins with `flake-`.
 */
export async function lockFlake(
  flake: string | FlakeRef,
  fetcher: FlakeFetcher,
  { update = [], override = {}, lockText }: LockFlakeOptions = {},
): Promise<LockedFlake> {
  const trees = new Trees(fetcher);
  const source = await trees.getFlake(referenceOf(flake));
  const oldText = lockText === undefined ? source.lockText : byteStringOf(lockText);
  const computed = await computeLockFile(source, oldText, {
    request: {
      overrides: Object.entries(override).map(([path, ref]) => ({ path: parseInputPath(path), ref: referenceOf(ref) })),
      updates: update === "all" ? [] : update.map(parseInputPath),
      recreate: update === "all",
      allowUnlocked: true,
    },
    context: trees,
  });
  return {
    description: source.description === undefined ? undefined : textOf(source.description),
    lockedRef: source.lockedRef,
    inputs: source.inputs,
    lockText: textOf(computed.lockText),
    changed: computed.changed,
    changes: describeChanges(computed.old, computed.root),
    root: computed.root,
  };
}

function referenceOf(flake: string | FlakeRef): FlakeRef {
  return typeof flake === "string" ? parseReference(byteStringOf(flake)) : flake;
}

/** The fetched trees, under paths that serve only to distinguish them. */
class Trees implements LockContext {
  private readonly fetcher: FlakeFetcher;
  private readonly fetched = new Map<string, FetchedSource>();

  constructor(fetcher: FlakeFetcher) {
    this.fetcher = fetcher;
  }

  async getFlake(ref: FlakeRef): Promise<FlakeSource> {
    const { resolvedRef, lockedRef, place } = await this.fetch(ref);
    return this.read({ originalRef: ref, resolvedRef, lockedRef, place: { ...place, dir: lockedRef.dir } });
  }

  getRelativeFlake(ref: FlakeRef, place: TreePlace): Promise<FlakeSource> {
    return this.read({ originalRef: ref, resolvedRef: ref, lockedRef: ref, place });
  }

  getTree(ref: FlakeRef): Promise<{ readonly lockedRef: FlakeRef; readonly place: TreePlace }> {
    return this.fetch(ref);
  }

  warn(text: string): void {
    this.fetcher.warn?.(text);
  }

  private async fetch(ref: FlakeRef) {
    const resolvedRef = resolveReference(ref, this.fetcher.registries ?? []);
    const source = await this.fetcher.fetch(resolvedRef.input);
    const storePath = `/source${this.fetched.size === 0 ? "" : `-${this.fetched.size}`}`;
    this.fetched.set(storePath, source);
    return { resolvedRef, lockedRef: { input: source.locked, dir: resolvedRef.dir }, place: { storePath, dir: "" } };
  }

  private async read(at: FlakeAt): Promise<FlakeSource> {
    const { storePath, dir } = at.place;
    const source = this.fetched.get(storePath);
    if (source === undefined) throw new FirnError("bad-flake", `no tree was fetched as '${storePath}'`);
    const prefix = dir === "" ? "" : `${dir}/`;
    const text = await source.readFile(textOf(`${prefix}flake.nix`));
    if (text === undefined) throw noFlake(at);
    const place = { path: textOf(`${storePath}/${prefix}flake.nix`), shown: textOf(showFlakeRef(at.resolvedRef)) };
    const file = await (this.fetcher.readFlake ?? readFlakeText)(text, place);
    const lockText = await source.readFile(textOf(`${prefix}flake.lock`));
    return flakeSource(file, at, lockText === undefined ? undefined : byteStringOf(lockText));
  }
}
