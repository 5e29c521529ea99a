/** Fetches flakes and reads their flake.nix up to the outputs. */
import { attributesOfInput, type FetchContext, fetchInput, type Input, type Registry } from "@firn/fetch";
import { FirnError } from "@firn/formats";
import { missingInWorkTree } from "../evaluator/work-trees.ts";
import type { FlakeSource } from "../lock/flake-description.ts";
import { type FlakeRef, resolveReference, showFlakeRef } from "../refs/reference.ts";
import { type FlakeAt, type FlakeReader, flakeSource, noFlake } from "./flake-file.ts";
import { fileInTree, pathInTree, plainFileText } from "./tree-file.ts";
import { workTreeOf } from "./work-tree.ts";

/** The surroundings of loading. */
export interface FlakeContext {
  readonly fetch: FetchContext;
  readonly reader: FlakeReader;
  /** The registries: all of them, and those that inputs of flakes may use (flags and global). */
  readonly registries: { all(): Promise<readonly Registry[]>; limited(): Promise<readonly Registry[]> };
}

/** Resolves a reference through the registries, fetches it and reads it. */
export async function loadFlake(
  context: FlakeContext,
  ref: FlakeRef,
  registries: "all" | "limited" | "none",
): Promise<FlakeSource> {
  const read = ({ lockedRef, resolvedRef, storePath }: FetchedRef): Promise<FlakeSource> =>
    readFlake(context, { originalRef: ref, resolvedRef, lockedRef, place: { storePath, dir: lockedRef.dir } });
  const fetched = await fetchRef(context, ref, registries);
  const flake = await read(fetched);
  const input = withSelfAttributes(fetched.resolvedRef.input, flake.selfAttributes);
  if (input === fetched.resolvedRef.input) return flake;
  return read(await fetchRef(context, { input, dir: fetched.resolvedRef.dir }, "none"));
}

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
  registries: "all" | "limited" | "none",
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
export async function fetchRef(
  context: FlakeContext,
  ref: FlakeRef,
  registries: "all" | "limited" | "none",
): Promise<FetchedRef> {
  const resolvedRef = await resolveFlakeRef(context, ref, registries);
  const tree = await fetchInput(resolvedRef.input, context.fetch);
  return { resolvedRef, lockedRef: { input: tree.locked, dir: resolvedRef.dir }, storePath: tree.storePath };
}

/** Reads flake.nix and flake.lock of a fetched tree. */
export async function readFlake(context: FlakeContext, at: FlakeAt): Promise<FlakeSource> {
  const { storePath, dir } = at.place;
  const tree = { storePath, realPath: context.fetch.store.realPath(storePath) };
  const flakeFile = fileInTree(tree, pathInTree(dir, "flake.nix"));
  const workTree = workTreeOf(at.resolvedRef);
  if (flakeFile === undefined) {
    if (workTree === undefined) throw noFlake(at);
    throw new FirnError("no-flake", missingInWorkTree(workTree, pathInTree(dir, "flake.nix").slice(1)));
  }
  const file = await context.reader.readFlakeFile(`${storePath}${flakeFile}`, showFlakeRef(at.resolvedRef), workTree);
  return flakeSource(file, at, plainFileText(tree, pathInTree(dir, "flake.lock")));
}
