/** The application that an image is made for: its arguments as data, how it is found after an evaluation, and how it is made again. */
import { type Applications, applications, hook } from "../code/applications.ts";
import { codeScopes } from "../code/code-scopes.ts";
import { argumentsName, call, callDepth, evaluation, force, restoreCallDepth } from "../code/interpret.ts";
import { addSource } from "../code/source.ts";
import { lambdaClosure, lambdaNode } from "../heap/function.ts";
import { elementAt, listLength, makeList } from "../heap/list.ts";
import {
  bool,
  heap,
  isBoolean,
  isFloat,
  isFunction,
  isLambda,
  isList,
  isPath,
  isSet,
  isString,
  none,
  nullValue,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, isInteger, makeFloat, makeLargeInteger, numberOf } from "../heap/number.ts";
import { makePath, placedPathText } from "../heap/path.ts";
import { attribute, makeSet, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, orderedIndices, shapeSize } from "../heap/shape.ts";
import { contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf, symbolOf } from "../heap/symbol.ts";
import { peekSlot } from "../heap/thunk.ts";
import { shownPath } from "../heap/tree-root.ts";
import { EvaluationError, isInterruption } from "../value/evaluation-error.ts";
import { importedFiles, importFile } from "./import.ts";

/** Arguments as data. */
export type ArgumentData =
  | null
  | boolean
  | string
  | { readonly int: string }
  | { readonly float: string }
  | { readonly path: string }
  | { readonly list: readonly ArgumentData[] }
  | { readonly attrs: readonly (readonly [name: string, value: ArgumentData])[] }
  /** The value of a function that is an attribute of what a file evaluates to. */
  | { readonly file: string; readonly attribute: readonly string[]; readonly argument: ArgumentData };

/** An application of the function that a file evaluates to. */
export interface ImageApplication {
  readonly file: string;
  readonly argument: ArgumentData;
  /** The attributes of its value that are forced before the image is written. */
  readonly names: readonly string[];
  /** The derivations among them whose paths are forced too. */
  readonly derivations: readonly string[];
}

/** Number of parts from which arguments are not looked at. */
const mostParts = 10_000;
/** Number of levels below a file's value at which its functions are found. */
const deepest = 2;
/** Number of noted applications that are tried. */
const mostTried = 4;

const sym = { drvPath: intern("drvPath"), outPath: intern("outPath"), outputs: intern("outputs") };

/** An argument that is no plain data. */
class NotPlain extends Error {}

/** Returns the text of sets that are known otherwise, undefined for others. */
type KnownSets = (set: Value) => string | undefined;

/** Turns values into data, as the text of it. */
class Describer {
  private parts = 0;
  private readonly known: KnownSets;

  constructor(known: KnownSets) {
    this.known = known;
  }

  describe(slot: Slot): string {
    if (++this.parts > mostParts) throw new NotPlain();
    const value = force(slot);
    if (value === nullValue) return "null";
    if (isBoolean(value)) return String(value === trueValue);
    if (isInteger(value)) return JSON.stringify({ int: String(integerOf(value)) });
    if (isFloat(value)) return JSON.stringify({ float: String(numberOf(value)) });
    if (isString(value)) {
      if (contextIdOf(value) !== 0) throw new NotPlain();
      return JSON.stringify(stringText(value));
    }
    if (isPath(value)) {
      const path = placedPathText(value);
      if (shownPath(path) !== path) throw new NotPlain();
      return JSON.stringify({ path });
    }
    if (isList(value)) {
      const items: string[] = [];
      for (let i = 0; i < listLength(value); i++) items.push(this.describe(elementAt(value, i)));
      return `{"list":[${items.join(",")}]}`;
    }
    if (!isSet(value)) throw new NotPlain();
    return this.known(value) ?? this.set(value);
  }

  private set(set: Value): string {
    const shape = shapeOf(set);
    // What is known to be no data is not forced in vain.
    for (let i = 0; i < shapeSize(shape); i++) if (isFunction(peekSlot(valueAt(set, i)))) throw new NotPlain();
    const members = orderedIndices(shape).map(
      (index) => `[${JSON.stringify(nameOf(keyAt(shape, index)))},${this.describe(valueAt(set, index))}]`,
    );
    return `{"attrs":[${members.join(",")}]}`;
  }
}

