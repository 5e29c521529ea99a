/** Fetches flakes and reads their flake.nix up to the outputs. */
import {
  attributesOfInput,
  type FetchContext,
  fetchInput,
  type Input,
  locateInput,
  type Registry,
  withAttributes,
} from "@firn/fetch";
import { FirnError, type SourceExcerpt } from "@firn/formats";
import { missingInWorkTree, type TreeName } from "../evaluator/shown-trees.ts";
import type { FlakeSource } from "../lock/flake-description.ts";
import { type FlakeRef, resolveReference, showFlakeRef } from "../refs/reference.ts";
import { type FlakeAt, type FlakeFile, type FlakeReader, flakeSource, type Literal, noFlake } from "./flake-file.ts";
import { FlakeMistake } from "./flake-mistake.ts";
import type { LocatedTrees } from "./located-trees.ts";
import { fileInTree, pathInTree, plainFileText } from "./tree-file.ts";
import { treeName } from "./tree-name.ts";
import { workTreeOf } from "./work-tree.ts";

/** The surroundings of loading. */
export interface FlakeContext {
  readonly fetch: FetchContext;
  readonly reader: FlakeReader;
  /** The registries: all of them, and those that inputs of flakes may use (flags and global). */
  readonly registries: { all(): Promise<readonly Registry[]>; limited(): Promise<readonly Registry[]> };
  /** The trees that are read where they lie. */
  readonly located: LocatedTrees;
  /** True for pure evaluation, whose errors name trees by their source. */
  readonly pure: boolean;
}

/**
 * Resolves a reference through the registries, fetches it and reads it. With `inPlace` a tree of this machine is read where it lies: its
 * `storePath` is a stand-in, and its locked reference lacks what depends on the hash, until `storedFlake` is asked for it.
 */
export async function loadFlake(
  context: FlakeContext,
  ref: FlakeRef,
  { registries, inPlace = false }: { readonly registries: UsedRegistries; readonly inPlace?: boolean },
): Promise<FlakeSource> {
  const read = ({ lockedRef, resolvedRef, storePath }: FetchedRef): Promise<FlakeSource> =>
    readFlake(context, { originalRef: ref, resolvedRef, lockedRef, place: { storePath, dir: lockedRef.dir } });
  const find = inPlace ? locateRef : fetchRef;
  const fetched = await find(context, ref, registries);
  const flake = await read(fetched);
  const asked = fetched.resolvedRef.input;
  const wanted = withSelfAttributes(asked, flake.selfAttributes);
  if (wanted === asked) return flake;
  // The same revision, even when a work tree has changes in what the flake asks for besides.
  const { input: locked } = fetched.lockedRef;
  const input = locked.has("rev")
    ? withSelfAttributes(withAttributes(locked, { narHash: undefined }), flake.selfAttributes)
    : wanted;
  const text = `refetching input '${showFlakeRef({ input, dir: ref.dir })}' due to self attribute`;
  context.fetch.emit({ kind: "detail", level: "debug", text });
  const { dir } = fetched.resolvedRef;
  const again = await find(context, { input, dir }, "none");
  return read({ ...again, resolvedRef: { input: wanted, dir } });
}

/** Returns a flake with its tree in the store. Fails as fetching does. */
export async function storedFlake({ located }: FlakeContext, flake: FlakeSource): Promise<FlakeSource> {
  if (located.find(flake.storePath) === undefined) return flake;
  const { storePath, locked } = await located.store(flake.storePath);
  return { ...flake, storePath, lockedRef: { ...flake.lockedRef, input: locked } };
}

/** Returns the locked reference of a flake as it is shown. Only that of a directory has the hash. Fails as fetching does. */
export async function shownLockedRef(context: FlakeContext, flake: FlakeSource): Promise<string> {
  const { input } = flake.lockedRef;
  const known = input.get("type") === "git" ? flake : await storedFlake(context, flake);
  return showFlakeRef(known.lockedRef);
}

/** The registries in which an indirect reference is looked up. */
type UsedRegistries = "all" | "limited" | "none";

/** Returns an input with the attributes that its flake asks for, as far as its scheme knows them and it does not say otherwise. */
function withSelfAttributes(input: Input, wanted: FlakeSource["selfAttributes"]): Input {
  const known = attributesOfInput(input);
  const missing = [...wanted].filter(([name]) => known.includes(name) && !input.has(name));
  return missing.length === 0 ? input : new Map([...input, ...missing]);
}

/** A fetched reference. */
export interface FetchedRef {
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  readonly storePath: string;
}

