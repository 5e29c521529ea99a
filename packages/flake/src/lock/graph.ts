/** The lock graph during computation, and its conversion from and to the numbered nodes of the lock file. */

import { isLockedInput, withAttributes } from "@firn/fetch/inputs";
import {
  attributesToJson,
  FirnError,
  type LockEdge,
  type LockFile,
  type LockNode,
  parseFlakeLock,
  printJson,
} from "@firn/formats";
import {
  type FlakeRef,
  flakeRefFromAttributes,
  flakeRefToAttributes,
  relativePathOf,
  sameFlakeRef,
  showFlakeRef,
} from "../refs/reference.ts";

/** Names of inputs, from the root down. */
export type InputPath = readonly string[];

/** The target of an input: a node, or another input that it follows. */
export type Edge =
  | { readonly kind: "node"; readonly node: LockedNode }
  | { readonly kind: "follows"; readonly path: InputPath };

/** A flake in the graph; the root has no reference of its own. */
export interface GraphNode {
  readonly inputs: Map<string, Edge>;
}

/** An input pinned to a tree. */
export interface LockedNode extends GraphNode {
  readonly lockedRef: FlakeRef;
  readonly originalRef: FlakeRef;
  readonly isFlake: boolean;
  /** For relative paths, the input to which they are relative. */
  readonly parent: InputPath | undefined;
  /** True when it comes from a lock file, as it is or kept. */
  readonly isFromLockFile: boolean;
}

/** Writes an input path as `a/b`. */
export function showInputPath(path: InputPath): string {
  return path.join("/");
}

/** Reads `a/b`; fails with `usage` for names that no input can have. */
export function parseInputPath(text: string): InputPath {
  const path = text.split("/").filter((part) => part !== "");
  for (const part of path) {
    if (!/^[a-zA-Z][a-zA-Z0-9_-]*$/.test(part)) {
      throw new FirnError("bad-flake-ref", `invalid flake input attribute path element '${part}'`);
    }
  }
  return path;
}

/** Compares input paths part by part, as the reference orders them. */
export function compareInputPaths(a: InputPath, b: InputPath): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a[i] ?? "";
    const y = b[i] ?? "";
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

/** Returns the graph of a lock file's text; an absent file has a root without inputs. */
export function readLockGraph(text: string | undefined, shown: string, warn?: (text: string) => void): GraphNode {
  if (text === undefined) return { inputs: new Map() };
  const file = parseFlakeLock(text, shown);
  const nodes = new Map<string, GraphNode>();
  const make = (key: string, depth: number): GraphNode => {
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const entry = file.nodes.get(key);
    if (entry === undefined) throw new FirnError("bad-lock-file", `lock file references missing node '${key}'`);
    if (depth > 1000) throw new FirnError("bad-lock-file", `lock file '${shown}' is nested too deeply`);
    const node = key === file.root ? { inputs: new Map<string, Edge>() } : lockedNode(entry, key, { shown, warn });
    nodes.set(key, node);
    for (const [name, edge] of sorted(entry.inputs)) {
      if (typeof edge !== "string") node.inputs.set(name, { kind: "follows", path: edge });
      else if (edge === file.root)
        throw new FirnError("bad-lock-file", `lock file '${shown}' contains cycle to root node`);
      else node.inputs.set(name, { kind: "node", node: make(edge, depth + 1) as LockedNode });
    }
    return node;
  };
  return make(file.root, 0);
}

function lockedNode(
  entry: LockNode,
  key: string,
  { shown, warn }: { readonly shown: string; readonly warn: ((text: string) => void) | undefined },
): LockedNode {
  if (entry.locked === undefined || entry.original === undefined) {
    throw new FirnError("bad-lock-file", `node '${key}' of lock file '${shown}' lacks 'locked' or 'original'`);
  }
  const lockedRef = flakeRefFromAttributes(entry.locked);
  if (!isLockedInput(lockedRef.input) && relativePathOf(lockedRef) === undefined) {
    if (!lockedRef.input.has("narHash")) {
      const attributes = printJson(attributesToJson(lockedRef.input));
      throw new FirnError(
        "bad-lock-file",
        `Lock file contains unlocked input '${attributes}'. Use '--allow-dirty-locks' to accept this lock file.`,
      );
    }
    warn?.(
      `Lock file entry '${showFlakeRef(lockedRef)}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared.`,
    );
  }
  return {
    inputs: new Map(),
    lockedRef,
    originalRef: flakeRefFromAttributes(entry.original),
    isFlake: entry.flake,
    parent: entry.parent,
    isFromLockFile: true,
  };
}

/** Returns the lock file of a graph, and the key of every node. Keys are input names, numbered where they collide. */
export function graphToLockFile(root: GraphNode): {
  readonly file: LockFile;
  readonly keys: ReadonlyMap<GraphNode, string>;
} {
  const nodes = new Map<string, LockNode>();
  const keys = new Map<GraphNode, string>();
  const taken = new Set<string>();
  const place = (wanted: string, node: GraphNode): string => {
    const known = keys.get(node);
    if (known !== undefined) return known;
    let key = wanted;
    for (let n = 2; taken.has(key); n++) key = `${wanted}_${n}`;
    taken.add(key);
    keys.set(node, key);
    const inputs = new Map<string, LockEdge>();
    for (const [name, edge] of sorted(node.inputs)) {
      inputs.set(name, edge.kind === "node" ? place(name, edge.node) : edge.path);
    }
    nodes.set(key, isLockedNode(node) ? lockNode(node, inputs) : { inputs, flake: true });
    return key;
  };
  const rootKey = place("root", root);
  return { file: { root: rootKey, nodes }, keys };
}