/** Returns the text of arguments, undefined when they are more than data. An error of them counts as one that can be seen. */
function describeQuietly(slot: Slot, known: KnownSets): string | undefined {
  let text: string | undefined;
  const isDone = applications().tryOut(() => {
    try {
      text = new Describer(known).describe(slot);
    } catch (error) {
      if (!(error instanceof NotPlain)) throw error;
    }
  });
  return isDone ? text : undefined;
}

/** Lets the running evaluation hear of applications that import so many files and have so many attributes. */
export function hearOfApplications(from: { readonly imports: number; readonly attributes: number } | undefined): void {
  const state = evaluation();
  const found = applications();
  state.applications = found;
  found.imports = () => importedFiles().size;
  if (from !== undefined) found.from = from;
  const sets: KnownSets = (set) => found.known.find(({ taken, result }) => taken && peekSlot(result) === set)?.call;
  found.describe = (argument) => describeQuietly(argument, sets);
}

// ---- finding

/**
 * Returns the application of the evaluation that an image is worth its time for: of those whose arguments are data the one that imported most;
 * undefined when there is none.
 */
export function findApplication(): ImageApplication | undefined {
  const found = applications();
  const byImports = [...found.noted].sort((a, b) => b.imports - a.imports);
  const known = found.known.find(({ file, taken }) => file !== "" && taken);
  if (known !== undefined) return undefined;
  for (const { file, argument, result } of byImports.slice(0, mostTried)) {
    const text = describeQuietly(argument, makersOfSets());
    if (text !== undefined) return { file, argument: JSON.parse(text) as ArgumentData, ...forcedNames(result) };
  }
  return undefined;
}

/** Returns the attributes of a set that were forced, and the derivations among them that were made. */
function forcedNames(set: Value): Pick<ImageApplication, "names" | "derivations"> {
  const names: string[] = [];
  const derivations: string[] = [];
  const shape = shapeOf(set);
  for (const index of orderedIndices(shape)) {
    const member = peekSlot(valueAt(set, index));
    if (member === none) continue;
    const name = nameOf(keyAt(shape, index));
    names.push(name);
    if (isSet(member) && isMade(member)) derivations.push(name);
  }
  return { names, derivations };
}

/** Tells whether the path of a derivation, or of one of its outputs, was computed. */
function isMade(derivation: Value): boolean {
  const isKnown = (set: Value, symbol: number): boolean => peekSlot(attribute(set, symbol)) !== none;
  if (isKnown(derivation, sym.drvPath) || isKnown(derivation, sym.outPath)) return true;
  const outputs = peekSlot(attribute(derivation, sym.outputs));
  if (!isList(outputs)) return false;
  for (let i = 0; i < listLength(outputs); i++) {
    const name = peekSlot(elementAt(outputs, i));
    const output = isString(name) ? peekSlot(attribute(derivation, symbolOf(name))) : (none as Value);
    if (isSet(output) && isKnown(output, sym.outPath)) return true;
  }
  return false;
}

/**
 * Returns a function that tells of a set with functions which call has made it: where a function of it was made, the environments around belong to
 * the function that was called and to its argument, and that function is an attribute of what a file evaluates to.
 */
function makersOfSets(): KnownSets {
  let scopes: ReturnType<typeof codeScopes>;
  return (set) => {
    const shape = shapeOf(set);
    for (let i = 0; i < shapeSize(shape); i++) {
      const member = peekSlot(valueAt(set, i));
      if (!isLambda(member)) continue;
      scopes ??= codeScopes();
      let scope = scopes?.scopeOf(lambdaNode(member)) ?? 0;
      for (let env = lambdaClosure(member); scopes !== undefined && scope !== 0; env = heap[env]!) {
        const node = scopes.lambdaOf(scope);
        const place = node === 0 ? undefined : placeOfFunction(node, heap[env]!);
        if (place !== undefined) {
          const argument = new Describer(() => undefined).describe(heap[env + 1]! as Slot);
          return `{"file":${JSON.stringify(place.file)},"attribute":${JSON.stringify(place.attribute)},"argument":${argument}}`;
        }
        scope = scopes.outerOf(scope);
      }
      return undefined;
    }
    return undefined;
  };
}

