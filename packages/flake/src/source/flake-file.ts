/** The contents of a flake.nix as data: its literals, and their meaning as inputs and settings. */
import { FirnError, type JsonValue, printJson } from "@firn/formats";
import type { TreePlace } from "../lock/compute.ts";
import type { FlakeInput, FlakeSource } from "../lock/flake-description.ts";
import { type FlakeRef, flakeRefFromAttributes, parseReference, showFlakeRef } from "../refs/reference.ts";

/** A literal of flake.nix. Paths are absolute. */
export type Literal =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "list"; readonly items: readonly Literal[] }
  | { readonly kind: "set"; readonly attributes: ReadonlyMap<string, Literal> }
  | { readonly kind: "other"; readonly type: string };

/** The contents of a flake.nix, without calling its outputs. */
export interface FlakeFile {
  readonly description: string | undefined;
  readonly inputs: ReadonlyMap<string, Literal>;
  /** Names of the arguments that `outputs` takes, `self` among them; empty when it takes one plain argument. */
  readonly outputArguments: readonly string[];
  readonly nixConfig: ReadonlyMap<string, Literal>;
}

/** Reads a flake.nix: evaluates only literals. Fails in the reference's words when the file is no flake. */
export interface FlakeReader {
  /**
   * Reads a file; `file` is the path in the store, `shown` is the flake's reference for errors, `workTree` the Git work tree that the
   * store path was taken from.
   */
  readFlakeFile(file: string, shown: string, workTree?: string): Promise<FlakeFile>;
}

/** A flake in a tree that is in the store already. */
export interface FlakeAt {
  readonly originalRef: FlakeRef;
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  readonly place: TreePlace;
}

/** Makes the error for a tree without a flake.nix. */
export function noFlake(at: FlakeAt): FirnError {
  const { dir } = at.place;
  return new FirnError(
    "no-flake",
    `source tree referenced by '${showFlakeRef(at.resolvedRef)}' does not contain a '${dir === "" ? "" : `${dir}/`}flake.nix' file`,
    { hint: "in a Git repository only tracked files exist for Nix: 'git add -N flake.nix' tracks it" },
  );
}

/** Returns the meaning of a flake.nix that was read. Fails with `bad-flake` for invalid inputs or settings. */
export function flakeSource(file: FlakeFile, at: FlakeAt, lockText: string | undefined): FlakeSource {
  const { storePath, dir } = at.place;
  const directory = dir === "" ? storePath : `${storePath}/${dir}`;
  const inputs = parseInputs(file.inputs, { directory, allowSelf: true });
  const self = file.inputs.get("self");
  const selfAttributes = self === undefined ? new Map<string, string | bigint | boolean>() : parseSelf(expectSet(self));
  for (const name of file.outputArguments) {
    if (name !== "self" && !inputs.has(name)) {
      inputs.set(name, { ref: parseReference(name), isFlake: true, follows: undefined, inputs: new Map() });
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
    selfAttributes,
    nixConfig: settingsOf(file.nixConfig),
    lockText,
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

/** Returns the attributes of `inputs.self`, which say how the flake's own tree is fetched. Fails with `bad-flake` for unknown ones. */
function parseSelf(attributes: ReadonlyMap<string, Literal>): Map<string, string | bigint | boolean> {
  const found = new Map<string, string | bigint | boolean>();
  for (const [name, value] of attributes) {
    if (name !== "submodules" && name !== "lfs") {
      throw new FirnError("bad-flake", `flake 'self' attribute '${name}' is not supported`);
    }
    found.set(name, plainAttribute(name, value));
  }
  return found;
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
    if (url !== undefined) ref = parseReference(url, { isFlake, keepRelative: true });
  }
  if (ref !== undefined && follows !== undefined) {
    throw new FirnError("bad-flake", "flake input has both a flake reference and a follows attribute");
  }
  return { ref, isFlake, follows, inputs };
}

/** Returns the URL of an input. A path literal is an input in the same tree, and becomes relative again. */
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
      if (name === "publicKeys") return printJson(jsonOf(value));
      throw new FirnError(
        "bad-flake",
        `flake input attribute '${name}' is ${typeName(value)} while a string, Boolean, or integer is expected`,
      );
  }
}

/** Returns a literal as JSON, with attributes sorted by their names. Error `bad-flake` for what has no JSON. */
function jsonOf(value: Literal): JsonValue {
  switch (value.kind) {
    case "string":
      return value.text;
    case "path":
      return value.path;
    case "int":
      return { number: String(value.value) };
    case "bool":
      return value.value;
    case "list":
      return value.items.map(jsonOf);
    case "set":
      return new Map(
        [...value.attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, jsonOf(item)]),
      );
    case "other":
      throw new FirnError("bad-flake", `cannot convert ${typeName(value)} to JSON`);
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
