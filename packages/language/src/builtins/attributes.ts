/** The builtins on attribute sets. */
import { delayCall2, force, positionAttrs } from "../code/interpret.ts";
import { intern, knownSymbol, symbolNames } from "../code/memory.ts";
import { PerEvaluation } from "../code/per-evaluation.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { makeShape, type Shape } from "../value/shape.ts";
import {
  Attrs,
  emptyAttrs,
  emptyList,
  flatShape,
  type List,
  makeAttrs,
  mapValues,
  namesOf,
  placesOf,
  type Slot,
  shapeOf,
  type Value,
} from "../value/value.ts";
import {
  attrsArgument,
  type BuiltinTable,
  functionArgument,
  listArgument,
  plainArgument,
  requiredAttr,
} from "./arguments.ts";

const nameSymbol = intern("name");

/** Some attributes of sets of one shape. */
interface Selection {
  readonly shape: Shape;
  readonly indices: readonly number[];
}

function selection(shape: Shape, indices: readonly number[]): Selection {
  if (indices.length === shape.size) return { shape, indices };
  const keys = new Array<number>(indices.length);
  for (let i = 0; i < indices.length; i++) keys[i] = shape.keys[indices[i]!]!;
  return { shape: makeShape(keys), indices };
}

/** Returns a new set even for all attributes: for a repeated set, printing would show `«repeated»` where the reference does not. */
function selected(attrs: Attrs, { shape, indices }: Selection): Attrs {
  if (indices.length === 0) return emptyAttrs;
  const some = new Attrs(shape, indices.length, placesOf(attrs));
  for (let i = 0; i < indices.length; i++) some[i] = attrs.at(indices[i]!);
  return some;
}

/** A list of names that are removed from sets, as symbols, and the remaining attributes for some shapes. */
interface Removal {
  readonly names: List;
  readonly symbols: readonly number[];
  readonly left: Map<Shape, Selection>;
}

/** Number of removals that are cached, because the packages of nixpkgs remove the same few lists of names again and again. */
const keptRemovals = 16;
const keptSelections = 256;

const knownRemovals = new PerEvaluation<Removal[]>(() => []);

function removalOf(names: List): Removal {
  const removals = knownRemovals.get();
  for (let i = 0; i < removals.length; i++) if (sameElements(removals[i]!.names, names)) return removals[i]!;
  const removal = { names, symbols: removedSymbols(names), left: new Map() };
  if (removals.length === keptRemovals) removals.shift();
  removals.push(removal);
  return removal;
}

/** Tells whether two lists hold the same texts or delayed values; a literal is another list each time it is evaluated. */
function sameElements(a: List, b: List): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function removedSymbols(names: List): number[] {
  const text = "while evaluating the values of the second argument passed to builtins.removeAttrs";
  const symbols = new Array<number>(names.length);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    symbols[i] = intern(typeof name === "string" ? name : plainArgument(name, text));
  }
  return symbols;
}

function withoutSymbols(shape: Shape, symbols: readonly number[]): Selection {
  const removed: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const index = shape.find(symbols[i]!);
    if (index >= 0) insertSorted(removed, index);
  }
  const kept: number[] = [];
  for (let i = 0, next = 0; i < shape.size; i++) {
    if (removed[next] === i) next++;
    else kept.push(i);
  }
  return selection(shape, kept);
}

function removeAttrs(a: Slot, b: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the first argument passed to builtins.removeAttrs");
  const names = listArgument(b, "while evaluating the second argument passed to builtins.removeAttrs");
  const { symbols, left } = removalOf(names);
  const shape = flatShape(attrs);
  let kept = left.get(shape);
  if (kept === undefined) {
    if (left.size === keptSelections) left.clear();
    kept = withoutSymbols(shape, symbols);
    left.set(shape, kept);
  }
  return selected(attrs, kept);
}

