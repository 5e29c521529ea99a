/**
 * Computes a flake's lock graph: entries of the old lock are kept as long as flake.nix has the same reference, new inputs are
 * fetched and bring their own locks, overrides come from the flakes above (manual: "nix flake", "Lock files").
 */

import { indirectInput, isLockedInput } from "@firn/fetch/inputs";
import { canonicalPath, FirnError, splitStorePath, traced } from "@firn/formats";
import { type FlakeRef, relativePathOf, sameFlakeRef, showFlakeRef } from "../refs/reference.ts";
import type { FlakeInput, FlakeSource } from "./flake-description.ts";
import {
  compareInputPaths,
  type Edge,
  type GraphNode,
  type InputPath,
  type LockedNode,
  readLockGraph,
  showInputPath,
} from "./graph.ts";

/** The operations that computing a lock needs. */
export interface LockContext {
  /** Fetches and reads a flake. `registries` tells which ones may be used. */
  getFlake(ref: FlakeRef, registries: "all" | "limited"): Promise<FlakeSource>;
  /** Reads a flake in the tree of its parent. */
  getRelativeFlake(ref: FlakeRef, tree: TreePlace): Promise<FlakeSource>;
  /** Fetches a tree that is not a flake. */
  getTree(ref: FlakeRef): Promise<{ readonly lockedRef: FlakeRef; readonly place: TreePlace }>;
  warn(text: string): void;
  /** True when evaluation is impure; it decides how the flight of a relative path is told. */
  readonly impure?: boolean;
}

/** A directory in a fetched tree. */
export interface TreePlace {
  readonly storePath: string;
  readonly dir: string;
}

/** Flags that change how a lock is computed. */
export interface LockRequest {
  readonly overrides: readonly { readonly path: InputPath; readonly ref: FlakeRef }[];
  readonly updates: readonly InputPath[];
  readonly recreate: boolean;
  /** False in pure evaluation: new inputs must be pinned by their references. */
  readonly allowUnlocked: boolean;
}

/** The computed graph and the places of the nodes that were fetched. */
export interface ComputedLock {
  readonly root: GraphNode;
  readonly places: ReadonlyMap<GraphNode, TreePlace>;
}

interface Override {
  readonly path: InputPath;
  readonly input: FlakeInput;
  /** The tree to which a relative path is relative. */
  readonly place: TreePlace;
  readonly parent: InputPath | undefined;
}

/** Locks `flake` starting from `old`. Errors of fetching get the input's path as a trace. */
export async function computeLock(
  flake: FlakeSource,
  old: GraphNode,
  options: { readonly request: LockRequest; readonly context: LockContext },
): Promise<ComputedLock> {
  const computation = new Computation(flake, options.request, options.context);
  return computation.run(old);
}

/** One flake during the descent. */
interface Step {
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  readonly node: GraphNode;
  readonly path: InputPath;
  readonly old: GraphNode | undefined;
  /** The path to which `follows` of the old lock are relative. */
  readonly followsPrefix: InputPath;
  readonly place: TreePlace;
  /** True when the inputs come from a lock that was checked already. */
  readonly trustLock: boolean;
}

class Computation {
  private readonly flake: FlakeSource;
  private readonly request: LockRequest;
  private readonly context: LockContext;
  private readonly overrides = new Map<string, Override>();
  private readonly fromCommandLine = new Set<string>();
  private readonly used = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly places = new Map<GraphNode, TreePlace>();
  private readonly parents: FlakeRef[] = [];

  constructor(flake: FlakeSource, request: LockRequest, context: LockContext) {
    this.flake = flake;
    this.request = request;
    this.context = context;
  }

  async run(old: GraphNode): Promise<ComputedLock> {
    const root: GraphNode = { inputs: new Map() };
    const place = { storePath: this.flake.storePath, dir: this.flake.dir };
    for (const { path, ref } of byPath(this.request.overrides)) {
      const input: FlakeInput = { ref, isFlake: true, follows: undefined, inputs: new Map() };
      this.overrides.set(showInputPath(path), { path, input, place, parent: undefined });
      this.fromCommandLine.add(showInputPath(path));
    }
    this.places.set(root, place);
    await this.step({
      inputs: this.flake.inputs,
      node: root,
      path: [],
      old: this.request.recreate ? undefined : old,
      followsPrefix: [],
      place,
      trustLock: false,
    });
    for (const { path, ref } of byPath(this.request.overrides)) {
      if (!this.used.has(showInputPath(path))) {
        this.context.warn(
          `the flag '--override-input ${showInputPath(path)} ${showFlakeRef(ref)}' does not match any input`,
        );
      }
    }
    for (const path of [...this.request.updates].sort(compareInputPaths)) {
      if (!this.seen.has(showInputPath(path))) {
        this.context.warn(`'${showInputPath(path)}' does not match any input of this flake`);
      }
    }
    return { root, places: this.places };
  }

