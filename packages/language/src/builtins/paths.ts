/** The builtins on files and paths. Every one of them calls the host. */
import { canonicalPath, hashData, isStorePath, outputPlaceholder, parseHash, printHash } from "@firn/formats";
import { call, call2, coerceToString, force, forceAt, host, plainString } from "../code/interpret.ts";
import { elementAt, listLength } from "../heap/list.ts";
import { bool, falseValue, isPath, isSet, isString, none, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { makePath, placedPathText } from "../heap/path.ts";
import { attribute, makeSet, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, shapeSize } from "../heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { shownBelowTree, shownPath } from "../heap/tree-root.ts";
import type { ContextElement, FileType } from "../host.ts";
import { baseNameOfPath, parentOf } from "../syntax/path-text.ts";
import { contextElements, contextOf, mergeContexts } from "../value/context.ts";
import { addFrame, EvaluationError, wrapError } from "../value/evaluation-error.ts";
import {
  attrsArgument,
  type BuiltinTable,
  boolArgument,
  coercedArgument,
  fail,
  functionArgument,
  listArgument,
  plainArgument,
  requiredAttr,
} from "./arguments.ts";
import { hashAlgorithm } from "./hashes.ts";

const toStringSymbol = intern("__toString");

interface PathArgument {
  /** The path, with the stand-in of its tree. */
  readonly path: string;
  readonly context: ContextId;
}

/** Returns an absolute path from a path value, a string or something that coerces to one. */
export function pathArgument(slot: Slot, text: string, pos = 0): PathArgument {
  let value: Value;
  try {
    value = forceAt(slot, pos);
  } catch (error) {
    throw addFrame(error, pos, text);
  }
  if (isPath(value)) return { path: canonicalPath(placedPathText(value)), context: 0 };
  if (isSet(value)) {
    const toText = attribute(value, toStringSymbol);
    if (toText !== none) return pathArgument(call(force(toText), value, pos), text, pos);
  }
  const coerced = coerceToString(value, 0, text, pos);
  const path = stringText(coerced);
  if (!path.startsWith("/")) {
    throw addFrame(new EvaluationError("eval-error", `string '${path}' doesn't represent an absolute path`), pos, text);
  }
  return { path: canonicalPath(path), context: contextIdOf(coerced) };
}

/** Builds the outputs in a context and replaces the placeholders of those whose paths are only known now. */
export function realise(path: string, context: ContextId): string {
  if (context === 0) return path;
  const elements = contextElements(context);
  const outputs = host().realiseContext(elements);
  let result = path;
  for (const element of elements) {
    if (element.kind !== "output") continue;
    const actual = outputs.get(`${element.drvPath}!${element.output}`);
    if (actual === undefined) continue;
    const placeholder = outputPlaceholder(element.drvPath, element.output);
    if (result.includes(placeholder)) result = result.replaceAll(placeholder, actual);
  }
  return result;
}

/** Returns the path of an argument for reading, after building its context. */
export function realisedPath(slot: Slot): string {
  const { path, context } = pathArgument(slot, "while realising the context of a path");
  if (context === 0) return path;
  try {
    return realise(path, context);
  } catch (error) {
    throw addFrame(error, 0, `while realising the context of path '${path}'`);
  }
}

function isInStore(path: string): boolean {
  return path.startsWith(`${host().storeDir}/`);
}

/** Returns the store path at or above a path inside the store. */
function storePathOf(path: string): string {
  const start = host().storeDir.length + 1;
  const slash = path.indexOf("/", start);
  return slash < 0 ? path : path.slice(0, slash);
}

export function isStorePathText(path: string): boolean {
  return isInStore(path) && storePathOf(path) === path && isStorePath(path, host().storeDir);
}

export function storeString(path: string): Value {
  return makeString(path, contextOf({ kind: "opaque", path }));
}

/** Returns the directories above a path, outermost first, without the store directory and those above it, which are not checked. */
function parentsToCheck(path: string): string[] {
  const parents: string[] = [];
  for (let at = parentOf(path); at !== "/" && !`${host().storeDir}/`.startsWith(`${at}/`); at = parentOf(at)) {
    parents.unshift(at);
  }
  return parents;
}

const typeStrings: Readonly<Record<FileType, Value>> = {
  regular: makeString("regular"),
  directory: makeString("directory"),
  symlink: makeString("symlink"),
  unknown: makeString("unknown"),
};

function pathExists(a: Slot): Value {
  const value = force(a);
  const text = isString(value) ? stringText(value) : "";
  const mustBeDirectory = text.endsWith("/") || text.endsWith("/.");
  try {
    const path = realisedPath(value);
    const type = host().fileType(path);
    if (type === undefined) return falseValue;
    if (!mustBeDirectory) return trueValue;
    return bool(
      type === "directory" || (type === "symlink" && host().fileType(host().resolveSymlinks(path)) === "directory"),
    );
  } catch (error) {
    const wrapped = wrapError(error);
    if (wrapped instanceof EvaluationError && wrapped.kind === "restricted-path") return falseValue;
    throw wrapped;
  }
}

/** Returns the base name by the rule of old releases: one trailing slash is ignored. */
function legacyBaseName(path: string): string {
  if (path === "") return "";
  let last = path.length - 1;
  if (path[last] === "/" && last > 0) last--;
  const slash = path.lastIndexOf("/", last);
  return path.slice(slash + 1, last + 1);
}

function dirOf(a: Slot): Value {
  const value = force(a);
  if (isPath(value)) return makePath(parentOf(canonicalPath(placedPathText(value))));
  const coerced = coercedArgument(value, 0, "while evaluating the first argument passed to 'builtins.dirOf'");
  const text = stringText(coerced);
  const slash = text.lastIndexOf("/");
  const directory = slash < 0 ? "." : slash === 0 ? "/" : text.slice(0, slash);
  return makeString(directory, contextIdOf(coerced));
}

function readFile(a: Slot): Value {
  const path = realisedPath(a);
  const text = host().readFile(path);
  if (text.includes("\0")) {
    throw fail(`the contents of the file '${path}' cannot be represented as a Nix string`);
  }
  if (!isInStore(path)) return makeString(text);
  const references = host().queryPath(storePathOf(path))?.references ?? [];
  let context: ContextId = 0;
  const start = host().storeDir.length + 1;
  for (const reference of references) {
    if (text.includes(reference.slice(start, start + 32))) {
      context = mergeContexts(context, contextOf({ kind: "opaque", path: reference }));
    }
  }
  return makeString(text, context);
}

/** Finds the first entry of a search path under which the file exists, for `<name>` and `findFile`. */
export function findInSearchPath(entries: readonly { prefix: string; path: string }[], wanted: string): string {
  for (const { prefix, path } of entries) {
    let rest: string;
    if (prefix === "") rest = wanted;
    else if (wanted === prefix) rest = "";
    else if (wanted.startsWith(`${prefix}/`)) rest = wanted.slice(prefix.length + 1);
    else continue;
    const base = host().resolveSearchPathEntry(path);
    if (base === undefined) continue;
    const full = canonicalPath(`${base}/${rest}`);
    if (host().fileType(full) === undefined) continue;
    const resolved = host().resolveSymlinks(full);
    if (host().fileType(resolved) !== undefined) return resolved;
  }
  if (wanted === "nix/fetchurl.nix" || wanted.startsWith("nix/")) return `/__corepkgs__/${wanted.slice(4)}`;
  throw new EvaluationError(
    "thrown",
    host().mode.pure
      ? `cannot look up '<${wanted}>' in pure evaluation mode (use '--impure' to override)`
      : `file '${wanted}' was not found in the Nix search path (add it using $NIX_PATH or -I)`,
  );
}

function findFile(a: Slot, b: Slot): Value {
  const list = listArgument(a, "while evaluating the first argument passed to builtins.findFile");
  const entries: { prefix: string; path: string }[] = [];
  for (let i = 0; i < listLength(list); i++) {
    const entry = attrsArgument(
      elementAt(list, i),
      "while evaluating an element of the list passed to builtins.findFile",
    );
    const prefixSlot = attribute(entry, intern("prefix"));
    const prefix =
      prefixSlot === none
        ? ""
        : plainArgument(
            prefixSlot,
            "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile",
          );
    const pathSlot = requiredAttr(entry, "path", "in an element of the __nixPath");
    const path = coercedArgument(
      pathSlot,
      0,
      "while evaluating the `path` attribute of an element of the list passed to builtins.findFile",
    );
    entries.push({ prefix, path: realise(stringText(path), contextIdOf(path)) });
  }
  const wanted = plainArgument(b, "while evaluating the second argument passed to builtins.findFile");
  return makePath(findInSearchPath(entries, wanted));
}

interface AddPath {
  readonly path: string;
  readonly context: ContextId;
  readonly name: string;
  readonly filter: Value | undefined;
  readonly method: "flat" | "nar";
  readonly expectedHash: string | undefined;
}

function addPath(request: AddPath): Value {
  const { filter } = request;
  // A filter is called with paths.
  let path = filter === undefined ? request.path : shownPath(request.path);
  try {
    let references: readonly string[] = [];
    if (request.context !== 0 && isInStore(path)) {
      path = realise(path, request.context);
      // The files may name what the whole store path refers to.
      references = host().queryPath(storePathOf(path))?.references ?? [];
    }
    const storePath = host().addPathToStore({
      path: host().resolveSymlinks(path),
      name: request.name,
      method: request.method,
      ...(references.length === 0 ? {} : { references }),
      ...(request.expectedHash === undefined ? {} : { expectedHash: request.expectedHash }),
      ...(filter === undefined
        ? {}
        : {
            filter: (file: string, type: FileType) =>
              boolArgument(
                call2(filter, makeString(file), typeStrings[type], 0),
                "while evaluating the return value of the path filter function",
              ),
          }),
    });
    host().allowPath(storePath);
    return storeString(storePath);
  } catch (error) {
    throw addFrame(error, 0, `while adding path '${request.path}'`);
  }
}

/** Returns a SHA-256 in any notation as SRI; the empty string means the hash of zeros. */
export function sha256Argument(text: string): string {
  const zeros = { algorithm: "sha256" as const, bytes: new Uint8Array(32) };
  return printHash(text === "" ? zeros : parseHash(text, "sha256"), "sri");
}

function pathBuiltin(a: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the argument passed to 'builtins.path'");
  let source: PathArgument | undefined;
  let name = "";
  let filter: Value | undefined;
  let method: "flat" | "nar" = "nar";
  let expectedHash: string | undefined;
  const shape = shapeOf(attrs);
  for (let i = 0; i < shapeSize(shape); i++) {
    const slot = valueAt(attrs, i);
    const symbol = keyAt(shape, i);
    const pos = positionOf(attrs, symbol);
    const key = nameOf(symbol);
    switch (key) {
      case "path":
        source = pathArgument(slot, "while evaluating the 'path' attribute passed to 'builtins.path'", pos);
        break;
      case "name":
        name = plainArgument(slot, "while evaluating the `name` attribute passed to builtins.path", pos);
        break;
      case "filter":
        filter = functionArgument(slot, "while evaluating the `filter` parameter passed to builtins.path", pos);
        break;
      case "recursive":
        method = boolArgument(slot, "while evaluating the `recursive` attribute passed to builtins.path", pos)
          ? "nar"
          : "flat";
        break;
      case "sha256":
        expectedHash = sha256Argument(
          plainArgument(slot, "while evaluating the `sha256` attribute passed to builtins.path", pos),
        );
        break;
      default:
        throw fail(`unsupported argument '${key}' to 'builtins.path'`, pos);
    }
  }
  if (source === undefined) {
    throw fail("missing required 'path' attribute in the first argument to 'builtins.path'");
  }
  if (name === "") name = baseNameOfPath(shownBelowTree(source.path));
  return addPath({ ...source, name, filter, method, expectedHash });
}

function storePathBuiltin(a: Slot): Value {
  if (host().mode.pure) throw fail("'builtins.storePath' is not allowed in pure evaluation mode");
  const argument = pathArgument(a, "while evaluating the first argument passed to 'builtins.storePath'");
  let path = shownPath(argument.path);
  if (!isStorePathText(path) && host().fileType(path) !== undefined) path = host().resolveSymlinks(path);
  if (!isInStore(path)) throw fail(`path '${path}' is not in the Nix store`);
  const storePath = storePathOf(path);
  if (!host().mode.readOnly) host().ensurePath(storePath);
  host().allowPath(storePath);
  return makeString(path, mergeContexts(argument.context, contextOf({ kind: "opaque", path: storePath })));
}

function toFile(a: Slot, b: Slot): Value {
  const name = plainArgument(a, "while evaluating the first argument passed to builtins.toFile");
  const value = force(b);
  const contents = isString(value)
    ? value
    : plainString(value, 0, "while evaluating the second argument passed to builtins.toFile");
  const references: string[] = [];
  for (const element of contextElements(contextIdOf(contents))) {
    if (element.kind === "opaque") references.push(element.path);
    else {
      throw fail(
        `files created by builtins.toFile may not reference derivations, but ${name} references ${shortContext(element)}`,
      );
    }
  }
  const storePath = host().addTextToStore(name, stringText(contents), references.sort());
  host().allowPath(storePath);
  return storeString(storePath);
}

/** Returns a context element in the reference's notation, with base names instead of full store paths. */
function shortContext(element: ContextElement): string {
  switch (element.kind) {
    case "opaque":
      return baseNameOfPath(element.path);
    case "deep":
      return `=${baseNameOfPath(element.drvPath)}`;
    case "output":
      return `!${element.output}!${baseNameOfPath(element.drvPath)}`;
  }
}

export const pathBuiltins: BuiltinTable = {
  pathExists: { arity: 1, call: pathExists },
  baseNameOf: {
    arity: 1,
    global: true,
    call: (a) => {
      const argument = force(a);
      if (isPath(argument)) {
        return makeString(legacyBaseName(shownBelowTree(canonicalPath(placedPathText(argument)))));
      }
      const value = coercedArgument(argument, 0, "while evaluating the first argument passed to builtins.baseNameOf");
      return makeString(legacyBaseName(stringText(value)), contextIdOf(value));
    },
  },
  dirOf: { arity: 1, global: true, call: dirOf },
  toPath: {
    arity: 1,
    call: (a) => {
      const { path, context } = pathArgument(a, "while evaluating the first argument passed to builtins.toPath");
      return makeString(shownPath(path), context);
    },
  },
  readFile: { arity: 1, call: readFile },
  readDir: {
    arity: 1,
    call: (a) => {
      const entries = [...host().readDirectory(realisedPath(a))];
      return makeSet(
        entries.map(([name]) => intern(name)),
        entries.map(([, type]) => typeStrings[type]),
        null,
      );
    },
  },
  readFileType: {
    arity: 1,
    call: (a) => {
      const path = realisedPath(a);
      for (const parent of parentsToCheck(path)) {
        if (host().fileType(parent) === "symlink") throw fail(`path '${parent}' is a symlink`);
      }
      const type = host().fileType(path);
      if (type === undefined) throw fail(host().whyMissing?.(path) ?? `path '${path}' does not exist`);
      return typeStrings[type];
    },
  },
  hashFile: {
    arity: 2,
    call: (a, b) => {
      const algorithm = plainArgument(a, "while evaluating the first argument passed to builtins.hashFile");
      const known = hashAlgorithm(algorithm);
      return makeString(printHash(hashData(known, host().readFile(realisedPath(b))), "base16", false));
    },
  },
  findFile: { arity: 2, call: findFile },
  path: { arity: 1, call: pathBuiltin },
  filterSource: {
    arity: 2,
    call: (a, b) => {
      const source = pathArgument(
        b,
        "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'",
      );
      const filter = functionArgument(a, "while evaluating the first argument passed to builtins.filterSource");
      const name = baseNameOfPath(shownPath(source.path));
      return addPath({ ...source, name, filter, method: "nar", expectedHash: undefined });
    },
  },
  storePath: { arity: 1, call: storePathBuiltin },
  toFile: { arity: 2, call: toFile },
};
