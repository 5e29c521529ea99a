/** Packages: the derivations that a value holds, as `nix-env` finds them, and the facts that it reads of each. */
import { boolArgument, fail, listArgument, plainArgument } from "./builtins/arguments.ts";
import { isStorePathText } from "./builtins/paths.ts";
import { typeError } from "./code/arithmetic.ts";
import { type AutoArgs, autoCall } from "./code/auto-call.ts";
import {
  callDepth,
  coerceToString,
  enterCall,
  force,
  forceAt,
  isDerivation,
  positionOfSlot,
  restoreCallDepth,
} from "./code/interpret.ts";
import { elementsOf } from "./heap/list.ts";
import { isBoolean, isFloat, isList, isSet, isString, none, type Slot, trueValue, type Value } from "./heap/memory.ts";
import { integerOf, isInteger, numberOf } from "./heap/number.ts";
import { attribute, positionOf, shapeOf, valueAt } from "./heap/set.ts";
import { keyAt, keysOf, orderedIndices } from "./heap/shape.ts";
import { stringText } from "./heap/string.ts";
import { intern, nameOf } from "./heap/symbol.ts";
import { addFrame, EvaluationError } from "./value/evaluation-error.ts";

/** A derivation that was found in a value. */
export interface FoundPackage {
  readonly attrs: Value;
  /** Its place, e.g. `perlPackages.JSON`; list elements have their index. */
  readonly attrPath: string;
  readonly name: string;
}

/** Options of a search for packages. */
export interface PackageSearch {
  /** Attribute path of the value, before those of the packages. */
  readonly prefix: string;
  readonly autoArgs: AutoArgs;
  /** True to leave out packages whose evaluation throws or fails an assertion. */
  readonly skipFailed: boolean;
}

/** A fact of a package that is one text. */
export type PackageText = "system" | "outputName" | "drvPath" | "outPath";

/** An output with its path; the path is undefined when it was not asked for. */
export interface PackageOutput {
  readonly name: string;
  readonly path: string | undefined;
}

/** A value of `meta`. Members of sets are in the order in which their names became known to the evaluator. */
export type MetaValue =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "list"; readonly items: readonly MetaValue[] }
  | { readonly kind: "set"; readonly members: readonly (readonly [string, MetaValue])[] };

/** An attribute of `meta`; without a value when that holds functions, paths, null or derivations. */
export interface MetaEntry {
  readonly name: string;
  readonly value: MetaValue | undefined;
}

const sym = {
  combineChannels: intern("_combineChannels"),
  recurse: intern("recurseForDerivations"),
  name: intern("name"),
  outputs: intern("outputs"),
  outPath: intern("outPath"),
  outputSpecified: intern("outputSpecified"),
  outputsToInstall: intern("outputsToInstall"),
  meta: intern("meta"),
};

const pathComponent = /^[A-Za-z_][A-Za-z0-9_+-]*$/;

/** Finds the packages in a value; sets below the top are searched when they have `recurseForDerivations`. */
export function findPackages(root: Slot, options: PackageSearch): FoundPackage[] {
  const { autoArgs, skipFailed } = options;
  const found: FoundPackage[] = [];
  const seen = new Set<Value>();

  /** Takes a derivation, and returns true for a value that may hold some. */
  const isOther = (slot: Slot, attrPath: string): boolean => {
    const depth = callDepth();
    try {
      const value = forceAt(slot, positionOfSlot(slot));
      if (!isSet(value) || !isDerivation(value)) return true;
      if (seen.has(value)) return false;
      seen.add(value);
      found.push({ attrs: value, attrPath, name: packageName(value) });
      return false;
    } catch (error) {
      if (!skipFailed || !isFailedAssertion(error)) throw error;
      restoreCallDepth(depth);
      return false;
    }
  };

  const search = (slot: Slot, prefix: string): void => {
    const depth = callDepth();
    enterCall(positionOfSlot(slot));
    const value = autoCall(slot, autoArgs);
    if (isOther(value, prefix)) searchIn(value, prefix);
    restoreCallDepth(depth);
  };

  const searchIn = (value: Value, prefix: string): void => {
    if (isSet(value)) {
      const everything = attribute(value, sym.combineChannels) !== none;
      const shape = shapeOf(value);
      for (const index of orderedIndices(shape)) {
        const symbol = keyAt(shape, index);
        const name = nameOf(symbol);
        if (!pathComponent.test(name)) continue;
        try {
          const member = valueAt(value, index);
          const path = joined(prefix, name);
          if (everything) search(member, path);
          else if (isOther(member, path) && recurses(force(member))) search(member, path);
        } catch (error) {
          throw addFrame(error, positionOf(value, symbol), `while evaluating the attribute '${name}'`);
        }
      }
      return;
    }
    if (!isList(value)) {
      throw new EvaluationError(
        "type-error",
        "expression does not evaluate to a derivation (or a set or list of those)",
      );
    }
    for (const [index, item] of elementsOf(value).entries()) {
      const path = joined(prefix, String(index));
      if (isOther(item, path)) search(item, path);
    }
  };

  search(root, options.prefix);
  return found;
}

