/** `flake.lock`: versions 5 to 7 are read, 7 is written, byte for byte as the reference writes it. */
import { FirnError } from "../base/error.ts";
import { isJsonNumber, isJsonObject, type JsonValue, jsonNumber, parseJson, printJson } from "./json.ts";
import { naming } from "./named-text.ts";

/** Attributes of a flake reference: `type`, `owner`, `rev`, …; integers as bigint. */
export type FlakeAttributes = ReadonlyMap<string, string | bigint | boolean>;

/** The target of an input: another node, or (follows) a path of input names from the root. */
export type LockEdge = string | readonly string[];

/** One node of the lock graph; the root has neither `locked` nor `original`. */
export interface LockNode {
  readonly inputs: ReadonlyMap<string, LockEdge>;
  readonly locked?: FlakeAttributes;
  readonly original?: FlakeAttributes;
  /** False for an input that is not a flake. */
  readonly flake: boolean;
  /** Input path of the flake that a relative path is relative to. */
  readonly parent?: readonly string[];
}

/** A lock file as a graph by node keys. */
export interface LockFile {
  readonly root: string;
  readonly nodes: ReadonlyMap<string, LockNode>;
}

const VERSION = 7;

function bad(path: string, message: string): FirnError {
  return new FirnError("bad-lock-file", `lock file '${path}' ${message}`);
}

/** Reads a lock file (byte string); `path` names it in errors (`bad-lock-file`, `bad-json`). */
export function parseFlakeLock(text: string, path: string): LockFile {
  const hint = "mend the file, or delete it to lock the inputs anew";
  const value = naming(`Could not parse '${path}'`, hint, () => parseJson(text));
  if (!isJsonObject(value)) throw bad(path, "is not an object");
  const version = value.get("version");
  const number = isJsonNumber(version) ? Number(version.number) : 0;
  if (number < 5 || number > VERSION) throw bad(path, `has unsupported version ${number}`);
  const root = value.get("root");
  const nodes = value.get("nodes");
  if (typeof root !== "string" || !isJsonObject(nodes)) throw bad(path, "lacks 'root' or 'nodes'");
  const result = new Map<string, LockNode>();
  for (const [key, node] of nodes) result.set(key, nodeFromJson(node, path));
  if (!result.has(root)) throw new FirnError("bad-lock-file", `lock file references missing node '${root}'`);
  for (const node of result.values()) {
    for (const edge of node.inputs.values()) {
      if (typeof edge === "string" && !result.has(edge))
        throw new FirnError("bad-lock-file", `lock file references missing node '${edge}'`);
    }
  }
  return { root, nodes: result };
}

function names(value: JsonValue, path: string): string[] {
  if (!Array.isArray(value)) throw bad(path, "holds an input that is neither a node nor a path");
  return value.map((item: JsonValue) => {
    if (typeof item !== "string") throw bad(path, "holds an input path that is not a list of names");
    return item;
  });
}

function nodeFromJson(value: JsonValue, path: string): LockNode {
  if (!isJsonObject(value)) throw bad(path, "holds a node that is not an object");
  const inputs = new Map<string, LockEdge>();
  const edges = value.get("inputs");
  if (isJsonObject(edges))
    for (const [name, edge] of edges) inputs.set(name, typeof edge === "string" ? edge : names(edge, path));
  const locked = value.get("locked");
  const original = value.get("original");
  const parent = value.get("parent");
  return {
    inputs,
    flake: value.get("flake") !== false,
    ...(locked === undefined ? {} : { locked: attributesFromJson(locked) }),
    ...(original === undefined ? {} : { original: attributesFromJson(original) }),
    ...(parent === undefined ? {} : { parent: names(parent, path) }),
  };
}

/** Flake reference attributes from JSON: strings, integers, booleans; error `bad-flake-attributes`. */
export function attributesFromJson(value: JsonValue): FlakeAttributes {
  if (!isJsonObject(value)) throw new FirnError("bad-lock-file", "input attributes are not an object");
  const result = new Map<string, string | bigint | boolean>();
  for (const [name, item] of value) {
    if (typeof item === "string" || typeof item === "boolean") result.set(name, item);
    else if (isJsonNumber(item) && /^-?[0-9]{1,19}$/.test(item.number)) result.set(name, BigInt(item.number));
    else throw new FirnError("bad-lock-file", `unsupported input attribute type in lock file`);
  }
  return result;
}

/** Flake reference attributes as JSON. */
export function attributesToJson(attributes: FlakeAttributes): JsonValue {
  return new Map([...attributes].map(([name, value]) => [name, typeof value === "bigint" ? jsonNumber(value) : value]));
}

function nodeToJson(node: LockNode): JsonValue {
  const members = new Map<string, JsonValue>();
  if (node.inputs.size > 0) members.set("inputs", new Map<string, JsonValue>(node.inputs));
  if (node.locked !== undefined) members.set("locked", attributesToJson(node.locked));
  if (node.original !== undefined) members.set("original", attributesToJson(node.original));
  if (!node.flake) members.set("flake", false);
  if (node.parent !== undefined) members.set("parent", node.parent);
  return members;
}

/** The JSON value of a lock file. */
export function flakeLockToJson(lock: LockFile): JsonValue {
  return new Map<string, JsonValue>([
    ["nodes", new Map([...lock.nodes].map(([key, node]) => [key, nodeToJson(node)]))],
    ["root", lock.root],
    ["version", jsonNumber(VERSION)],
  ]);
}

/** The bytes of the file: two spaces a level, sorted keys, newline at the end. */
export function printFlakeLock(lock: LockFile): string {
  return `${printJson(flakeLockToJson(lock), { indent: 2 })}\n`;
}
