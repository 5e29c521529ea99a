/** `derivationStrict`: turns an attribute set into a derivation with its output paths. */
import {
  type ContentAddressMethod,
  checkStorePathName,
  compareByteStrings,
  type Derivation,
  type DerivationHash,
  type DerivationInput,
  type DerivationOutput,
  derivationOutputPath,
  FirnError,
  finishDerivation,
  type HashAlgorithm,
  hashDerivationModulo,
  hashPlaceholder,
  hashSize,
  isHashAlgorithm,
  nestedOutput,
  parseDerivation,
  parseHash,
  printHash,
  sortedUnique,
  storePathName,
} from "@firn/formats";
import { coerceCopy, coerceMore, coerceToString, force, host } from "../code/interpret.ts";
import { PerEvaluation } from "../code/per-evaluation.ts";
import { showPlacedPosition } from "../code/source.ts";
import { elementAt, elementsOf, listLength } from "../heap/list.ts";
import { none, nullValue, type Slot, type Value } from "../heap/memory.ts";
import { attribute, makeSet, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, orderedIndices } from "../heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { addTable } from "../heap/tables.ts";
import { showIdentifier } from "../syntax/print.ts";
import { contextOf, mergeContexts, unorderedElements } from "../value/context.ts";
import { addFrame } from "../value/evaluation-error.ts";
import {
  attrsArgument,
  type BuiltinTable,
  boolArgument,
  fail,
  listArgument,
  plainArgument,
  requiredAttr,
  requireFeature,
  stringArgument,
} from "./arguments.ts";
import { outputString } from "./derivation-outputs.ts";
import { JsonWriter } from "./json-writer.ts";

const sym = {
  name: intern("name"),
  structured: intern("__structuredAttrs"),
  ignoreNulls: intern("__ignoreNulls"),
  drvPath: intern("drvPath"),
};

const knownHashes = new PerEvaluation(() => new Map<string, DerivationHash>(), "plain");

addTable({
  save: (to) =>
    to.texts(
      "hashes of derivations",
      [...knownHashes.get()].flatMap(([drvPath, { hashes, deferred }]) => [
        drvPath,
        String(deferred),
        String(hashes.size),
        ...[...hashes].flat(),
      ]),
    ),
  load(from) {
    const known = knownHashes.get();
    const texts = from.texts("hashes of derivations");
    for (let at = 0; at < texts.length; ) {
      const [drvPath = "", deferred = "", count = ""] = texts.slice(at, at + 3);
      at += 3;
      const hashes = new Map<string, string>();
      for (let left = Number(count); left > 0; left--, at += 2) hashes.set(texts[at]!, texts[at + 1]!);
      known.set(drvPath, { hashes, deferred: deferred === "true" });
    }
  },
});

function readDerivation(drvPath: string): Derivation {
  const name = storePathName(drvPath).slice(0, -".drv".length);
  return parseDerivation(host().readDerivation(drvPath), name, host().storeDir);
}

/** Returns the hash of an input derivation; for those not made by this evaluation it is computed from their text. */
function lookupHash(drvPath: string): DerivationHash {
  const known = knownHashes.get();
  let hash = known.get(drvPath);
  if (hash === undefined) {
    hash = hashDerivationModulo(readDerivation(drvPath), {
      maskOutputs: false,
      lookup: lookupHash,
      storeDir: host().storeDir,
    });
    known.set(drvPath, hash);
  }
  return hash;
}

/** A derivation in preparation: values collected from the attributes. */
class Draft {
  readonly name: string;
  readonly args: string[] = [];
  readonly env = new Map<string, string>();
  structured = false;
  /** The JSON of structured attributes so far. */
  json: JsonWriter | undefined;
  context: ContextId = 0;
  builder = "";
  system = "";
  outputs: string[] = ["out"];
  outputHash: string | undefined;
  outputHashAlgo: HashAlgorithm | undefined;
  method: ContentAddressMethod | undefined;
  contentAddressed = false;
  impure = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Returns the text of a string value and adds its context to the inputs. */
  take(value: Value): string {
    this.context = mergeContexts(this.context, contextIdOf(value));
    return stringText(value);
  }