/** Finds the file and attribute that a function is. */
function placeOfFunction(node: number, env: number): { file: string; attribute: string[] } | undefined {
  const search = (slot: Slot, levels: number): string[] | undefined => {
    const value = peekSlot(slot);
    if (!isSet(value)) return undefined;
    const shape = shapeOf(value);
    for (let i = 0; i < shapeSize(shape); i++) {
      const member = peekSlot(valueAt(value, i));
      if (isLambda(member) && lambdaNode(member) === node && lambdaClosure(member) === env) {
        return [nameOf(keyAt(shape, i))];
      }
      const below = levels > 1 ? search(member, levels - 1) : undefined;
      if (below !== undefined) return [nameOf(keyAt(shape, i)), ...below];
    }
    return undefined;
  };
  for (const [file, slot] of importedFiles()) {
    const attribute = search(slot, deepest);
    if (attribute !== undefined) return { file, attribute };
  }
  return undefined;
}

// ---- making

/** Makes the value of an application, forces what is to be forced of it, and lets the first application of the same kind find it. */
export function makeApplication({ file, argument, names, derivations }: ImageApplication): void {
  const found = applications();
  found.isWatching = true;
  // The places of the arguments are another evaluation's.
  const { base } = addSource("string", argumentsName, "/", " ");
  const made = new ArgumentMaker(found, base);
  const callee = importFile(file);
  const value = call(callee, made.value(argument), 0);
  made.know({ file, call: "", argument: JSON.stringify(argument) }, callee, value);
  if (!isSet(value)) return;
  for (const name of names) attempt(() => force(memberOf(value, name)));
  for (const name of derivations) {
    attempt(() => {
      const member = force(memberOf(value, name));
      if (isSet(member)) force(attributeOr(member, sym.drvPath));
    });
  }
}

/** Returns an attribute, null where there is none. */
function attributeOr(set: Value, symbol: number): Slot {
  const slot = attribute(set, symbol);
  return slot === none ? nullValue : slot;
}

function memberOf(set: Value, name: string): Slot {
  return attributeOr(set, intern(name));
}

/** Runs what may fail. */
function attempt(work: () => void): void {
  const depth = callDepth();
  try {
    work();
  } catch (error) {
    if (!(error instanceof EvaluationError) || isInterruption(error)) throw error;
    restoreCallDepth(depth);
  }
}

class ArgumentMaker {
  private readonly found: Applications;
  private readonly place: number;

  constructor(found: Applications, place: number) {
    this.found = found;
    this.place = place;
  }

  /** Makes the value of data. */
  value(data: ArgumentData): Value {
    if (data === null) return nullValue;
    if (typeof data === "boolean") return bool(data);
    if (typeof data === "string") return makeString(data);
    if ("int" in data) return makeLargeInteger(BigInt(data.int))!;
    if ("float" in data) return makeFloat(Number(data.float));
    if ("path" in data) return makePath(data.path);
    if ("list" in data) return makeList(data.list.map((item) => this.value(item)));
    if ("attrs" in data) {
      const symbols = data.attrs.map(([name]) => intern(name));
      const values = data.attrs.map(([, member]) => this.value(member));
      const places = symbols.map(() => this.place);
      return makeSet(symbols, values, places);
    }
    const text = JSON.stringify(data);
    const known = this.found.known.find((application) => application.call === text);
    if (known !== undefined) return force(known.result);
    let callee = force(importFile(data.file));
    for (const name of data.attribute) callee = force(attribute(callee, intern(name)));
    const result = call(callee, this.value(data.argument), 0);
    this.know({ file: "", call: text, argument: JSON.stringify(data.argument) }, callee, result);
    return result;
  }

  know(
    text: { readonly file: string; readonly call: string; readonly argument: string },
    callee: Value,
    result: Value,
  ): void {
    if (!isLambda(callee) || !hook(lambdaNode(callee))) return;
    this.found.load({ ...text, node: lambdaNode(callee), env: lambdaClosure(callee), result });
  }
}
