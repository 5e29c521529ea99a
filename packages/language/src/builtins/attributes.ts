/** The builtins on attribute sets. */
import { delayCall2, force, positionAttrs } from "../code/interpret.ts";
import { PerEvaluation } from "../code/per-evaluation.ts";
import { allocateList, elementAt, firstElement, listLength, makeList } from "../heap/list.ts";
import {
  type Address,
  allocate,
  bool,
  emptyList,
  heap,
  isString,
  none,
  type Slot,
  type Value,
} from "../heap/memory.ts";
import {
  allocateSet,
  attribute,
  emptySet,
  firstValue,
  flatOrNone,
  flatSet,
  makeSet,
  mapSet,
  namesOf,
  positionOf,
} from "../heap/set.ts";
import { findKey, keyAt, makeShape, orderOf, shapeSize } from "../heap/shape.ts";
import { stringText } from "../heap/string.ts";
import { intern, knownSymbolOf, symbolCount, symbolOf, symbolString } from "../heap/symbol.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import {
  attrsArgument,
  type BuiltinTable,
  functionArgument,
  listArgument,
  nameArgument,
  requiredAttr,
} from "./arguments.ts";

const nameSymbol = intern("name");

/** Some attributes of sets of one shape: a shape, and where their indices in the other are. */
interface Selection {
  readonly shape: Address;
  readonly indices: Address;
}

function selection(shape: Address, indices: readonly number[]): Selection {
  const size = indices.length;
  const at = allocate((size + 2) & -2);
  const keys = new Array<number>(size);
  for (let i = 0; i < size; i++) {
    heap[at + i] = indices[i]!;
    keys[i] = keyAt(shape, indices[i]!);
  }
  return { shape: size === shapeSize(shape) ? shape : makeShape(keys), indices: at };
}

/** Returns a new set even for all attributes: for a repeated set, printing would show `«repeated»` where the reference does not. */
function selected(set: Address, { shape, indices }: Selection): Value {
  const size = shapeSize(shape);
  if (size === 0) return emptySet;
  const some = allocateSet(shape, heap[set + 1]!);
  const to = (some >>> 2) + firstValue;
  for (let i = 0; i < size; i++) heap[to + i] = heap[set + firstValue + heap[indices + i]!]!;
  return some;
}

/** A list of names that are removed from sets, as symbols, and the remaining attributes for some shapes. */
interface Removal {
  readonly names: Value;
  readonly symbols: readonly number[];
  readonly left: Map<Address, Selection>;
}

/** Number of removals that are cached, because the packages of nixpkgs remove the same few lists of names again and again. */
const keptRemovals = 16;
const keptSelections = 256;

const knownRemovals = new PerEvaluation<Removal[]>(() => [], "memo");

function removalOf(names: Value): Removal {
  const removals = knownRemovals.get();
  for (let i = 0; i < removals.length; i++) if (sameElements(removals[i]!.names, names)) return removals[i]!;
  const removal = { names, symbols: removedSymbols(names), left: new Map() };
  if (removals.length === keptRemovals) removals.shift();
  removals.push(removal);
  return removal;
}

/** Tells whether two lists hold the same strings or delayed values; a literal is another list each time it is evaluated. */
function sameElements(a: Value, b: Value): boolean {
  if (a === b) return true;
  const length = listLength(a);
  if (length !== listLength(b)) return false;
  for (let i = 0; i < length; i++) if (elementAt(a, i) !== elementAt(b, i)) return false;
  return true;
}

function removedSymbols(names: Value): number[] {
  const text = "while evaluating the values of the second argument passed to builtins.removeAttrs";
  const symbols: number[] = [];
  for (let i = 0; i < listLength(names); i++) symbols.push(symbolOf(nameArgument(elementAt(names, i), text)));
  return symbols;
}

function withoutSymbols(shape: Address, symbols: readonly number[]): Selection {
  const removed: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const index = findKey(shape, symbols[i]!);
    if (index >= 0) insertSorted(removed, index);
  }
  const kept: number[] = [];
  for (let i = 0, next = 0; i < shapeSize(shape); i++) {
    if (removed[next] === i) next++;
    else kept.push(i);
  }
  return selection(shape, kept);
}