/** Returns the reference after the registries; a direct one stays the same. */
export async function resolveFlakeRef(
  context: FlakeContext,
  ref: FlakeRef,
  registries: UsedRegistries,
): Promise<FlakeRef> {
  if (ref.input.get("type") !== "indirect") return ref;
  if (registries === "none") {
    throw new FirnError(
      "registry",
      `'${showFlakeRef(ref)}' is an indirect flake reference, but registry lookups are not allowed`,
    );
  }
  return resolveReference(ref, await context.registries[registries]());
}

/** Resolves and fetches a reference, flake or not. */
export async function fetchRef(context: FlakeContext, ref: FlakeRef, registries: UsedRegistries): Promise<FetchedRef> {
  const resolvedRef = await resolveFlakeRef(context, ref, registries);
  const tree = await fetchInput(resolvedRef.input, context.fetch);
  return { resolvedRef, lockedRef: { input: tree.locked, dir: resolvedRef.dir }, storePath: tree.storePath };
}

/** Resolves a reference and fetches it, or finds it on this machine. */
async function locateRef(context: FlakeContext, ref: FlakeRef, registries: UsedRegistries): Promise<FetchedRef> {
  const resolvedRef = await resolveFlakeRef(context, ref, registries);
  const tree = await locateInput(resolvedRef.input, context.fetch);
  const storePath = "storePath" in tree ? tree.storePath : context.located.add(tree);
  return { resolvedRef, lockedRef: { input: tree.locked, dir: resolvedRef.dir }, storePath };
}

/** Reads flake.nix and flake.lock of a fetched tree. */
export async function readFlake(context: FlakeContext, at: FlakeAt): Promise<FlakeSource> {
  const { storePath, dir } = at.place;
  const located = context.located.find(storePath);
  const tree =
    located === undefined
      ? { storePath, realPath: context.fetch.store.realPath(storePath) }
      : { storePath, realPath: located.placed.directory, has: located.has };
  const flakeFile = fileInTree(tree, pathInTree(dir, "flake.nix"));
  const workTree = workTreeOf(at.resolvedRef);
  if (flakeFile === undefined) {
    if (workTree === undefined)
      throw noFlake({ ...at, place: { storePath: await context.located.shownText(storePath), dir } });
    throw new FirnError("no-flake", missingInWorkTree(workTree, pathInTree(dir, "flake.nix").slice(1)));
  }
  try {
    const source = (): TreeName | undefined => (context.pure ? treeName(at.lockedRef.input) : undefined);
    const name: TreeName | undefined = workTree === undefined ? source() : { root: workTree, kind: "work-tree" };
    const file = await context.reader.readFlakeFile(`${storePath}${flakeFile}`, showFlakeRef(at.resolvedRef), name);
    const lockText = plainFileText(tree, pathInTree(dir, "flake.lock"));
    const isElsewhere =
      context.located.isStored(storePath) || pathsOf(file).some((path) => !`${path}/`.startsWith(`${storePath}/`));
    if (located === undefined || !isElsewhere) return flakeSource(file, at, lockText);
    // The paths that were read, now or when the answer was kept, have the store path.
    const stored = await context.located.store(storePath);
    const lockedRef = { ...at.lockedRef, input: stored.locked };
    return flakeSource(file, { ...at, lockedRef, place: { storePath: stored.storePath, dir } }, lockText);
  } catch (error) {
    if (!(error instanceof FlakeMistake)) throw error;
    const file = `${storePath}${flakeFile}`;
    const positions = await context.reader.attributePositions(file, error.places());
    const shown = workTree === undefined ? await context.located.shownText(file) : `${workTree}${flakeFile}`;
    const lines = (plainFileText(tree, flakeFile) ?? "").split("\n");
    throw error.located(
      positions.map((position) =>
        position === undefined ? undefined : { ...position, file: shown, excerpt: excerptOf(lines, position.line) },
      ),
    );
  }
}

function excerptOf(lines: readonly string[], line: number): SourceExcerpt {
  return { previous: lines[line - 2], line: lines[line - 1], next: lines[line] };
}

/** Returns the paths that are written in a flake.nix. */
function pathsOf({ inputs, nixConfig }: FlakeFile): string[] {
  const found = (literal: Literal): string[] => {
    switch (literal.kind) {
      case "path":
        return [literal.path];
      case "set":
        return [...literal.attributes.values()].flatMap(found);
      case "list":
        return literal.items.flatMap(found);
      default:
        return [];
    }
  };
  return [...inputs.values(), ...nixConfig.values()].flatMap(found);
}