  private async step(step: Step): Promise<void> {
    for (const [name, input] of step.inputs) this.addOverrides(input, [...step.path, name], step);
    for (const { path } of byPath([...this.overrides.values()])) {
      const name = path.at(-1) ?? "";
      if (path.length === step.path.length + 1 && startsWith(path, step.path) && !step.inputs.has(name)) {
        this.context.warn(`input '${showInputPath(step.path)}' has an override for a non-existent input '${name}'`);
      }
    }
    const names = [...step.inputs.keys()].sort();
    for (const name of names) {
      const declared = step.inputs.get(name);
      if (declared === undefined) continue;
      const path = [...step.path, name];
      try {
        step.node.inputs.set(name, await this.input(declared, path, step));
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        throw traced(error, `while updating the flake input '${showInputPath(path)}'`);
      }
    }
  }

  /**
   * Records overrides such as `inputs.a.inputs.b.url = …` for the time when `a/b` is reached; the first one, from the topmost
   * flake, wins.
   */
  private addOverrides(input: FlakeInput, prefix: InputPath, step: Step): void {
    for (const [name, override] of input.inputs) {
      const path = [...prefix, name];
      const key = showInputPath(path);
      if ((override.ref !== undefined || override.follows !== undefined) && !this.overrides.has(key)) {
        this.overrides.set(key, { path, input: override, place: step.place, parent: step.path });
      }
      this.addOverrides(override, path, step);
    }
  }

  private async input(declared: FlakeInput, path: InputPath, step: Step): Promise<Edge> {
    const key = showInputPath(path);
    const name = path.at(-1) ?? "";
    const override = this.overrides.get(key);
    if (override !== undefined) this.used.add(key);
    const input = override === undefined ? declared : { ...override.input, isFlake: declared.isFlake };
    if (input.follows !== undefined) return { kind: "follows", path: input.follows };

    const ref = input.ref ?? { input: indirectInput(name, undefined, undefined), dir: "" };
    const relative = relativePathOf(ref);
    const parent = relative === undefined ? undefined : override === undefined ? step.path : override.parent;
    const base = override?.place ?? step.place;
    const target: Target = { ref, base, relative, parent };

    this.seen.add(key);
    const oldEdge = this.isUpdated(path) ? undefined : step.old?.inputs.get(name);
    const old = oldEdge?.kind === "node" ? oldEdge.node : undefined;
    if (
      old !== undefined &&
      sameFlakeRef(old.originalRef, ref) &&
      sameParent(old.parent, parent) &&
      !this.fromCommandLine.has(key)
    ) {
      return { kind: "node", node: await this.keep(old, path, { step, target }) };
    }
    const originalRef = declared.ref !== undefined && this.fromCommandLine.has(key) ? declared.ref : ref;
    return { kind: "node", node: await this.create(path, { isFlake: input.isFlake, originalRef, target }) };
  }

  /** Keeps an input as it was locked; fetches it only when something below it must be examined again. */
  private async keep(
    old: LockedNode,
    path: InputPath,
    at: { readonly step: Step; readonly target: Target },
  ): Promise<LockedNode> {
    const { step, target } = at;
    // Of the top flake the tree is at hand, so a path that leaves it is told here rather than by a missing file.
    if (path.length === 1 && target.relative !== undefined)
      relativePlace(target.base, target.relative, this.context.impure);
    const node: LockedNode = { ...old, inputs: new Map() };
    let refetch = this.request.updates.some((update) => update.length > path.length && startsWith(update, path));
    const known = new Map<string, FlakeInput>();
    for (const [name, edge] of old.inputs) {
      if (refetch) break;
      if (edge.kind === "node") {
        known.set(name, {
          ref: edge.node.originalRef,
          isFlake: edge.node.isFlake,
          follows: undefined,
          inputs: new Map(),
        });
      } else if (!step.trustLock && !this.overrides.has(showInputPath([...path, name]))) {
        // The flake that made this input follow another may have changed its mind.
        refetch = true;
      } else {
        const follows = [...step.followsPrefix, ...edge.path];
        known.set(name, { ref: undefined, isFlake: true, follows, inputs: new Map() });
      }
    }
    if (refetch) {
      const flake = await this.load({ ...target, ref: old.lockedRef }, path, "limited");
      const place = { storePath: flake.storePath, dir: flake.dir };
      this.places.set(node, place);
      await this.step({
        inputs: prefixed(flake.inputs, path),
        node,
        path,
        old,
        followsPrefix: step.followsPrefix,
        place,
        trustLock: false,
      });
    } else {
      await this.step({
        inputs: known,
        node,
        path,
        old,
        followsPrefix: step.followsPrefix,
        place: step.place,
        trustLock: true,
      });
    }
    return node;
  }

