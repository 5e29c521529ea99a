/** The contents of a flake.nix as data: its literals, and their meaning as inputs and settings. */
import { byteStringOf, FirnError, type JsonValue, printJson, textOf } from "@firn/formats";
import type { TreeName } from "../evaluator/shown-trees.ts";
import type { TreePlace } from "../lock/compute.ts";
import type { FlakeInput, FlakeSetting, FlakeSource, PathSetting } from "../lock/flake-description.ts";
import { type FlakeRef, flakeRefFromAttributes, parseReference, showFlakeRef } from "../refs/reference.ts";
import { type AttributePath, FlakeMistake, withFrame } from "./flake-mistake.ts";

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
   * Reads a file; `file` is the path in the store, `shown` is the flake's reference for errors, `name` that of its tree, where
   * errors do not name the store path.
   */
  readFlakeFile(file: string, shown: string, name?: TreeName): Promise<FlakeFile>;
  /** Returns line and column of attributes of a file that was read; undefined where they are not known. */
  attributePositions(
    file: string,
    places: readonly AttributePath[],
  ): Promise<readonly ({ readonly line: number; readonly column: number } | undefined)[]>;
}

/** A flake in a tree that is in the store already. */
export interface FlakeAt {
  readonly originalRef: FlakeRef;
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  readonly place: TreePlace;
}

/** Makes the error for a tree without a flake.nix; directories are named by their store path, all other trees by their reference. */
export function noFlake(at: FlakeAt): FirnError {
  const { storePath, dir } = at.place;
  const { input } = at.lockedRef;
  const tree = input.get("type") === "path" ? storePath : byteStringOf(`«${textOf(showFlakeRef({ input, dir: "" }))}»`);
  return new FirnError("no-flake", `path '${tree}/${dir === "" ? "" : `${dir}/`}flake.nix' does not exist`);
}

/** Returns the meaning of a flake.nix that was read. Fails with a `FlakeMistake` for invalid inputs or settings. */
export function flakeSource(file: FlakeFile, at: FlakeAt, lockText: string | undefined): FlakeSource {
  const { storePath, dir } = at.place;
  const directory = dir === "" ? storePath : `${storePath}/${dir}`;
  const inputs = parseInputs(file.inputs, { tree: storePath, directory, allowSelf: true, at: ["inputs"] });
  const self = file.inputs.get("self");
  const selfAttributes =
    self === undefined ? new Map<string, string | bigint | boolean>() : parseSelf(expectSet(self, ["inputs", "self"]));
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
  /** Store path of the flake's tree. */
  readonly tree: string;
  /** Store directory of the flake.nix. */
  readonly directory: string;
  readonly allowSelf: boolean;
  /** The attribute of the inputs. */
  readonly at: AttributePath;
}

function parseInputs(literals: ReadonlyMap<string, Literal>, context: InputContext): Map<string, FlakeInput> {
  const inputs = new Map<string, FlakeInput>();
  for (const [name, literal] of literals) {
    if (name === "self") {
      if (!context.allowSelf)
        throw new FlakeMistake("'self' input attribute not allowed", { at: [...context.at, name] });
      continue;
    }
    const at = [...context.at, name];
    inputs.set(name, parseInput(expectSet(literal, at), { ...context, at }));
  }
  return inputs;
}

/** Returns the attributes of `inputs.self`, which say how the flake's own tree is fetched. Fails with `bad-flake` for unknown ones. */
function parseSelf(attributes: ReadonlyMap<string, Literal>): Map<string, string | bigint | boolean> {
  const found = new Map<string, string | bigint | boolean>();
  for (const [name, value] of attributes) {
    if (name !== "submodules" && name !== "lfs") {
      throw new FlakeMistake(`flake 'self' attribute '${name}' is not supported`);
    }
    found.set(name, plainAttribute(name, value));
  }
  return found;
}