  setOutputs(names: readonly string[]): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) throw fail(`duplicate derivation output '${name}'`);
      if (name === "drvPath") throw fail("invalid derivation output name 'drvPath'");
      seen.add(name);
    }
    if (seen.size === 0) throw fail("derivation cannot have an empty set of outputs");
    this.outputs = [...seen].sort();
  }

  setMode(mode: string): void {
    switch (mode) {
      case "recursive":
      case "nar":
        this.method = "nar";
        return;
      case "flat":
        this.method = "flat";
        return;
      case "text":
        requireFeature("dynamic-derivations", `text-hashed derivation '${this.name}', outputHashMode = "text"`);
        this.method = "text";
        return;
      case "git":
        requireFeature("git-hashing");
        this.method = "git";
        return;
      default:
        throw fail(`invalid value '${mode}' for 'outputHashMode' attribute`);
    }
  }

  setAlgorithm(name: string): void {
    this.outputHashAlgo = isHashAlgorithm(name) ? name : undefined;
  }
}

const structuredOnly = new Map(
  [
    "allowedReferences",
    "allowedRequisites",
    "disallowedReferences",
    "disallowedRequisites",
    "maxSize",
    "maxClosureSize",
  ].map((name) => [
    name,
    `'structuredAttrs' disables the effect of the derivation attribute '${name}'; use 'outputChecks.<output>.${name}' instead`,
  ]),
);

function structuredAttribute(draft: Draft, symbol: number, slot: Slot): void {
  const key = nameOf(symbol);
  if (key === "__structuredAttrs") return;
  const first = draft.json === undefined;
  draft.json ??= new JsonWriter(true);
  draft.json.raw(first ? "{" : ",");
  draft.json.name(symbol);
  draft.json.write(slot, 0);
  switch (key) {
    case "builder":
      draft.builder = draft.take(stringArgument(slot, ""));
      break;
    case "system":
      draft.system = plainArgument(slot, "");
      break;
    case "outputHash":
      draft.outputHash = plainArgument(slot, "");
      break;
    case "outputHashAlgo":
      draft.setAlgorithm(plainArgument(slot, ""));
      break;
    case "outputHashMode":
      draft.setMode(plainArgument(slot, ""));
      break;
    case "outputs":
      draft.setOutputs(elementsOf(listArgument(slot, "")).map((item) => plainArgument(item, "")));
      break;
    default: {
      const warning = structuredOnly.get(key);
      if (warning !== undefined) {
        host().report({ kind: "warning", text: `In a derivation named '${draft.name}', ${warning}` });
      }
    }
  }
}

function plainAttribute(draft: Draft, key: string, slot: Slot): void {
  const text = draft.take(coerceToString(slot, coerceMore | coerceCopy, "", 0));
  if (key === "__json") {
    host().report({
      kind: "warning",
      text: `In derivation '${draft.name}': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.`,
    });
  }
  draft.env.set(key, text);
  switch (key) {
    case "builder":
      draft.builder = text;
      break;
    case "system":
      draft.system = text;
      break;
    case "outputHash":
      draft.outputHash = text;
      break;
    case "outputHashAlgo":
      draft.setAlgorithm(text);
      break;
    case "outputHashMode":
      draft.setMode(text);
      break;
    case "outputs":
      draft.setOutputs(text.split(/[ \t\n\r]+/).filter((name) => name !== ""));
      break;
    default:
  }
}

function addAttribute(draft: Draft, symbol: number, slot: Slot): void {
  const key = nameOf(symbol);
  switch (key) {
    case "__contentAddressed":
      if (boolArgument(slot, "")) {
        draft.contentAddressed = true;
        requireFeature("ca-derivations");
      }
      return;
    case "__impure":
      if (boolArgument(slot, "")) {
        draft.impure = true;
        requireFeature("impure-derivations");
      }
      return;
    case "args": {
      const list = listArgument(slot, "");
      for (let i = 0; i < listLength(list); i++) {
        const text = "while evaluating an element of the argument list";
        draft.args.push(draft.take(coerceToString(elementAt(list, i), coerceMore | coerceCopy, text, 0)));
      }
      return;
    }
    default:
      if (draft.structured) structuredAttribute(draft, symbol, slot);
      else plainAttribute(draft, key, slot);
  }
}