function removeAttrs(a: Slot, b: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the first argument passed to builtins.removeAttrs");
  const names = listArgument(b, "while evaluating the second argument passed to builtins.removeAttrs");
  const { symbols, left } = removalOf(names);
  const set = flatSet(attrs);
  const shape = heap[set]! as Address;
  let kept = left.get(shape);
  if (kept === undefined) {
    if (left.size === keptSelections) left.clear();
    kept = withoutSymbols(shape, symbols);
    left.set(shape, kept);
  }
  return selected(set, kept);
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
  const set = flatOrNone(right) as Address;
  const y = (set === 0 ? 0 : heap[set]!) as Address;
  if (set === 0 || shapeSize(x) * 8 < shapeSize(y)) return intersectFew(x, right);
  const kept: number[] = [];
  if (shapeSize(x) < shapeSize(y)) {
    for (let i = 0; i < shapeSize(x); i++) {
      const index = findKey(y, keyAt(x, i));
      if (index >= 0) kept.push(index);
    }
  } else {
    for (let i = 0; i < shapeSize(y); i++) if (findKey(x, keyAt(y, i)) >= 0) kept.push(i);
  }
  return selected(set, selection(y, kept));
}

function intersectFew(names: Address, right: Value): Value {
  const keys: number[] = [];
  const values: Slot[] = [];
  const positions: number[] = [];
  for (let i = 0; i < shapeSize(names); i++) {
    const symbol = keyAt(names, i);
    const slot = attribute(right, symbol);
    if (slot === none) continue;
    keys.push(symbol);
    values.push(slot);
    positions.push(positionOf(right, symbol));
  }
  return keys.length === 0 ? emptySet : makeSet(keys, values, positions);
}

/** A number for each symbol, 0 between uses; nothing may be forced while it is in use. */
let marks = new Int32Array(0);

function symbolMarks(): Int32Array {
  if (marks.length < symbolCount()) marks = new Int32Array(2 * symbolCount());
  return marks;
}

function clearMarks(used: readonly number[]): void {
  for (let i = 0; i < used.length; i++) marks[used[i]!] = 0;
}

const inPair = "in a {name=...; value=...;} pair";

/** Returns the symbol of a pair's name. */
function nameOfPair(element: Value): number {
  const nameSlot = requiredAttr(element, nameSymbol, inPair);
  const name = nameArgument(
    nameSlot,
    "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs",
    isString(nameSlot) ? 0 : positionOf(element, nameSymbol),
  );
  return symbolOf(name);
}

function listToAttrs(a: Slot): Value {
  const list = listArgument(a, "while evaluating the argument passed to builtins.listToAttrs");
  const names: number[] = [];
  const pairs: Value[] = [];
  const length = listLength(list);
  for (let i = 0; i < length; i++) {
    const element = attrsArgument(
      elementAt(list, i),
      "while evaluating an element of the list passed to builtins.listToAttrs",
    );
    names.push(nameOfPair(element));
    pairs.push(element);
  }
  // In a function of its own: the engine compiles the loop above before it knows what comes after it.
  return setOfPairs(names, pairs);
}

function setOfPairs(names: readonly number[], pairs: readonly Value[]): Value {
  const valueSymbol = intern("value");
  // Of pairs with one name the first counts.
  const seen = symbolMarks();
  const symbols: number[] = [];
  const elements: Value[] = [];
  for (let i = 0; i < names.length; i++) {
    const symbol = names[i]!;
    if (seen[symbol] !== 0) continue;
    seen[symbol] = 1;
    symbols.push(symbol);
    elements.push(pairs[i]!);
  }
  clearMarks(symbols);
  const values = new Array<Slot>(elements.length);
  const positions = new Array<number>(elements.length);
  let known = false;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!;
    values[i] = requiredAttr(element, valueSymbol, inPair);
    positions[i] = positionOf(element, valueSymbol);
    known ||= positions[i] !== 0;
  }
  return makeSet(symbols, values, known ? positions : null);
}

