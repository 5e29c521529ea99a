/** Fetches flakes and reads their flake.nix up to the outputs. */
import { type FetchContext, fetchInput, type Registry, resolveInput } from "@firn/fetch";
import { FirnError } from "@firn/formats";
import type { TreePlace } from "../lock/compute.ts";
import type { FlakeInput, FlakeSource } from "../lock/flake-description.ts";
import { type FlakeRef, flakeRefFromAttributes, parseFlakeRef, showFlakeRef } from "../refs/flake-ref.ts";
import { fileInTree, pathInTree, plainFileText } from "./tree-file.ts";

/** A literal of flake.nix. Paths are absolute. */
export type Literal =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "list"; readonly items: readonly Literal[] }
  | { readonly kind: "set"; readonly attributes: ReadonlyMap<string, Literal> }
  | { readonly kind: "other"; readonly type: string };

/** What a flake.nix says without calling its outputs. */
export interface FlakeFile {
  readonly description: string | undefined;
  readonly inputs: ReadonlyMap<string, Literal>;
  /** Names of the arguments that `outputs` takes, `self` among them; empty when it takes one plain argument. */
  readonly outputArguments: readonly string[];
  readonly nixConfig: ReadonlyMap<string, Literal>;
}

/** Reads a flake.nix: evaluates only literals. Fails in the reference's words when the file is no flake. */
export interface FlakeReader {
  /** `file` is the path in the store; `shown` is the flake's reference for errors. */
  readFlakeFile(file: string, shown: string): Promise<FlakeFile>;
}

/** What loading needs. */
export interface FlakeContext {
  readonly fetch: FetchContext;
  readonly reader: FlakeReader;
  /** All registries, and those that inputs of flakes may use (flags and global). */
  readonly registries: { all(): Promise<readonly Registry[]>; limited(): Promise<readonly Registry[]> };
}

/** Resolves a reference through the registries, fetches it and reads it. */
export async function loadFlake(
  context: FlakeContext,
  ref: FlakeRef,
  registries: "all" | "limited" | "none",
): Promise<FlakeSource> {
  const { lockedRef, resolvedRef, storePath } = await fetchRef(context, ref, registries);
  return readFlake(context, { originalRef: ref, resolvedRef, lockedRef, place: { storePath, dir: lockedRef.dir } });
}

/** A fetched reference. */
export interface FetchedRef {
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  readonly storePath: string;
}

/** What a reference means after the registries; a direct one means itself. */
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
  const { input, dir } = resolveInput(ref.input, await context.registries[registries]());
  return { input, dir: dir ?? ref.dir };
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

/** A flake in a tree that is in the store already. */
export interface FlakeAt {
  readonly originalRef: FlakeRef;
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  readonly place: TreePlace;
}

/** Reads flake.nix and flake.lock of a fetched tree. */
export async function readFlake(context: FlakeContext, at: FlakeAt): Promise<FlakeSource> {
  const { storePath, dir } = at.place;
  const directory = dir === "" ? storePath : `${storePath}/${dir}`;
  const tree = { storePath, realPath: context.fetch.store.realPath(storePath) };
  const flakeFile = fileInTree(tree, pathInTree(dir, "flake.nix"));
  if (flakeFile === undefined) {
    throw new FirnError(
      "no-flake",
      `source tree referenced by '${showFlakeRef(at.resolvedRef)}' does not contain a '${dir === "" ? "" : `${dir}/`}flake.nix' file`,
      {
        hint: "in a Git repository only tracked files exist for Nix: 'git add -N flake.nix' tracks it",
      },
    );
  }
  const file = await context.reader.readFlakeFile(`${storePath}${flakeFile}`, showFlakeRef(at.resolvedRef));
  const inputs = parseInputs(file.inputs, { directory, allowSelf: true });
  for (const name of file.outputArguments) {
    if (name !== "self" && !inputs.has(name)) {
      inputs.set(name, { ref: parseFlakeRef(name), isFlake: true, follows: undefined, inputs: new Map() });
    }
  }
  return {
    originalRef: at.originalRef,
    resolvedRef: at.resolvedRef,
    lockedRef: at.lockedRef,
    storePath,
    dir,
    description: file.description,
    inputs,
    nixConfig: settingsOf(file.nixConfig),
    lockText: plainFileText(tree, pathInTree(dir, "flake.lock")),
  };
}

interface InputContext {
  /** Store directory of the flake.nix. */
  readonly directory: string;
  readonly allowSelf: boolean;
}

