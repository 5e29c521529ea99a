/**
 * The source of a generation: what its configuration was read from, kept as long as the generation. It is a store path with the link
 * `tree` to a copy of the files, the link `file` to the configuration in it, and links to the inputs of a flake; `NAME-N-source` beside
 * the generation's own link keeps it.
 */
import { basename, dirname, join, relative } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, type RootWriter, type SourceWriter, type StoreFiles, withTemporaryDirectory } from "@firn/store";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from "@firn/store/files";
import { findGenerations, linkTarget, sourceLink } from "./generations.ts";

/** The files that a configuration was read from. */
export interface ConfigurationSource {
  /** Store path of the tree. */
  readonly tree: string;
  /** The configuration in the tree: its `flake.nix` or its module, by a relative path. */
  readonly file: string;
  /** Store paths of a flake's inputs. */
  readonly inputs: readonly string[];
}

/** Adds a source to a store; returns the store path that holds it together. */
export function addSource(store: SourceWriter, { tree, file, inputs }: ConfigurationSource): Promise<string> {
  return withTemporaryDirectory("firn-source-", async (directory) => {
    symlinkSync(tree, join(directory, "tree"));
    symlinkSync(join(tree, file), join(directory, "file"));
    const sorted = [...new Set(inputs)].sort();
    for (const [index, input] of sorted.entries()) symlinkSync(input, join(directory, `input-${index}`));
    const references = [...new Set([tree, ...sorted])];
    return (await store.addPath(directory, { name: "configuration-source", method: "nar", references })).path;
  });
}

/** Keeps a source, made by {@link addSource}, as long as a generation of a profile. */
export async function keepSource(
  store: RootWriter,
  place: { readonly profile: string; readonly generation: number; readonly source: string },
): Promise<void> {
  const link = sourceLink(place.profile, place.generation);
  // The same system can be made of another source.
  if (linkTarget(link) !== undefined) disk.unlink(link);
  await store.addPermRoot(place.source, link);
}

/**
 * Returns the path of the configuration that a generation, by default the current one, was made of. Errors `no-generation`, and
 * `no-kept-source` for a generation without a kept source.
 */
export function generationSource(store: StoreFiles, profile: string, number?: number): string {
  const { generations, current } = findGenerations(profile);
  const wanted = number ?? current;
  if (wanted === undefined || !generations.some((generation) => generation.number === wanted)) {
    throw new FirnError("no-generation", `profile version ${wanted ?? 0} does not exist`);
  }
  const source = linkTarget(sourceLink(profile, wanted));
  if (source === undefined) {
    throw new FirnError("no-kept-source", `the source of generation ${wanted} was not kept`, {
      hint: "it is kept by a switch that builds a configuration of this machine",
    });
  }
  return readlinkSync(join(store.realPath(source), "file"));
}

/**
 * Copies a source's files into a directory that is not there or empty, as files of its owner. A flake further down in the tree is linked
 * from the top with what lies beside it; a module of another name is linked as `configuration.nix`. Returns whether it did.
 */
export function installSource(store: StoreFiles, source: string, directory: string): boolean {
  if (existsSync(directory) && readdirSync(directory).length > 0) return false;
  const real = store.realPath(source);
  const tree = readlinkSync(join(real, "tree"));
  const file = relative(tree, readlinkSync(join(real, "file")));
  const isFlake = basename(file) === "flake.nix";
  // Another configuration.nix beside the module would be taken for it.
  const taken = !isFlake && file !== "configuration.nix" && existsSync(join(store.realPath(tree), "configuration.nix"));
  const place = taken ? "source" : "";
  mkdirSync(directory, { recursive: true });
  cpSync(store.realPath(tree), join(directory, place), { recursive: true, verbatimSymlinks: true });
  makeWritable(directory);
  const link = (name: string, target: string): void => {
    const path = join(directory, name);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(target, path);
  };
  const below = dirname(file);
  if (isFlake && below !== ".") {
    for (const name of readdirSync(join(directory, below))) link(name, join(below, name));
  }
  if (!isFlake) link("configuration.nix", join(place, file));
  return true;
}

function makeWritable(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.mode | 0o200);
  if (stat.isDirectory()) for (const name of readdirSync(path)) makeWritable(join(path, name));
}
