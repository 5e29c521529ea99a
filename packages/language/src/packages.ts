/** The facts that `nix-env` reads of a package, and the values of its `meta`. */
import { boolArgument, fail, listArgument, plainArgument } from "./builtins/arguments.ts";
import { isStorePathText } from "./builtins/paths.ts";
import {
  callDepth,
  coerceToString,
  enterCall,
  forceAt,
  positionOfSlot,
  restoreCallDepth,
  textOfString,
  typeError,
} from "./code/interpret.ts";
import { intern, symbolNames } from "./code/memory.ts";
import { addFrame, type EvaluationError } from "./value/evaluation-error.ts";
import { Attrs, ContextString, Float, isList, type Slot, shapeOf, type Value } from "./value/value.ts";

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
  outputs: intern("outputs"),
  outPath: intern("outPath"),
  outputSpecified: intern("outputSpecified"),
  outputsToInstall: intern("outputsToInstall"),
  meta: intern("meta"),
};

/** Returns a fact of a package; undefined when it has no derivation. */
export function packageText(attrs: Attrs, fact: PackageText): string | undefined {
  const symbol = intern(fact);
  const slot = attrs.get(symbol);
  const position = attrs.positionOf(symbol);
  switch (fact) {
    case "system":
      if (slot === undefined) return "unknown";
      return plainArgument(slot, "while evaluating the 'system' attribute of a derivation", position);
    case "outputName":
      return slot === undefined ? "" : plainArgument(slot, "while evaluating the output name of a derivation");
    case "drvPath": {
      if (slot === undefined) return undefined;
      const text = "while evaluating the 'drvPath' attribute of a derivation";
      const path = storePath(slot, text, position);
      if (path.endsWith(".drv")) return path;
      const name = path.slice(path.lastIndexOf("/") + 1);
      throw addFrame(fail(`store path '${name}' is not a valid derivation path`), position, text);
    }
    case "outPath":
      if (slot === undefined) throw fail("derivation does not have attribute 'outPath'");
      return storePath(slot, "while evaluating the output path of a derivation", position);
  }
}

function storePath(slot: Slot, text: string, position: number): string {
  const path = textOfString(coerceToString(slot, 0, text, position));
  if (isStorePathText(path)) return path;
  throw addFrame(fail(`path '${path}' is not in the Nix store`), position, text);
}

/** Returns the outputs of a package by name, with their paths when `paths` is true. */
export function packageOutputs(attrs: Attrs, paths: boolean): PackageOutput[] {
  const list = attrs.get(sym.outputs);
  if (list === undefined) return [{ name: "out", path: paths ? packageText(attrs, "outPath") : undefined }];
  const position = attrs.positionOf(sym.outputs);
  const outputs = new Map<string, string | undefined>();
  for (const item of listArgument(list, "while evaluating the 'outputs' attribute of a derivation", position)) {
    const name = plainArgument(item, "while evaluating the name of an output of a derivation", position);
    if (outputs.has(name)) continue;
    if (!paths) {
      outputs.set(name, undefined);
      continue;
    }
    const slot = attrs.get(intern(name));
    if (slot === undefined) continue;
    const output = setIn(slot, "while evaluating an output of a derivation", position);
    const path = output.get(sym.outPath);
    if (path === undefined) continue;
    const text = "while evaluating an output path of a derivation";
    outputs.set(name, storePath(path, text, output.positionOf(sym.outPath)));
  }
  return [...outputs].map(([name, path]) => ({ name, path })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function setIn(slot: Slot, text: string, position: number): Attrs {
  try {
    const value = forceAt(slot, position);
    if (value instanceof Attrs) return value;
    throw typeError("a set", value, position);
  } catch (error) {
    throw addFrame(error, position, text);
  }
}

/**
 * Returns the names of the outputs to install: the one that was selected, or those of `meta.outputsToInstall`; undefined for
 * all.
 */
export function installedOutputs(attrs: Attrs): string[] | undefined {
  const specified = attrs.get(sym.outputSpecified);
  if (specified !== undefined) {
    const text = "while evaluating the 'outputSpecified' attribute of a derivation";
    if (boolArgument(specified, text, attrs.positionOf(sym.outputSpecified)))
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
export function packageMeta(attrs: Attrs, only?: string): MetaEntry[] {
  const slot = attrs.get(sym.meta);
  if (slot === undefined) return [];
  const position = attrs.positionOf(sym.meta);
  const meta = setIn(slot, "while evaluating the 'meta' attribute of a derivation", position);
  const shape = shapeOf(meta);
  const entries: MetaEntry[] = [];
  for (const index of shape.order()) {
    const name = symbolNames[shape.keys[index]!]!;
    if (only === undefined || name === only) entries.push({ name, value: metaValue(meta[index]!) });
  }
  return entries;
}

function metaValue(slot: Slot): MetaValue | undefined {
  const depth = callDepth();
  enterCall(0);
  const result = metaOf(forceAt(slot, positionOfSlot(slot)));
  restoreCallDepth(depth);
  return result;
}

function metaOf(value: Value): MetaValue | undefined {
  if (typeof value === "string") return { kind: "string", text: value };
  if (value instanceof ContextString) return { kind: "string", text: value.text };
  if (typeof value === "number" || typeof value === "bigint") return { kind: "int", value };
  if (typeof value === "boolean") return { kind: "bool", value };
  if (value instanceof Float) return { kind: "float", value: value.value };
  if (isList(value)) {
    const items: MetaValue[] = [];
    for (const slot of value) {
      const item = metaValue(slot);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return { kind: "list", items };
  }
  if (!(value instanceof Attrs) || value.get(sym.outPath) !== undefined) return undefined;
  const members: [string, MetaValue][] = [];
  const shape = shapeOf(value);
  for (const [index, symbol] of [...shape.keys].entries()) {
    const member = metaValue(value[index]!);
    if (member === undefined) return undefined;
    members.push([symbolNames[symbol]!, member]);
  }
  return { kind: "set", members };
}
