/** The application that an image is made for: its arguments as data, how it is found after an evaluation, and how it is made again. */
import { type Applications, applications, flakeOfTreeFile, hook, type NotedApplication } from "../code/applications.ts";
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
import { contextElements, contextOf, mergeContexts } from "../value/context.ts";
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
  /** A string with the store paths that it depends on. */
  | { readonly string: string; readonly context: readonly string[] }
  | { readonly list: readonly ArgumentData[] }
  | { readonly attrs: readonly (readonly [name: string, value: ArgumentData])[] }
  /**
   * The value of a function that is an attribute of what a file evaluates to, or, where that is a function, of its value for what it is applied to.
   */
  | {
      readonly file: string;
      readonly applied?: ArgumentData;
      readonly attribute: readonly string[];
      readonly argument: ArgumentData;
    };

/** An application of the function that a file evaluates to. */
export interface ImageApplication {
  readonly file: string;
  readonly argument: ArgumentData;
  /** The attributes of its value, by their paths, that are forced before the image is written. */
  readonly names: readonly (readonly string[])[];
  /** The derivations among them whose paths are forced too. */
  readonly derivations: readonly (readonly string[])[];
}

/** Number of parts from which arguments are not looked at. */
const mostParts = 10_000;
/** Number of levels below a file's value, and below a flake, at which functions are found and attributes are forced. */
const deepest = { file: 2, flake: 3 };
/** Attributes of a flake that have the same values as others. */
const sameInFlakes: ReadonlySet<string> = new Set(["inputs", "outputs", "sourceInfo"]);
/** Number of noted applications that are tried. */
const mostTried = 4;

const sym = {
  drvPath: intern("drvPath"),
  outPath: intern("outPath"),
  outputs: intern("outputs"),
  place: intern("place"),
  type: intern("type"),
};

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
      const text = stringText(value);
      if (contextIdOf(value) === 0) return JSON.stringify(text);
      const context = contextElements(contextIdOf(value)).map((element) => {
        if (element.kind !== "opaque") throw new NotPlain();
        return element.path;
      });
      return JSON.stringify({ string: text, context });
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
  const known = found.known.find(({ call: part, taken }) => part === "" && taken);
  if (known !== undefined) return undefined;
  const packages = byImports.filter(({ isFlake }) => !isFlake).slice(0, mostTried);
  for (const { file, argument, result } of [...packages, ...longFlakes(found)]) {
    const text = describeQuietly(argument, makersOfSets());
    if (text === undefined) continue;
    const levels = file === flakeOfTreeFile ? deepest.flake : 1;
    return { file, argument: JSON.parse(text) as ArgumentData, ...forcedNames(result, levels) };
  }
  return undefined;
}

/** Returns the flakes of which so many files were imported that an image is worth its time, those with most files first. */
function longFlakes(found: Applications): NotedApplication[] {
  const flakes = found.noted.filter(({ isFlake }) => isFlake);
  if (flakes.length === 0) return [];
  const files = [...importedFiles().keys()];
  return flakes
    .map((flake) => {
      const place = peekSlot(attribute(flake.argument, sym.place));
      const below = isString(place) ? `${stringText(place)}/` : "\0";
      return { flake, imports: files.filter((file) => file.startsWith(below)).length };
    })
    .filter(({ imports }) => imports >= found.from.imports)
    .sort((a, b) => b.imports - a.imports)
    .map(({ flake }) => flake);
}

/** Returns the attributes of a set, and some levels below it, that were forced, and the derivations among them that were made. */
function forcedNames(set: Value, levels: number): Pick<ImageApplication, "names" | "derivations"> {
  const names: string[][] = [];
  const derivations: string[][] = [];
  const collect = (within: Value, path: readonly string[]): void => {
    const shape = shapeOf(within);
    for (const index of orderedIndices(shape)) {
      const member = peekSlot(valueAt(within, index));
      if (member === none) continue;
      const name = nameOf(keyAt(shape, index));
      if (levels === deepest.flake && path.length === 0 && sameInFlakes.has(name)) continue;
      const here = [...path, name];
      names.push(here);
      if (!isSet(member)) continue;
      if (isMade(member)) derivations.push(here);
      else if (here.length < levels && peekSlot(attribute(member, sym.type)) === none) collect(member, here);
    }
  };
  collect(set, []);
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
          const plain = new Describer(() => undefined);
          const applied = place.applied === undefined ? "" : `"applied":${plain.describe(place.applied)},`;
          const argument = plain.describe(heap[env + 1]! as Slot);
          return `{"file":${JSON.stringify(place.file)},${applied}"attribute":${JSON.stringify(place.attribute)},"argument":${argument}}`;
        }
        scope = scopes.outerOf(scope);
      }
      return undefined;
    }
    return undefined;
  };
}

/** Finds the file and attribute that a function is, with what the file's function is applied to where it is one. */
function placeOfFunction(
  node: number,
  env: number,
): { readonly file: string; readonly applied?: Slot; readonly attribute: string[] } | undefined {
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
    const found = search(slot, deepest.file);
    if (found !== undefined) return { file, attribute: found };
  }
  for (const { file, isFlake, argument, result } of applications().noted) {
    const found = isFlake ? search(result, deepest.flake) : undefined;
    if (found !== undefined) return { file, applied: argument, attribute: found };
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
  for (const path of names) attempt(() => memberOf(value, path));
  for (const path of derivations) {
    attempt(() => {
      const member = memberOf(value, path);
      if (isSet(member)) force(attributeOr(member, sym.drvPath));
    });
  }
}

/** Returns an attribute, null where there is none. */
function attributeOr(set: Value, symbol: number): Slot {
  const slot = attribute(set, symbol);
  return slot === none ? nullValue : slot;
}

function memberOf(set: Value, path: readonly string[]): Value {
  return path.reduce((within, name) => (isSet(within) ? force(attributeOr(within, intern(name))) : within), set);
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
    if ("string" in data) {
      const contexts = data.context.map((path) => contextOf({ kind: "opaque", path }));
      return makeString(data.string, contexts.reduce(mergeContexts, 0));
    }
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
    const callee = memberOf(this.valueOfFile(data.file, data.applied), data.attribute);
    const result = call(callee, this.value(data.argument), 0);
    this.know({ file: "", call: text, argument: JSON.stringify(data.argument) }, callee, result);
    return result;
  }

  /** Makes the value of a file, or that of its function for what it is applied to. */
  private valueOfFile(file: string, applied: ArgumentData | undefined): Value {
    if (applied === undefined) return importFile(file);
    const argument = JSON.stringify(applied);
    const text = JSON.stringify({ file, applied });
    const known = this.found.known.find((application) => application.call === text);
    if (known !== undefined) return force(known.result);
    const callee = importFile(file);
    const result = call(callee, this.value(applied), 0);
    this.know({ file, call: text, argument }, callee, result);
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
