/** The builtins that read and change the context of strings. */
import { nestedOutput } from "@firn/formats";
import { coerceCopy, host } from "../code/interpret.ts";
import { elementAt, listLength, makeList } from "../heap/list.ts";
import { bool, none, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { attribute, emptySet, makeSet, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, shapeSize } from "../heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText, withContext } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import type { ContextElement } from "../host.ts";
import { contextElements, contextOf, mergeContexts } from "../value/context.ts";
import { addFrame } from "../value/evaluation-error.ts";
import {
  attrsArgument,
  type BuiltinTable,
  boolArgument,
  coercedArgument,
  fail,
  listArgument,
  plainArgument,
  stringArgument,
} from "./arguments.ts";
import { referenceText } from "./derivation-outputs.ts";
import { isStorePathText } from "./paths.ts";

function contextFrom(elements: readonly ContextElement[]): ContextId {
  let context: ContextId = 0;
  for (const element of elements) context = mergeContexts(context, contextOf(element));
  return context;
}

function getContext(a: Slot): Value {
  const value = stringArgument(a, "while evaluating the argument passed to builtins.getContext");
  const found = new Map<string, { path: boolean; allOutputs: boolean; outputs: Slot[] }>();
  const entry = (path: string) => {
    let known = found.get(path);
    if (known === undefined) {
      known = { path: false, allOutputs: false, outputs: [] };
      found.set(path, known);
    }
    return known;
  };
  for (const element of contextElements(contextIdOf(value))) {
    switch (element.kind) {
      case "opaque":
        entry(element.path).path = true;
        break;
      case "deep":
        entry(element.drvPath).allOutputs = true;
        break;
      case "output": {
        const nested = nestedOutput(element.drvPath);
        if (nested !== undefined) {
          throw fail(`cannot operate on output '${nested.output}' of the unbuilt derivation '${nested.drvPath}'`);
        }
        entry(element.drvPath).outputs.push(makeString(element.output));
        break;
      }
    }
  }
  if (found.size === 0) return emptySet;
  const symbols: number[] = [];
  const values: Slot[] = [];
  for (const [path, info] of found) {
    const keys: number[] = [];
    const parts: Slot[] = [];
    if (info.path) {
      keys.push(intern("path"));
      parts.push(trueValue);
    }
    if (info.allOutputs) {
      keys.push(intern("allOutputs"));
      parts.push(trueValue);
    }
    if (info.outputs.length > 0) {
      keys.push(intern("outputs"));
      parts.push(makeList(info.outputs));
    }
    symbols.push(intern(path));
    values.push(makeSet(keys, parts, null));
  }
  return makeSet(symbols, values, null);
}

function appendContext(a: Slot, b: Slot): Value {
  const value = stringArgument(a, "while evaluating the first argument passed to builtins.appendContext");
  const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.appendContext");
  const added: ContextElement[] = [];
  const shape = shapeOf(attrs);
  for (let i = 0; i < shapeSize(shape); i++) {
    const path = nameOf(keyAt(shape, i));
    const pos = positionOf(attrs, keyAt(shape, i));
    if (!isStorePathText(path)) throw fail(`context key '"${path}"' is not a store path`, pos);
    if (!host().mode.readOnly) host().ensurePath(path);
    const info = attrsArgument(valueAt(attrs, i), "while evaluating the value of a string context", pos);
    const wholePath = attribute(info, intern("path"));
    if (wholePath !== none) {
      const text = "while evaluating the `path` attribute of a string context";
      if (boolArgument(wholePath, text, positionOf(info, intern("path")))) added.push({ kind: "opaque", path });
    }
    const all = attribute(info, intern("allOutputs"));
    if (all !== none) {
      const text = "while evaluating the `allOutputs` attribute of a string context";
      if (boolArgument(all, text, positionOf(info, intern("allOutputs")))) {
        if (!path.endsWith(".drv")) {
          throw fail(`tried to add all-outputs context of "${path}", which is not a derivation, to a string`, pos);
        }
        added.push({ kind: "deep", drvPath: path });
      }
    }
    const outputs = attribute(info, intern("outputs"));
    if (outputs === none) continue;
    const at = positionOf(info, intern("outputs"));
    const list = listArgument(outputs, "while evaluating the `outputs` attribute of a string context", at);
    if (listLength(list) > 0 && !path.endsWith(".drv")) {
      throw fail(`tried to add derivation output context of "${path}", which is not a derivation, to a string`, pos);
    }
    for (let k = 0; k < listLength(list); k++) {
      const output = plainArgument(elementAt(list, k), "while evaluating an output name within a string context", at);
      added.push({ kind: "output", drvPath: path, output });
    }
  }
  return withContext(value, mergeContexts(contextIdOf(value), contextFrom(added)));
}

function addDrvOutputDependencies(a: Slot): Value {
  const value = coercedArgument(
    a,
    coerceCopy,
    "while evaluating the argument passed to builtins.addDrvOutputDependencies",
  );
  const text = stringText(value);
  const elements = contextElements(contextIdOf(value));
  if (elements.length !== 1) {
    throw fail(`context of string '${text}' must have exactly one element, but has ${elements.length}`);
  }
  const element = elements[0]!;
  switch (element.kind) {
    case "opaque":
      if (!element.path.endsWith(".drv")) throw fail(`path '${element.path}' is not a derivation`);
      return withContext(value, contextOf({ kind: "deep", drvPath: element.path }));
    case "output":
      throw fail(
        `\`addDrvOutputDependencies\` can only act on derivations, not on a derivation output such as '${element.output}'`,
      );
    case "deep":
      return withContext(value, contextOf(element));
  }
}

function outputOf(a: Slot, b: Slot): Value {
  const text = "while evaluating the first argument to builtins.outputOf";
  const value = stringArgument(a, text);
  const shown = stringText(value);
  const wrong = (message: string) => addFrame(fail(message), 0, text);
  const elements = contextElements(contextIdOf(value));
  const [element] = elements;
  if (elements.length !== 1 || element === undefined) {
    const count = `${elements.length} entries in its context. It should only have exactly one entry`;
    throw wrong(`string '${shown}' has ${count}`);
  }
  if (element.kind === "deep") {
    throw wrong(
      `string '${shown}' has a context which refers to a complete source and binary closure. This is not supported at this time`,
    );
  }
  const expected = referenceText(element);
  if (shown !== expected) {
    throw wrong(
      element.kind === "opaque"
        ? `path string '${shown}' has context with the different path '${expected}'`
        : `string '${shown}' has context with the output '${element.output}' from derivation '${element.drvPath}', but the string is not the right placeholder for this derivation output. It should be '${expected}'`,
    );
  }
  const output = plainArgument(b, "while evaluating the second argument to builtins.outputOf");
  const drvPath = element.kind === "opaque" ? element.path : `!${element.output}!${element.drvPath}`;
  const reference = { kind: "output" as const, drvPath, output };
  return makeString(referenceText(reference), contextOf(reference));
}

export const contextBuiltins: BuiltinTable = {
  outputOf: { arity: 2, call: outputOf },
  hasContext: {
    arity: 1,
    call: (a) =>
      bool(contextIdOf(stringArgument(a, "while evaluating the argument passed to builtins.hasContext")) !== 0),
  },
  getContext: { arity: 1, call: getContext },
  appendContext: { arity: 2, call: appendContext },
  addDrvOutputDependencies: { arity: 1, call: addDrvOutputDependencies },
  unsafeDiscardStringContext: {
    arity: 1,
    call: (a) =>
      withContext(
        coercedArgument(a, coerceCopy, "while evaluating the argument passed to builtins.unsafeDiscardStringContext"),
        0,
      ),
  },
  unsafeDiscardOutputDependency: {
    arity: 1,
    call: (a) => {
      const value = coercedArgument(
        a,
        coerceCopy,
        "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency",
      );
      const elements = contextElements(contextIdOf(value)).map(
        (element): ContextElement => (element.kind === "deep" ? { kind: "opaque", path: element.drvPath } : element),
      );
      return withContext(value, contextFrom(elements));
    },
  },
};