function joined(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

function recurses(value: Value): boolean {
  const flag = isSet(value) ? attribute(value, sym.recurse) : none;
  if (flag === none) return false;
  const position = positionOf(value, sym.recurse);
  return boolArgument(flag, "while evaluating the attribute `recurseForDerivations`", position);
}

function isFailedAssertion(error: unknown): boolean {
  return error instanceof EvaluationError && (error.kind === "assertion-failed" || error.kind === "thrown");
}

function packageName(attrs: Value): string {
  const slot = attribute(attrs, sym.name);
  if (slot === none) throw new EvaluationError("type-error", "derivation name missing");
  return plainArgument(slot, "while evaluating the 'name' attribute of a derivation");
}

/** Returns a fact of a package; undefined when it has no derivation. */
export function packageText(attrs: Value, fact: PackageText): string | undefined {
  const symbol = intern(fact);
  const slot = attribute(attrs, symbol);
  const position = positionOf(attrs, symbol);
  switch (fact) {
    case "system":
      if (slot === none) return "unknown";
      return plainArgument(slot, "while evaluating the 'system' attribute of a derivation", position);
    case "outputName":
      return slot === none ? "" : plainArgument(slot, "while evaluating the output name of a derivation");
    case "drvPath": {
      if (slot === none) return undefined;
      const text = "while evaluating the 'drvPath' attribute of a derivation";
      const path = storePath(slot, text, position);
      if (path.endsWith(".drv")) return path;
      const name = path.slice(path.lastIndexOf("/") + 1);
      throw addFrame(fail(`store path '${name}' is not a valid derivation path`), position, text);
    }
    case "outPath":
      if (slot === none) throw fail("derivation does not have attribute 'outPath'");
      return storePath(slot, "while evaluating the output path of a derivation", position);
  }
}

function storePath(slot: Slot, text: string, position: number): string {
  const path = stringText(coerceToString(slot, 0, text, position));
  if (isStorePathText(path)) return path;
  throw addFrame(fail(`path '${path}' is not in the Nix store`), position, text);
}

/** Returns the outputs of a package by name, with their paths when `paths` is true. */
export function packageOutputs(attrs: Value, paths: boolean): PackageOutput[] {
  const list = attribute(attrs, sym.outputs);
  if (list === none) return [{ name: "out", path: paths ? packageText(attrs, "outPath") : undefined }];
  const position = positionOf(attrs, sym.outputs);
  const outputs = new Map<string, string | undefined>();
  for (const item of elementsOf(
    listArgument(list, "while evaluating the 'outputs' attribute of a derivation", position),
  )) {
    const name = plainArgument(item, "while evaluating the name of an output of a derivation", position);
    if (outputs.has(name)) continue;
    if (!paths) {
      outputs.set(name, undefined);
      continue;
    }
    const slot = attribute(attrs, intern(name));
    if (slot === none) continue;
    const output = setIn(slot, "while evaluating an output of a derivation", position);
    const path = attribute(output, sym.outPath);
    if (path === none) continue;
    const text = "while evaluating an output path of a derivation";
    outputs.set(name, storePath(path, text, positionOf(output, sym.outPath)));
  }
  return [...outputs].map(([name, path]) => ({ name, path })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function setIn(slot: Slot, text: string, position: number): Value {
  try {
    const value = forceAt(slot, position);
    if (isSet(value)) return value;
    throw typeError("a set", value, position);
  } catch (error) {
    throw addFrame(error, position, text);
  }
}

/**
 * Returns the names of the outputs to install: the one that was selected, or those of `meta.outputsToInstall`; undefined for
 * all.
 */
export function installedOutputs(attrs: Value): string[] | undefined {
  const specified = attribute(attrs, sym.outputSpecified);
  if (specified !== none) {
    const text = "while evaluating the 'outputSpecified' attribute of a derivation";
    if (boolArgument(specified, text, positionOf(attrs, sym.outputSpecified)))
      return [packageText(attrs, "outputName") ?? ""];
  }
  const [wanted] = packageMeta(attrs, "outputsToInstall");
  if (wanted?.value === undefined) return undefined;
  const bad = (): EvaluationError => fail("this derivation has bad 'meta.outputsToInstall'");
  if (wanted.value.kind !== "list") throw bad();
  return wanted.value.items.map((item) => {
    if (item.kind !== "string") throw bad();
    return item.text;
  });
}

/** Returns the attributes of a package's `meta` by name, or only the one that is named; none when it is missing. */
export function packageMeta(attrs: Value, only?: string): MetaEntry[] {
  const slot = attribute(attrs, sym.meta);
  if (slot === none) return [];
  const position = positionOf(attrs, sym.meta);
  const meta = setIn(slot, "while evaluating the 'meta' attribute of a derivation", position);
  const shape = shapeOf(meta);
  const entries: MetaEntry[] = [];
  for (const index of orderedIndices(shape)) {
    const name = nameOf(keyAt(shape, index));
    if (only === undefined || name === only) entries.push({ name, value: metaValue(valueAt(meta, index)) });
  }
  return entries;
}

function metaValue(slot: Slot): MetaValue | undefined {
  const depth = callDepth();
  enterCall(positionOfSlot(slot));
  const result = metaOf(forceAt(slot, positionOfSlot(slot)));
  restoreCallDepth(depth);
  return result;
}

function metaOf(value: Value): MetaValue | undefined {
  if (isString(value)) return { kind: "string", text: stringText(value) };
  if (isInteger(value)) return { kind: "int", value: integerOf(value) };
  if (isBoolean(value)) return { kind: "bool", value: value === trueValue };
  if (isFloat(value)) return { kind: "float", value: numberOf(value) };
  if (isList(value)) {
    const items: MetaValue[] = [];
    for (const slot of elementsOf(value)) {
      const item = metaValue(slot);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return { kind: "list", items };
  }
  if (!isSet(value) || attribute(value, sym.outPath) !== none) return undefined;
  const members: [string, MetaValue][] = [];
  const shape = shapeOf(value);
  for (const [index, symbol] of keysOf(shape).entries()) {
    const member = metaValue(valueAt(value, index));
    if (member === undefined) return undefined;
    members.push([nameOf(symbol), member]);
  }
  return { kind: "set", members };
}