function parseInputs(literals: ReadonlyMap<string, Literal>, context: InputContext): Map<string, FlakeInput> {
  const inputs = new Map<string, FlakeInput>();
  for (const [name, literal] of literals) {
    if (name === "self") {
      if (!context.allowSelf) throw new FirnError("bad-flake", "'self' input attribute not allowed");
      continue;
    }
    inputs.set(name, parseInput(name, expectSet(literal), context));
  }
  return inputs;
}

function parseInput(name: string, attributes: ReadonlyMap<string, Literal>, context: InputContext): FlakeInput {
  let url: string | undefined;
  let isFlake = true;
  let follows: readonly string[] | undefined;
  let inputs: ReadonlyMap<string, FlakeInput> = new Map();
  const rest = new Map<string, string | bigint | boolean>();
  for (const [key, value] of attributes) {
    if (key === "url") url = urlOf(value, context.directory);
    else if (key === "flake") isFlake = expectBool(value);
    else if (key === "inputs") inputs = parseInputs(expectSet(value), { ...context, allowSelf: false });
    else if (key === "follows")
      follows = expectString(value)
        .split("/")
        .filter((part) => part !== "");
    else rest.set(key, plainAttribute(key, value));
  }
  let ref: FlakeRef | undefined;
  if (rest.has("type")) {
    if (url !== undefined) rest.set("url", url);
    ref = flakeRefFromAttributes(rest);
  } else {
    const [unexpected] = rest.keys();
    if (unexpected !== undefined) {
      throw new FirnError("bad-flake", `unexpected flake input attribute '${unexpected}' of input '${name}'`);
    }
    if (url !== undefined) ref = parseFlakeRef(url, { isFlake, keepRelative: true });
  }
  if (ref !== undefined && follows !== undefined) {
    throw new FirnError("bad-flake", "flake input has both a flake reference and a follows attribute");
  }
  return { ref, isFlake, follows, inputs };
}

/** A path literal is an input in the same tree; it becomes relative again. */
function urlOf(value: Literal, directory: string): string {
  if (value.kind === "string") return value.text;
  if (value.kind !== "path") throw new FirnError("bad-flake", `expected a string or a path but got ${typeName(value)}`);
  const from = directory.split("/");
  const to = value.path.split("/");
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  const up = from.slice(common).map(() => "..");
  return `path:${[...(up.length === 0 ? ["."] : up), ...to.slice(common)].join("/")}`;
}

function plainAttribute(name: string, value: Literal): string | bigint | boolean {
  switch (value.kind) {
    case "string":
      return value.text;
    case "bool":
      return value.value;
    case "int":
      if (value.value < 0n)
        throw new FirnError("bad-flake", `negative value given for flake input attribute ${name}: ${value.value}`);
      return value.value;
    default:
      throw new FirnError(
        "bad-flake",
        `flake input attribute '${name}' is ${typeName(value)} while a string, Boolean, or integer is expected`,
      );
  }
}

function settingsOf(
  literals: ReadonlyMap<string, Literal>,
): Map<string, string | bigint | boolean | readonly string[]> {
  const settings = new Map<string, string | bigint | boolean | readonly string[]>();
  for (const [name, value] of literals) {
    switch (value.kind) {
      case "string":
        settings.set(name, value.text);
        break;
      case "path":
        settings.set(name, value.path);
        break;
      case "int":
      case "bool":
        settings.set(name, value.value);
        break;
      case "list":
        settings.set(name, value.items.map(expectString));
        break;
      default:
        throw new FirnError("bad-flake", `flake configuration setting '${name}' is ${typeName(value)}`);
    }
  }
  return settings;
}

function expectSet(value: Literal): ReadonlyMap<string, Literal> {
  if (value.kind !== "set") throw new FirnError("bad-flake", `expected a set but got ${typeName(value)}`);
  return value.attributes;
}

function expectBool(value: Literal): boolean {
  if (value.kind !== "bool") throw new FirnError("bad-flake", `expected a Boolean but got ${typeName(value)}`);
  return value.value;
}

function expectString(value: Literal): string {
  if (value.kind !== "string") throw new FirnError("bad-flake", `expected a string but got ${typeName(value)}`);
  return value.text;
}

function typeName(value: Literal): string {
  switch (value.kind) {
    case "string":
      return "a string";
    case "path":
      return "a path";
    case "int":
      return "an integer";
    case "bool":
      return "a Boolean";
    case "list":
      return "a list";
    case "set":
      return "a set";
    case "other":
      return value.type;
  }
}