/** Adds a number to sorted ones, unless it is among them. */
function insertSorted(numbers: number[], added: number): void {
  let at = numbers.length;
  while (at > 0 && numbers[at - 1]! > added) at--;
  if (at > 0 && numbers[at - 1] === added) return;
  numbers.push(added);
  for (let i = numbers.length - 1; i > at; i--) numbers[i] = numbers[i - 1]!;
  numbers[at] = added;
}

function intersectAttrs(a: Slot, b: Slot): Value {
  const left = attrsArgument(a, "while evaluating the first argument passed to builtins.intersectAttrs");
  const right = attrsArgument(b, "while evaluating the second argument passed to builtins.intersectAttrs");
  const x = namesOf(left);
  if (right.shape === null || x.size * 8 < right.shape.size) return intersectFew(x, right);
  const y = right.shape;
  const kept: number[] = [];
  if (x.size < y.size) {
    for (let i = 0; i < x.size; i++) {
      const index = y.find(x.keys[i]!);
      if (index >= 0) kept.push(index);
    }
  } else {
    for (let i = 0; i < y.size; i++) if (x.find(y.keys[i]!) >= 0) kept.push(i);
  }
  return selected(right, selection(y, kept));
}

/** Intersects by looking a few names up one by one, in a set that need not be flat. */
function intersectFew(names: Shape, right: Attrs): Attrs {
  const keys: number[] = [];
  const values: Slot[] = [];
  const positions: number[] = [];
  for (let i = 0; i < names.size; i++) {
    const symbol = names.keys[i]!;
    const slot = right.get(symbol);
    if (slot === undefined) continue;
    keys.push(symbol);
    values.push(slot);
    positions.push(right.positionOf(symbol));
  }
  return keys.length === 0 ? emptyAttrs : makeAttrs(keys, values, positions);
}

/** A number for each symbol, 0 between uses; nothing may be forced while it is in use. */
let marks = new Int32Array(0);

function symbolMarks(): Int32Array {
  if (marks.length < symbolNames.length) marks = new Int32Array(2 * symbolNames.length);
  return marks;
}

function clearMarks(used: readonly number[]): void {
  for (let i = 0; i < used.length; i++) marks[used[i]!] = 0;
}

function listToAttrs(a: Slot): Value {
  const list = listArgument(a, "while evaluating the argument passed to builtins.listToAttrs");
  const pair = "in a {name=...; value=...;} pair";
  const names: number[] = [];
  const pairs: Attrs[] = [];
  for (let i = 0; i < list.length; i++) {
    const element = attrsArgument(list[i]!, "while evaluating an element of the list passed to builtins.listToAttrs");
    const nameSlot = requiredAttr(element, "name", pair);
    const name = plainArgument(
      nameSlot,
      "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs",
      typeof nameSlot === "string" ? 0 : element.positionOf(nameSymbol),
    );
    names.push(intern(name));
    pairs.push(element);
  }
  // Of pairs with one name the first counts.
  const seen = symbolMarks();
  const symbols: number[] = [];
  const elements: Attrs[] = [];
  for (let i = 0; i < names.length; i++) {
    const symbol = names[i]!;
    if (seen[symbol] !== 0) continue;
    seen[symbol] = 1;
    symbols.push(symbol);
    elements.push(pairs[i]!);
  }
  clearMarks(symbols);
  const valueSymbol = intern("value");
  const values = elements.map((element) => requiredAttr(element, "value", pair));
  const positions = elements.map((element) => element.positionOf(valueSymbol));
  return makeAttrs(symbols, values, positions.some((pos) => pos !== 0) ? positions : null);
}