/** Returns the closure of a derivation: derivation files and their sources. */
function deepClosure(drvPath: string): Set<string> {
  const seen = new Set<string>();
  const work = [drvPath];
  for (let path = work.pop(); path !== undefined; path = work.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (path.endsWith(".drv")) {
      const derivation = readDerivation(path);
      work.push(...derivation.inputSrcs, ...derivation.inputDrvs.keys());
    } else work.push(...(host().queryPath(path)?.references ?? []));
  }
  return seen;
}

type InputTree = Map<string, InputNode>;

/** The used outputs of a derivation, and of the derivations that such outputs are. */
interface InputNode {
  readonly outputs: string[];
  dynamic?: InputTree;
}

/** Returns the node of a derivation: of a store path, or of an output of another (`!output!drvPath`). */
function inputNode(tree: InputTree, drvPath: string): InputNode {
  const nested = nestedOutput(drvPath);
  let within = tree;
  if (nested !== undefined) {
    const outer = inputNode(tree, nested.drvPath);
    outer.dynamic ??= new Map();
    within = outer.dynamic;
  }
  const key = nested === undefined ? drvPath : nested.output;
  let node = within.get(key);
  if (node === undefined) {
    node = { outputs: [] };
    within.set(key, node);
  }
  return node;
}

type OutputReference = { readonly drvPath: string; readonly output: string };

/** Returns the tree in the form of a derivation, sorted. */
function inputTree(references: OutputReference[]): ReadonlyMap<string, DerivationInput> {
  references.sort((a, b) => compareByteStrings(a.drvPath, b.drvPath) || compareByteStrings(a.output, b.output));
  const tree: InputTree = new Map();
  for (let i = 0; i < references.length; i++) {
    const { drvPath, output } = references[i]!;
    const { outputs } = inputNode(tree, drvPath);
    if (outputs[outputs.length - 1] !== output) outputs.push(output);
  }
  return tree;
}

function inputs(context: ContextId): Pick<Derivation, "inputDrvs" | "inputSrcs"> {
  const references: OutputReference[] = [];
  const sources: string[] = [];
  for (const element of unorderedElements(context)) {
    switch (element.kind) {
      case "opaque":
        sources.push(element.path);
        break;
      case "output":
        references.push(element);
        break;
      case "deep":
        for (const path of deepClosure(element.drvPath)) {
          sources.push(path);
          if (!path.endsWith(".drv")) continue;
          for (const output of readDerivation(path).outputs.keys()) references.push({ drvPath: path, output });
        }
        break;
    }
  }
  return { inputDrvs: inputTree(references), inputSrcs: sortedUnique(sources) };
}

/** Returns the hash of a fixed output; an empty one stands for zeros, with a warning. */
function fixedHash(draft: Draft, text: string) {
  if (text !== "") return parseHash(text, draft.outputHashAlgo);
  const algorithm = draft.outputHashAlgo;
  if (algorithm === undefined) throw new FirnError("bad-hash", "empty hash requires explicit hash algorithm");
  const hash = { algorithm, bytes: new Uint8Array(hashSize(algorithm)) };
  host().report({ kind: "warning", text: `found empty hash, assuming '${printHash(hash, "sri")}'` });
  return hash;
}

function withOutputs(draft: Draft, base: Omit<Derivation, "outputs" | "env">): Derivation {
  const env = draft.env;
  const storeDir = host().storeDir;
  const { outputs } = draft;
  const made = new Map<string, DerivationOutput>();
  if (draft.outputHash !== undefined) {
    if (outputs.length !== 1 || outputs[0] !== "out") {
      throw fail("multiple outputs are not supported in fixed-output derivations");
    }
    const address = { method: draft.method ?? ("flat" as const), hash: fixedHash(draft, draft.outputHash) };
    made.set("out", { kind: "fixed", address });
    env.set("out", derivationOutputPath({ name: base.name, outputs: made }, "out", storeDir)!);
    return { ...base, outputs: made, env };
  }
  if (draft.contentAddressed || draft.impure) {
    if (draft.contentAddressed && draft.impure) {
      throw fail("derivation cannot be both content-addressed and impure");
    }
    const algorithm = draft.outputHashAlgo ?? "sha256";
    const method = draft.method ?? "nar";
    for (const output of outputs) {
      env.set(output, hashPlaceholder(output));
      made.set(output, { kind: draft.impure ? "impure" : "floating", method, algorithm });
    }
    return { ...base, outputs: made, env };
  }
  for (const output of outputs) {
    env.set(output, "");
    made.set(output, { kind: "deferred" });
  }
  return { ...base, outputs: made, env };
}

