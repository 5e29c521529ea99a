/** The builtins that read and change the context of strings. */
import { nestedOutput } from "@firn/formats";
import { coerceCopy, contextOfString, host, makeString, textOfString } from "../code/interpret.ts";
import { intern, symbolNames } from "../code/memory.ts";
import type { ContextElement } from "../host.ts";
import { type Context, contextElements, contextOf, mergeContexts } from "../value/context.ts";
import { addFrame } from "../value/evaluation-error.ts";
import { emptyAttrs, type List, makeAttrs, type Slot, shapeOf, type Value } from "../value/value.ts";
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

function contextFrom(elements: readonly ContextElement[]): Context | null {
  let context: Context | null = null;
  for (const element of elements) context = mergeContexts(context, contextOf(element));
  return context;
}

function getContext(a: Slot): Value {
  const value = stringArgument(a, "while evaluating the argument passed to builtins.getContext");
  const found = new Map<string, { path: boolean; allOutputs: boolean; outputs: List }>();
  const entry = (path: string) => {
    let known = found.get(path);
    if (known === undefined) {
      known = { path: false, allOutputs: false, outputs: [] };
      found.set(path, known);
    }
    return known;
  };
  for (const element of contextElements(contextOfString(value))) {
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
        entry(element.drvPath).outputs.push(element.output);
        break;
      }
    }
  }
  if (found.size === 0) return emptyAttrs;
  const symbols: number[] = [];
  const values: Slot[] = [];
  for (const [path, info] of found) {
    const keys: number[] = [];
    const parts: Slot[] = [];
    if (info.path) {
      keys.push(intern("path"));
      parts.push(true);
    }
    if (info.allOutputs) {
      keys.push(intern("allOutputs"));
      parts.push(true);
    }
    if (info.outputs.length > 0) {
      keys.push(intern("outputs"));
      parts.push(info.outputs);
    }
    symbols.push(intern(path));
    values.push(makeAttrs(keys, parts, null));
  }
  return makeAttrs(symbols, values, null);
}

function appendContext(a: Slot, b: Slot): Value {
  const value = stringArgument(a, "while evaluating the first argument passed to builtins.appendContext");
  const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.appendContext");
  const added: ContextElement[] = [];
  const shape = shapeOf(attrs);
  for (let i = 0; i < shape.size; i++) {
    const path = symbolNames[shape.keys[i]!]!;
    const pos = attrs.positionOf(shape.keys[i]!);
    if (!isStorePathText(path)) throw fail(`context key '"${path}"' is not a store path`, pos);
    if (!host().mode.readOnly) host().ensurePath(path);
    const info = attrsArgument(attrs[i]!, "while evaluating the value of a string context", pos);
    const wholePath = info.get(intern("path"));
    if (wholePath !== undefined) {
      const text = "while evaluating the `path` attribute of a string context";
      if (boolArgument(wholePath, text, info.positionOf(intern("path")))) added.push({ kind: "opaque", path });
    }
    const all = info.get(intern("allOutputs"));
    if (all !== undefined) {
      const text = "while evaluating the `allOutputs` attribute of a string context";
      if (boolArgument(all, text, info.positionOf(intern("allOutputs")))) {
        if (!path.endsWith(".drv")) {
          throw fail(`tried to add all-outputs context of "${path}", which is not a derivation, to a string`, pos);
        }
        added.push({ kind: "deep", drvPath: path });
      }
    }
    const outputs = info.get(intern("outputs"));
    if (outputs === undefined) continue;
    const at = info.positionOf(intern("outputs"));
    const list = listArgument(outputs, "while evaluating the `outputs` attribute of a string context", at);
    if (list.length > 0 && !path.endsWith(".drv")) {
      throw fail(`tried to add derivation output context of "${path}", which is not a derivation, to a string`, pos);
    }
    for (let k = 0; k < list.length; k++) {
      const output = plainArgument(list[k]!, "while evaluating an output name within a string context", at);
      added.push({ kind: "output", drvPath: path, output });
    }
  }
  return makeString(textOfString(value), mergeContexts(contextOfString(value), contextFrom(added)));
}

function addDrvOutputDependencies(a: Slot): Value {
  const value = coercedArgument(
    a,
    coerceCopy,
    "while evaluating the argument passed to builtins.addDrvOutputDependencies",
  );
  const text = textOfString(value);
  const elements = contextElements(contextOfString(value));
  if (elements.length !== 1) {
    throw fail(`context of string '${text}' must have exactly one element, but has ${elements.length}`);
  }
  const element = elements[0]!;
  switch (element.kind) {
    case "opaque":
      if (!element.path.endsWith(".drv")) throw fail(`path '${element.path}' is not a derivation`);
      return makeString(text, contextOf({ kind: "deep", drvPath: element.path }));
    case "output":
      throw fail(
        `\`addDrvOutputDependencies\` can only act on derivations, not on a derivation output such as '${element.output}'`,
      );
    case "deep":
      return makeString(text, contextOf(element));
  }
}

function outputOf(a: Slot, b: Slot): Value {
  const text = "while evaluating the first argument to builtins.outputOf";
  const value = stringArgument(a, text);
  const shown = textOfString(value);
  const wrong = (message: string) => addFrame(fail(message), 0, text);
  const elements = contextElements(contextOfString(value));
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
      contextOfString(stringArgument(a, "while evaluating the argument passed to builtins.hasContext")) !== null,
  },
  getContext: { arity: 1, call: getContext },
  appendContext: { arity: 2, call: appendContext },
  addDrvOutputDependencies: { arity: 1, call: addDrvOutputDependencies },
  unsafeDiscardStringContext: {
    arity: 1,
    call: (a) =>
      textOfString(
        coercedArgument(a, coerceCopy, "while evaluating the argument passed to builtins.unsafeDiscardStringContext"),
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
      const elements = contextElements(contextOfString(value)).map(
        (element): ContextElement => (element.kind === "deep" ? { kind: "opaque", path: element.drvPath } : element),
      );
      return makeString(textOfString(value), contextFrom(elements));
    },
  },
};