function zipAttrsWith(a: Slot, b: Slot): Value {
  const f = functionArgument(a, "while evaluating the first argument passed to builtins.zipAttrsWith");
  const list = listArgument(b, "while evaluating the second argument passed to builtins.zipAttrsWith");
  const text = "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith";
  const sets: Attrs[] = [];
  for (let i = 0; i < list.length; i++) {
    const attrs = attrsArgument(list[i]!, text);
    shapeOf(attrs);
    sets.push(attrs);
  }
  const found = symbolMarks();
  const symbols: number[] = [];
  const members: List[] = [];
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i]!;
    const { keys } = set.shape!;
    for (let k = 0; k < keys.length; k++) {
      const symbol = keys[k]!;
      const at = found[symbol]!;
      if (at !== 0) members[at - 1]!.push(set[k]!);
      else {
        found[symbol] = symbols.push(symbol);
        members.push([set[k]!]);
      }
    }
  }
  clearMarks(symbols);
  const results = new Array<Slot>(symbols.length);
  for (let i = 0; i < symbols.length; i++) results[i] = delayCall2(f, symbolNames[symbols[i]!]!, members[i]!);
  return makeAttrs(symbols, results, null);
}

export const attributeBuiltins: BuiltinTable = {
  attrNames: {
    arity: 1,
    call: (a) => {
      const shape = namesOf(attrsArgument(a, "while evaluating the argument passed to builtins.attrNames"));
      const order = shape.order();
      const names = new Array<Slot>(order.length);
      for (let i = 0; i < order.length; i++) names[i] = symbolNames[shape.keys[order[i]!]!]!;
      return names.length === 0 ? emptyList : names;
    },
  },
  attrValues: {
    arity: 1,
    call: (a) => {
      const attrs = attrsArgument(a, "while evaluating the argument passed to builtins.attrValues");
      const order = shapeOf(attrs).order();
      const values = new Array<Slot>(order.length);
      for (let i = 0; i < order.length; i++) values[i] = attrs[order[i]!]!;
      return values.length === 0 ? emptyList : values;
    },
  },
  getAttr: {
    arity: 2,
    call: (a, b) => {
      const name = plainArgument(a, "while evaluating the first argument passed to builtins.getAttr");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.getAttr");
      const slot = attrs.get(intern(name));
      if (slot === undefined) {
        throw addFrame(
          new EvaluationError("type-error", `attribute '${name}' missing`),
          0,
          "in the attribute set under consideration",
        );
      }
      return force(slot);
    },
  },
  hasAttr: {
    arity: 2,
    call: (a, b) => {
      const name = plainArgument(a, "while evaluating the first argument passed to builtins.hasAttr");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.hasAttr");
      const symbol = knownSymbol(name);
      return symbol !== undefined && attrs.get(symbol) !== undefined;
    },
  },
  unsafeGetAttrPos: {
    arity: 2,
    call: (a, b) => {
      const name = plainArgument(a, "while evaluating the first argument passed to builtins.unsafeGetAttrPos");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.unsafeGetAttrPos");
      return positionAttrs(attrs.positionOf(intern(name)));
    },
  },
  removeAttrs: { arity: 2, global: true, call: removeAttrs },
  intersectAttrs: { arity: 2, call: intersectAttrs },
  listToAttrs: { arity: 1, call: listToAttrs },
  zipAttrsWith: { arity: 2, call: zipAttrsWith },
  mapAttrs: {
    arity: 2,
    call: (a, b) => {
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.mapAttrs");
      return mapValues(attrs, (name, slot) => delayCall2(a, name, slot));
    },
  },
  catAttrs: {
    arity: 2,
    call: (a, b) => {
      const symbol = intern(plainArgument(a, "while evaluating the first argument passed to builtins.catAttrs"));
      const list = listArgument(b, "while evaluating the second argument passed to builtins.catAttrs");
      const text = "while evaluating an element in the list passed as second argument to builtins.catAttrs";
      const found: List = [];
      for (let i = 0; i < list.length; i++) {
        const slot = attrsArgument(list[i]!, text).get(symbol);
        if (slot !== undefined) found.push(slot);
      }
      return found.length === 0 ? emptyList : found;
    },
  },
};