function parseInput(attributes: ReadonlyMap<string, Literal>, context: InputContext): FlakeInput {
  const { at } = context;
  let url: string | undefined;
  let isFlake = true;
  let follows: readonly string[] | undefined;
  let inputs: ReadonlyMap<string, FlakeInput> = new Map();
  const rest = new Map<string, string | bigint | boolean>();
  for (const [key, value] of attributes) {
    const place = [...at, key];
    withFrame(`while evaluating flake attribute '${key}'`, place, () => {
      if (key === "url") url = urlOf(value, context, place);
      else if (key === "flake") isFlake = expectBool(value, place);
      else if (key === "inputs")
        inputs = parseInputs(expectSet(value, place), { ...context, allowSelf: false, at: place });
      else if (key === "follows")
        follows = expectString(value, place)
          .split("/")
          .filter((part) => part !== "");
      else rest.set(key, plainAttribute(key, value));
    });
  }
  let ref: FlakeRef | undefined;
  if (rest.has("type")) {
    if (url !== undefined) rest.set("url", url);
    ref = withFrame("while evaluating flake input", at, () => flakeRefFromAttributes(rest));
  } else {
    const [unexpected] = [...rest.keys()].sort();
    if (unexpected !== undefined)
      throw new FlakeMistake(`unexpected flake input attribute '${unexpected}'`, { at, joint: ", at " });
    if (url !== undefined) ref = parseReference(url, { isFlake, keepRelative: true });
  }
  if (ref !== undefined && follows !== undefined) {
    throw new FlakeMistake("flake input has both a flake reference and a follows attribute", { at, joint: ", at " });
  }
  return { ref, isFlake, follows, inputs };
}

/** Returns the URL of an input. A path literal is an input in the same tree, and becomes relative again. */
function urlOf(value: Literal, { tree, directory }: InputContext, at: AttributePath): string {
  if (value.kind === "string") return value.text;
  if (value.kind !== "path") throw new FlakeMistake(`expected a string or a path but got ${typeName(value)}`, { at });
  if (value.path !== tree && !value.path.startsWith(`${tree}/`)) {
    const rest = ` must be in the same source tree as ${directory}/`;
    throw new FlakeMistake(`input attribute path '${value.path}'`, { at, rest });
  }
  const from = directory.split("/");
  const to = value.path.split("/");
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  const up = from.slice(common).map(() => "..");
  return `path:${[...up, ...to.slice(common)].join("/") || "."}`;
}

function plainAttribute(name: string, value: Literal): string | bigint | boolean {
  switch (value.kind) {
    case "string":
      return value.text;
    case "bool":
      return value.value;
    case "int":
      if (value.value < 0n)
        throw new FlakeMistake(`negative value given for flake input attribute ${name}: ${value.value}`);
      return value.value;
    default:
      if (name === "publicKeys") return printJson(jsonOf(value));
      throw new FlakeMistake(
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
      throw new FlakeMistake(`cannot convert ${typeName(value)} to JSON`);
  }
}

function settingsOf(literals: ReadonlyMap<string, Literal>): Map<string, FlakeSetting | PathSetting> {
  const settings = new Map<string, FlakeSetting | PathSetting>();
  for (const [name, value] of literals) {
    switch (value.kind) {
      case "string":
        settings.set(name, value.text);
        break;
      case "path":
        settings.set(name, { path: value.path });
        break;
      case "int":
      case "bool":
        settings.set(name, value.value);
        break;
      case "list":
        settings.set(
          name,
          value.items.map((item) => {
            if (item.kind === "string") return item.text;
            throw new FlakeMistake(
              `list element in flake configuration setting '${name}' is a list while a string is expected`,
            );
          }),
        );
        break;
      default:
        throw new FlakeMistake(`flake configuration setting '${name}' is ${typeName(value)}`);
    }
  }
  return settings;
}

/** Returns the attributes of a set. Fails with a `FlakeMistake` at an attribute for what is none. */
export function expectSet(value: Literal, at: AttributePath): ReadonlyMap<string, Literal> {
  if (value.kind !== "set") throw new FlakeMistake(`expected a set but got ${typeName(value)}`, { at });
  return value.attributes;
}

function expectBool(value: Literal, at: AttributePath): boolean {
  if (value.kind !== "bool") throw new FlakeMistake(`expected a Boolean but got ${typeName(value)}`, { at });
  return value.value;
}

/** Returns the text of a string. Fails with a `FlakeMistake` at an attribute for what is none. */
export function expectString(value: Literal, at: AttributePath): string {
  if (value.kind !== "string") throw new FlakeMistake(`expected a string but got ${typeName(value)}`, { at });
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
