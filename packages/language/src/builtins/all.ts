/** The global scope of one evaluator: every builtin, the constants, and the set `builtins` itself. */

import { host as currentHost } from "../code/interpret.ts";
import { evaluateSource } from "../code/load.ts";
import { addSource } from "../code/source.ts";
import { makeList } from "../heap/list.ts";
import { falseValue, heap, none, nullValue, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { makeInteger } from "../heap/number.ts";
import { firstValue, flatSet, makeSet, setOf, shapeOf } from "../heap/set.ts";
import { findKey } from "../heap/shape.ts";
import { makeString } from "../heap/string.ts";
import { intern } from "../heap/symbol.ts";
import { makeSharedThunk } from "../heap/thunk.ts";
import type { EvalHost, EvalMode } from "../host.ts";
import { type BuiltinTable, makeBuiltin } from "./arguments.ts";
import { attributeBuiltins } from "./attributes.ts";
import { contextBuiltins } from "./contexts.ts";
import { controlBuiltins } from "./control.ts";
import { derivationBuiltins } from "./derivation.ts";
import { environmentBuiltins } from "./environment.ts";
import { fetchBuiltins } from "./fetch.ts";
import { hashBuiltins } from "./hashes.ts";
import { importBuiltins } from "./import.ts";
import { derivationSource } from "./internal-sources.ts";
import { jsonBuiltins } from "./json.ts";
import { listBuiltins } from "./lists.ts";
import { nativeBuiltins } from "./native.ts";
import { numberBuiltins } from "./numbers.ts";
import { pathBuiltins } from "./paths.ts";
import { stringBuiltins } from "./strings.ts";
import { tomlBuiltins } from "./toml.ts";
import { typeBuiltins } from "./types.ts";
import { versionBuiltins } from "./versions.ts";
import { xmlBuiltins } from "./xml.ts";

const tables: readonly BuiltinTable[] = [
  attributeBuiltins,
  contextBuiltins,
  controlBuiltins,
  derivationBuiltins,
  environmentBuiltins,
  fetchBuiltins,
  hashBuiltins,
  importBuiltins,
  jsonBuiltins,
  listBuiltins,
  nativeBuiltins,
  numberBuiltins,
  pathBuiltins,
  stringBuiltins,
  tomlBuiltins,
  typeBuiltins,
  versionBuiltins,
  xmlBuiltins,
];

/** Tells whether a builtin exists, for those that need an experimental feature or a setting. */
function exists(name: string, { experimentalFeatures: features, allowNativeCode }: EvalMode): boolean {
  switch (name) {
    case "outputOf":
      return features.includes("dynamic-derivations");
    case "fetchClosure":
      return features.includes("fetch-closure");
    case "fetchTree":
      return features.includes("fetch-tree") || features.includes("flakes");
    case "exec":
    case "importNative":
      return allowNativeCode;
    default:
      return true;
  }
}

// No closures: an evaluator that is no longer used leaves nothing behind but cells of the heap.
const currentTime = (): Value => makeInteger(currentHost().currentTime());
const derivation = (): Value => evaluateSource(addSource("internal", "derivation", "/", derivationSource));

/** Fills the globals of an evaluator; returns the set `builtins`. `extra` are the embedder's own builtins (flakes). */
export function installGlobals(globals: Slot[], host: EvalHost, extra: readonly BuiltinTable[]): Value {
  const members = new Map<string, Slot>();
  const set = (name: string, value: Slot) => {
    const symbol = intern(name);
    while (globals.length <= symbol) globals.push(none);
    globals[symbol] = value;
  };
  const define = (name: string, value: Slot, global: boolean) => {
    members.set(name, value);
    set(global ? name : `__${name}`, value);
  };
  for (const table of [...tables, ...extra]) {
    for (const [name, definition] of Object.entries(table)) {
      if (!exists(name, host.mode)) continue;
      const value = makeBuiltin(name, definition);
      if (definition.internal !== true) define(name, value, definition.global === true);
    }
  }
  define("true", trueValue, true);
  define("false", falseValue, true);
  define("null", nullValue, true);
  define("nixVersion", makeString(host.nixVersion), false);
  define("storeDir", makeString(host.storeDir), false);
  define("langVersion", makeInteger(6), false);
  if (!host.mode.pure) {
    // Delayed, so that a host knows whether an evaluation depends on the time.
    define("currentTime", makeSharedThunk(currentTime), false);
    define("currentSystem", makeString(host.currentSystem), false);
  }
  const entries = host.searchPath.map(({ prefix, path }) =>
    setOf({ path: makeString(path), prefix: makeString(prefix) }),
  );
  define("nixPath", makeList(entries), false);
  define("derivation", makeSharedThunk(derivation), true);
  members.set("builtins", nullValue);
  const names = [...members.keys()];
  const builtins = makeSet(names.map(intern), [...members.values()], null);
  heap[flatSet(builtins) + firstValue + findKey(shapeOf(builtins), intern("builtins"))] = builtins;
  set("builtins", builtins);
  return builtins;
}