function zipAttrsWith(a: Slot, b: Slot): Value {
  const f = functionArgument(a, "while evaluating the first argument passed to builtins.zipAttrsWith");
  const list = listArgument(b, "while evaluating the second argument passed to builtins.zipAttrsWith");
  const text = "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith";
  const sets: Address[] = [];
  for (let i = 0; i < listLength(list); i++) sets.push(flatSet(attrsArgument(elementAt(list, i), text)));
  const found = symbolMarks();
  const symbols: number[] = [];
  const members: Slot[][] = [];
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i]!;
    const shape = heap[set]! as Address;
    const size = shapeSize(shape);
    for (let k = 0; k < size; k++) {
      const symbol = keyAt(shape, k);
      const at = found[symbol]!;
      const slot = heap[set + firstValue + k]! as Slot;
      if (at !== 0) members[at - 1]!.push(slot);
      else {
        found[symbol] = symbols.push(symbol);
        members.push([slot]);
      }
    }
  }
  clearMarks(symbols);
  const results = new Array<Slot>(symbols.length);
  for (let i = 0; i < symbols.length; i++) {
    results[i] = delayCall2(f, symbolString(symbols[i]!), makeList(members[i]!));
  }
  return makeSet(symbols, results, null);
}

export const attributeBuiltins: BuiltinTable = {
  attrNames: {
    arity: 1,
    call: (a) => {
      const shape = namesOf(attrsArgument(a, "while evaluating the argument passed to builtins.attrNames"));
      const size = shapeSize(shape);
      if (size === 0) return emptyList;
      const order = orderOf(shape);
      const names = allocateList(size);
      const to = firstElement(names);
      for (let i = 0; i < size; i++) heap[to + i] = symbolString(keyAt(shape, heap[order + i]!));
      return names;
    },
  },
  attrValues: {
    arity: 1,
    call: (a) => {
      const set = flatSet(attrsArgument(a, "while evaluating the argument passed to builtins.attrValues"));
      const shape = heap[set]! as Address;
      const size = shapeSize(shape);
      if (size === 0) return emptyList;
      const order = orderOf(shape);
      const values = allocateList(size);
      const to = firstElement(values);
      for (let i = 0; i < size; i++) heap[to + i] = heap[set + firstValue + heap[order + i]!]!;
      return values;
    },
  },
  getAttr: {
    arity: 2,
    call: (a, b) => {
      const name = nameArgument(a, "while evaluating the first argument passed to builtins.getAttr");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.getAttr");
      const slot = attribute(attrs, symbolOf(name));
      if (slot === none) {
        throw addFrame(
          new EvaluationError("type-error", `attribute '${stringText(name)}' missing`),
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
      const name = nameArgument(a, "while evaluating the first argument passed to builtins.hasAttr");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.hasAttr");
      const symbol = knownSymbolOf(name);
      return bool(symbol >= 0 && attribute(attrs, symbol) !== none);
    },
  },
  unsafeGetAttrPos: {
    arity: 2,
    call: (a, b) => {
      const name = nameArgument(a, "while evaluating the first argument passed to builtins.unsafeGetAttrPos");
      const attrs = attrsArgument(b, "while evaluating the second argument passed to builtins.unsafeGetAttrPos");
      return positionAttrs(positionOf(attrs, symbolOf(name)));
    },
  },
  removeAttrs: { arity: 2, global: true, call: removeAttrs },
  intersectAttrs: { arity: 2, call: intersectAttrs },
  listToAttrs: { arity: 1, call: listToAttrs },
  zipAttrsWith: { arity: 2, call: zipAttrsWith },
  mapAttrs: {
    arity: 2,
    call: (a, b) => mapSet(attrsArgument(b, "while evaluating the second argument passed to builtins.mapAttrs"), a),
  },
  catAttrs: {
    arity: 2,
    call: (a, b) => {
      const symbol = symbolOf(nameArgument(a, "while evaluating the first argument passed to builtins.catAttrs"));
      const list = listArgument(b, "while evaluating the second argument passed to builtins.catAttrs");
      const text = "while evaluating an element in the list passed as second argument to builtins.catAttrs";
      const found: Slot[] = [];
      for (let i = 0; i < listLength(list); i++) {
        const slot = attribute(attrsArgument(elementAt(list, i), text), symbol);
        if (slot !== none) found.push(slot);
      }
      return makeList(found);
    },
  },
};