  private async create(
    path: InputPath,
    wanted: { readonly isFlake: boolean; readonly originalRef: FlakeRef; readonly target: Target },
  ): Promise<LockedNode> {
    const { target, originalRef } = wanted;
    const { ref, parent } = target;
    if (!this.request.allowUnlocked && target.relative === undefined && !isLockedInput(ref.input)) {
      throw new FirnError("flake-unlocked", `cannot update unlocked flake input '${showInputPath(path)}' in pure mode`);
    }
    if (!wanted.isFlake) {
      const { lockedRef, place } =
        target.relative === undefined
          ? await this.context.getTree(ref)
          : { lockedRef: ref, place: relativePlace(target.base, target.relative, this.context.impure) };
      const node: LockedNode = {
        inputs: new Map(),
        lockedRef,
        originalRef,
        isFlake: false,
        parent,
        isFromLockFile: false,
      };
      this.places.set(node, place);
      return node;
    }
    const flake = await this.load(target, path, this.fromCommandLine.has(showInputPath(path)) ? "all" : "limited");
    const { lockedRef } = flake;
    const node: LockedNode = {
      inputs: new Map(),
      lockedRef,
      originalRef,
      isFlake: true,
      parent,
      isFromLockFile: false,
    };
    for (const above of this.parents) {
      if (sameFlakeRef(above, ref))
        throw new FirnError("flake-circular", `found circular import of flake '${showFlakeRef(above)}'`);
    }
    this.parents.push(ref);
    try {
      const place = { storePath: flake.storePath, dir: flake.dir };
      this.places.set(node, place);
      const own = readLockGraph(flake.lockText, `${showFlakeRef(flake.lockedRef)}/flake.lock`, (text) =>
        this.context.warn(text),
      );
      await this.step({
        inputs: prefixed(flake.inputs, path),
        node,
        path,
        old: own,
        followsPrefix: path,
        place,
        trustLock: false,
      });
    } finally {
      this.parents.pop();
    }
    return node;
  }

  private async load(target: Target, _path: InputPath, registries: "all" | "limited"): Promise<FlakeSource> {
    if (target.relative === undefined) return this.context.getFlake(target.ref, registries);
    return this.context.getRelativeFlake(target.ref, relativePlace(target.base, target.relative, this.context.impure));
  }

  private isUpdated(path: InputPath): boolean {
    return this.request.updates.some((update) => compareInputPaths(update, path) === 0);
  }
}

interface Target {
  readonly ref: FlakeRef;
  readonly base: TreePlace;
  readonly relative: string | undefined;
  readonly parent: InputPath | undefined;
}

/**
 * Returns inputs with their `follows` made relative to the root, as the graph needs them; in a flake.nix they are relative to
 * that flake.
 */
function prefixed(inputs: ReadonlyMap<string, FlakeInput>, path: InputPath): Map<string, FlakeInput> {
  return new Map(
    [...inputs].map(([name, input]) => [
      name,
      {
        ...input,
        follows: input.follows === undefined ? undefined : [...path, ...input.follows],
        inputs: prefixed(input.inputs, path),
      },
    ]),
  );
}

function relativePlace(base: TreePlace, relative: string, impure = false): TreePlace {
  const parts = base.dir === "" ? [] : base.dir.split("/");
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw outsideOfTree(base, relative, impure);
  }
  return { storePath: base.storePath, dir: parts.join("/") };
}

/** Returns the error for a relative path that leads out of its tree: what the reference says of the place, and what is meant. */
function outsideOfTree(base: TreePlace, relative: string, impure: boolean): FirnError {
  const path = canonicalPath(`${base.storePath}/${base.dir}/${relative}`);
  const storeDir = base.storePath.slice(0, base.storePath.lastIndexOf("/"));
  const hint = `relative path '${relative}' points outside of its flake's source tree; put both flakes into one Git repository, or use an absolute path`;
  if (impure) {
    try {
      splitStorePath(path, storeDir);
    } catch (error) {
      if (error instanceof FirnError) return new FirnError("flake-path", error.message, { hint });
      throw error;
    }
  }
  const text = `access to absolute path '${path}/flake.nix' is forbidden in pure evaluation mode (use '--impure' to override)`;
  return new FirnError("flake-path", text, { hint });
}

function startsWith(path: InputPath, prefix: InputPath): boolean {
  return prefix.every((name, i) => path[i] === name);
}

function sameParent(a: InputPath | undefined, b: InputPath | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return compareInputPaths(a, b) === 0;
}

function byPath<Item extends { readonly path: InputPath }>(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => compareInputPaths(a.path, b.path));
}