function lockNode(node: LockedNode, inputs: Map<string, LockEdge>): LockNode {
  return {
    inputs,
    locked: withAttributes(flakeRefToAttributes(node.lockedRef), { __final: undefined }),
    original: flakeRefToAttributes(node.originalRef),
    flake: node.isFlake,
    ...(node.parent === undefined ? {} : { parent: node.parent }),
  };
}

/** Tells whether a node is an input rather than the root. */
export function isLockedNode(node: GraphNode): node is LockedNode {
  return "lockedRef" in node;
}

/** Returns every input of a graph by path, in order; each node is entered once. */
export function allInputs(root: GraphNode): [InputPath, Edge][] {
  const found: [InputPath, Edge][] = [];
  const seen = new Set<GraphNode>();
  const visit = (prefix: InputPath, node: GraphNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const [name, edge] of sorted(node.inputs)) {
      const path = [...prefix, name];
      found.push([path, edge]);
      if (edge.kind === "node") visit(path, edge.node);
    }
  };
  visit([], root);
  return found.sort(([a], [b]) => compareInputPaths(a, b));
}

/**
 * Returns the node at an input path, following `follows`; undefined when there is none. Fails with `flake-follows` when it comes to a path a second
 * time: as in the reference also where that is no circle, but two inputs of one path follow the same.
 */
export function findInput(root: GraphNode, path: InputPath, visited: InputPath[] = []): GraphNode | undefined {
  const first = visited.findIndex((other) => compareInputPaths(other, path) === 0);
  if (first >= 0) {
    const cycle = [...visited.slice(first), path].map(showInputPath).join(" -> ");
    throw new FirnError("flake-follows", `follow cycle detected: [${cycle}]`);
  }
  visited.push(path);
  let node = root;
  for (const name of path) {
    const edge = node.inputs.get(name);
    if (edge === undefined) return undefined;
    const next = edge.kind === "node" ? edge.node : findInput(root, edge.path, visited);
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

/** Fails with `flake-follows` when an input follows one that does not exist. */
export function checkFollows(root: GraphNode): void {
  for (const [path, edge] of allInputs(root)) {
    if (edge.kind === "follows" && edge.path.length > 0 && findInput(root, edge.path) === undefined) {
      throw new FirnError(
        "flake-follows",
        `input '${showInputPath(path)}' follows a non-existent input '${showInputPath(edge.path)}'`,
      );
    }
  }
}

/** Returns the first input whose content is not pinned, or undefined. */
export function unlockedInput(root: GraphNode): FlakeRef | undefined {
  for (const [, edge] of allInputs(root)) {
    if (edge.kind !== "node") continue;
    const ref = edge.node.lockedRef;
    if (!isLockedInput(ref.input) && relativePathOf(ref) === undefined) return ref;
  }
  return undefined;
}

/** Describes the changes between two graphs, one entry a line as the reference prints it. */
export function describeChanges(before: GraphNode, after: GraphNode): string {
  const old = allInputs(before);
  const now = allInputs(after);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    const from = old[i];
    const to = now[j];
    const order = from === undefined ? 1 : to === undefined ? -1 : compareInputPaths(from[0], to[0]);
    if (order > 0 && to !== undefined) {
      lines.push(`• Added input '${showInputPath(to[0])}':`, `    ${describeEdge(to[1])}`);
      j++;
    } else if (order < 0 && from !== undefined) {
      lines.push(`• Removed input '${showInputPath(from[0])}'`);
      i++;
    } else if (from !== undefined && to !== undefined) {
      if (!sameEdge(from[1], to[1])) {
        lines.push(
          `• Updated input '${showInputPath(from[0])}':`,
          `    ${describeEdge(from[1])}`,
          `  → ${describeEdge(to[1])}`,
        );
      }
      i++;
      j++;
    }
  }
  return lines.join("\n");
}

function describeEdge(edge: Edge): string {
  if (edge.kind === "follows") return `follows '${showInputPath(edge.path)}'`;
  const ref = edge.node.lockedRef;
  const modified = ref.input.get("lastModified");
  const date = typeof modified === "bigint" ? ` (${new Date(Number(modified) * 1000).toISOString().slice(0, 10)})` : "";
  return `'${showFlakeRef(ref)}'${date}`;
}

function sameEdge(a: Edge, b: Edge): boolean {
  if (a.kind === "node") {
    if (b.kind !== "node" || !sameFlakeRef(a.node.lockedRef, b.node.lockedRef)) return false;
    // In the reference a relative path that is locked anew lacks a mark that lock files give, and is told as updated.
    return relativePathOf(a.node.lockedRef) === undefined || a.node.isFromLockFile === b.node.isFromLockFile;
  }
  return b.kind === "follows" && compareInputPaths(a.path, b.path) === 0;
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