function build(draft: Draft): Value {
  if (draft.json !== undefined) {
    draft.json.raw("}");
    draft.context = mergeContexts(draft.context, draft.json.context);
    draft.env.set("__json", draft.json.text());
  } else if (draft.structured) draft.env.set("__json", "{}");
  const { inputDrvs, inputSrcs } = inputs(draft.context);
  if (draft.builder === "") throw fail("required attribute 'builder' missing");
  if (draft.system === "") throw fail("required attribute 'system' missing");
  const singleText = draft.method === "text" && draft.outputs.length === 1 && draft.outputs[0] === "out";
  if (draft.name.endsWith(".drv") && !singleText) {
    throw fail("derivation names are allowed to end in '.drv' only if they produce a single derivation file");
  }
  const storeDir = host().storeDir;
  const unfinished = withOutputs(draft, {
    name: draft.name,
    inputDrvs,
    inputSrcs,
    system: draft.system,
    builder: draft.builder,
    args: draft.args,
  });
  const finished = finishDerivation(unfinished, { lookup: lookupHash, storeDir });
  const { path: drvPath, contents, references } = finished;
  host().writeDerivation({ name: draft.name, contents, references, drvPath });
  knownHashes.get().set(drvPath, finished.hash);
  const symbols = [sym.drvPath];
  const values: Slot[] = [makeString(drvPath, contextOf({ kind: "deep", drvPath }))];
  for (const output of unfinished.outputs.keys()) {
    symbols.push(intern(output));
    values.push(outputString(finished.outputPaths.get(output), drvPath, output));
  }
  return makeSet(symbols, values, null);
}

function fill(draft: Draft, attrs: Value): void {
  const structured = attribute(attrs, sym.structured);
  if (structured !== none) {
    draft.structured = boolArgument(
      structured,
      "while evaluating the `__structuredAttrs` attribute passed to builtins.derivationStrict",
    );
  }
  const ignore = attribute(attrs, sym.ignoreNulls);
  const ignoreNulls =
    ignore !== none &&
    boolArgument(ignore, "while evaluating the `__ignoreNulls` attribute passed to builtins.derivationStrict");
  const shape = shapeOf(attrs);
  for (const index of orderedIndices(shape)) {
    const symbol = keyAt(shape, index);
    if (symbol === sym.ignoreNulls) continue;
    try {
      const slot = valueAt(attrs, index);
      if (ignoreNulls && force(slot) === nullValue) continue;
      addAttribute(draft, symbol, slot);
    } catch (error) {
      const text = `while evaluating attribute '${showIdentifier(nameOf(symbol))}' of derivation '${draft.name}'`;
      throw addFrame(error, positionOf(attrs, symbol), text);
    }
  }
}

function derivationStrict(a: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the argument passed to builtins.derivationStrict");
  const nameSlot = requiredAttr(attrs, "name", "in the attrset passed as argument to builtins.derivationStrict");
  const namePos = positionOf(attrs, sym.name);
  let name: string;
  try {
    name = plainArgument(nameSlot, "while evaluating the `name` attribute passed to builtins.derivationStrict");
  } catch (error) {
    throw addFrame(error, namePos, "while evaluating the derivation attribute 'name'");
  }
  try {
    try {
      checkStorePathName(name);
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      throw fail(`invalid derivation name: ${error.message}. Please pass a different 'name'.`);
    }
    const draft = new Draft(name);
    fill(draft, attrs);
    return build(draft);
  } catch (error) {
    const text = `while evaluating derivation '${name}'\n  whose name attribute is located at ${showPlacedPosition(namePos)}`;
    throw addFrame(error, 0, text);
  }
}

export const derivationBuiltins: BuiltinTable = {
  derivationStrict: { arity: 1, global: true, call: derivationStrict },
};
