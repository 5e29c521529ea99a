/** The builtins on lists. */
import { call, call2, countStep, delayCall1, equalSlots, force, less, positionOfValue } from "../code/interpret.ts";
import { builtinOf } from "../heap/function.ts";
import { allocateList, copyElements, elementAt, elementsOf, firstElement, listLength, makeList } from "../heap/list.ts";
import { bool, falseValue, heap, isBuiltin, isString, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { integerOf, isInteger, isSmallInteger, makeInteger } from "../heap/number.ts";
import { makeSet, setOf } from "../heap/set.ts";
import { stringText } from "../heap/string.ts";
import { symbolOf } from "../heap/symbol.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { showValue } from "../value/print.ts";
import {
  attrsArgument,
  type BuiltinTable,
  boolArgument,
  fail,
  functionArgument,
  intArgument,
  listArgument,
  nameArgument,
  requiredAttr,
} from "./arguments.ts";

const badLength = (length: bigint | number) => fail(`cannot create list of size ${length}`);

function anyOrAll(name: "any" | "all", wanted: boolean) {
  return {
    arity: 2,
    call: (a: Slot, b: Slot): Value => {
      const f = functionArgument(a, `while evaluating the first argument passed to builtins.${name}`);
      const list = listArgument(b, `while evaluating the second argument passed to builtins.${name}`);
      const text = `while evaluating the return value of the function passed to builtins.${name}`;
      const length = listLength(list);
      for (let i = 0; i < length; i++) {
        if (boolArgument(call(f, elementAt(list, i), 0), text) === wanted) return bool(wanted);
      }
      return bool(!wanted);
    },
  };
}

function partition(a: Slot, b: Slot): Value {
  const f = functionArgument(a, "while evaluating the first argument passed to builtins.partition");
  const list = listArgument(b, "while evaluating the second argument passed to builtins.partition");
  const right: Slot[] = [];
  const wrong: Slot[] = [];
  const text = "while evaluating the return value of the partition function passed to builtins.partition";
  for (let i = 0; i < listLength(list); i++) {
    const item = elementAt(list, i);
    force(item);
    (boolArgument(call(f, item, 0), text) ? right : wrong).push(item);
  }
  return setOf({ right: makeList(right), wrong: makeList(wrong) });
}

function groupBy(a: Slot, b: Slot): Value {
  const f = functionArgument(a, "while evaluating the first argument passed to builtins.groupBy");
  const list = listArgument(b, "while evaluating the second argument passed to builtins.groupBy");
  const groups = new Map<number, Slot[]>();
  const text = "while evaluating the return value of the grouping function passed to builtins.groupBy";
  for (let i = 0; i < listLength(list); i++) {
    const item = elementAt(list, i);
    const symbol = symbolOf(nameArgument(call(f, item, 0), text));
    const group = groups.get(symbol);
    if (group === undefined) groups.set(symbol, [item]);
    else group.push(item);
  }
  return makeSet([...groups.keys()], [...groups.values()].map(makeList), null);
}

/** Sorts stably by merging; unlike the engine's sort, it only calls "is b before a?", as the reference does. */
function mergeSort(list: Slot[], before: (a: Slot, b: Slot) => boolean): Slot[] {
  const n = list.length;
  if (n < 2) return list;
  let from = list.slice();
  let to = new Array<Slot>(n);
  const run = 8;
  for (let start = 0; start < n; start += run) {
    const end = Math.min(start + run, n);
    for (let i = start + 1; i < end; i++) {
      const item = from[i]!;
      let j = i;
      while (j > start && before(item, from[j - 1]!)) {
        from[j] = from[j - 1]!;
        j--;
      }
      from[j] = item;
    }
  }
  for (let width = run; width < n; width *= 2) {
    for (let low = 0; low < n; low += 2 * width) {
      const middle = Math.min(low + width, n);
      const high = Math.min(low + 2 * width, n);
      let i = low;
      let j = middle;
      for (let k = low; k < high; k++) {
        if (i < middle && (j >= high || !before(from[j]!, from[i]!))) to[k] = from[i++]!;
        else to[k] = from[j++]!;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

function forcedElements(list: Value): Int32Array<ArrayBuffer> {
  const length = listLength(list);
  const from = firstElement(list);
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) values[i] = force(heap[from + i]! as Slot);
  return values;
}

function sort(a: Slot, b: Slot): Value {
  const list = listArgument(b, "while evaluating the second argument passed to builtins.sort");
  if (listLength(list) === 0) return list;
  const f = functionArgument(a, "while evaluating the first argument passed to builtins.sort");
  const values = forcedElements(list);
  if (isBuiltin(f) && builtinOf(f).name === "lessThan") {
    // Small integers are ordered as their values are, and equal ones are one value.
    if (values.every((value) => isSmallInteger(value as Slot))) {
      values.sort();
      const sorted = allocateList(values.length);
      heap.set(values, firstElement(sorted));
      return sorted;
    }
    return makeList(
      mergeSort(elementsOf(list), (x, y) =>
        less(force(x), force(y), "while evaluating the ordering function passed to builtins.sort"),
      ),
    );
  }
  const items = elementsOf(list);
  const text = "while evaluating the return value of the sorting function passed to builtins.sort";
  return makeList(mergeSort(items, (x, y) => boolArgument(call2(f, x, y, 0), text)));
}

// ---- genericClosure

/** Returns a key that compares by value, for the common kinds; undefined when only `<` can compare. */
function hashableKey(key: Value): string | undefined {
  if (isString(key)) return `s${stringText(key)}`;
  if (isInteger(key)) return `i${integerOf(key)}`;
  return undefined;
}

class ClosureKeys {
  private kind: string | undefined;
  private readonly hashed = new Set<string>();
  /** The elements of the hashed keys; with another kind of key they become ordered. */
  private added: { key: Value; element: Value }[] = [];
  private readonly ordered: { key: Value; element: Value }[] = [];
  private first: { key: Value; element: Value } | undefined;

  /** Adds an element; returns true when the key is new. */
  add(key: Value, element: Value): boolean {
    const hashable = hashableKey(key);
    const kind = hashable?.[0] ?? "";
    if (this.first === undefined) {
      this.first = { key, element };
      this.kind = kind;
    }
    if (this.kind !== "" && kind === this.kind) {
      if (this.hashed.has(hashable!)) return false;
      this.hashed.add(hashable!);
      this.added.push({ key, element });
      return true;
    }
    if (this.kind !== "") {
      less(key, this.first.key);
      this.kind = "";
      for (const one of this.added) this.insert(one.key, one.element);
      this.added = [];
    }
    return this.insert(key, element);
  }

  private insert(key: Value, element: Value): boolean {
    let low = 0;
    let high = this.ordered.length;
    if (high === 0) this.compare(key, { key, element }, element);
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.ordered[middle]!;
      if (this.compare(key, other, element)) high = middle;
      else if (this.compare(other.key, { key, element }, other.element)) low = middle + 1;
      else return false;
    }
    this.ordered.splice(low, 0, { key, element });
    return true;
  }

  private compare(key: Value, other: { key: Value; element: Value }, element: Value): boolean {
    if (key === other.key && element === other.element && this.ordered.length === 0) return false;
    try {
      return less(key, other.key);
    } catch (error) {
      const first = addFrame(error, 0, `with element ${showValue(other.element)}`);
      throw addFrame(first, 0, `while comparing element ${showValue(element)}`);
    }
  }

  firstElement(): Value | undefined {
    return this.first?.element;
  }
}

function closureElement(slot: Slot): { element: Value; key: Value } {
  let element: Value;
  let keySlot: Slot;
  try {
    element = attrsArgument(slot, "");
    keySlot = requiredAttr(element, "key", "");
  } catch (error) {
    throw addFrame(error, 0, `in genericClosure element ${showValue(slot)}`);
  }
  return { element, key: force(keySlot) };
}

function genericClosure(a: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the first argument passed to builtins.genericClosure");
  const inAttrs = "in the attrset passed as argument to builtins.genericClosure";
  const start = listArgument(
    requiredAttr(attrs, "startSet", inAttrs),
    "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure",
  );
  if (listLength(start) === 0) return start;
  const operator = functionArgument(
    requiredAttr(attrs, "operator", inAttrs),
    "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure",
  );
  const work = elementsOf(start);
  const keys = new ClosureKeys();
  const result: Slot[] = [];
  for (let i = 0; i < work.length; i++) {
    const { element, key } = closureElement(work[i]!);
    let fresh: boolean;
    try {
      fresh = keys.add(key, element);
    } catch (error) {
      if (error instanceof EvaluationError && error.frame?.text.startsWith("while comparing element") === true) {
        throw error;
      }
      const other = keys.firstElement();
      if (other === undefined || other === element) {
        throw addFrame(error, 0, `while checking key of element ${showValue(element)}`);
      }
      const first = addFrame(error, 0, `with element ${showValue(other)}`);
      throw addFrame(first, 0, `while comparing element ${showValue(element)}`);
    }
    if (!fresh) continue;
    result.push(element);
    try {
      const more = listArgument(
        call(operator, element, 0),
        "while evaluating the return value of the `operator` passed to builtins.genericClosure",
      );
      for (let j = 0; j < listLength(more); j++) {
        force(elementAt(more, j));
        work.push(elementAt(more, j));
      }
    } catch (error) {
      throw addFrame(error, 0, `while calling operator on genericClosure element ${showValue(element)}`);
    }
  }
  return makeList(result);
}

/** Returns the elements of lists, one list after the other. */
function joinAllLists(lists: readonly Value[]): Value {
  let length = 0;
  for (let i = 0; i < lists.length; i++) length += listLength(lists[i]!);
  const result = allocateList(length);
  let at = firstElement(result);
  for (let i = 0; i < lists.length; i++) at = copyElements(lists[i]!, at);
  return result;
}

export const listBuiltins: BuiltinTable = {
  map: {
    arity: 2,
    global: true,
    call: (a, b) => {
      const list = listArgument(b, "while evaluating the second argument passed to builtins.map");
      const length = listLength(list);
      if (length === 0) return list;
      const f = functionArgument(a, "while evaluating the first argument passed to builtins.map");
      const result = allocateList(length);
      const from = firstElement(list);
      const to = firstElement(result);
      for (let i = 0; i < length; i++) heap[to + i] = delayCall1(f, heap[from + i]! as Slot);
      return result;
    },
  },
  filter: {
    arity: 2,
    call: (a, b) => {
      const list = listArgument(b, "while evaluating the second argument passed to builtins.filter");
      const length = listLength(list);
      if (length === 0) return list;
      const f = functionArgument(a, "while evaluating the first argument passed to builtins.filter");
      const text = "while evaluating the return value of the filtering function passed to builtins.filter";
      const kept: Slot[] = [];
      for (let i = 0; i < length; i++) {
        const item = elementAt(list, i);
        if (boolArgument(call(f, item, 0), text)) kept.push(item);
      }
      return kept.length === length ? list : makeList(kept);
    },
  },
  "foldl'": {
    arity: 3,
    call: (a, b, c) => {
      const f = functionArgument(a, "while evaluating the first argument passed to builtins.foldlStrict");
      const list = listArgument(c, "while evaluating the third argument passed to builtins.foldlStrict");
      const length = listLength(list);
      if (length === 0) return force(b);
      let result: Slot = b;
      for (let i = 0; i < length; i++) result = call2(f, result, elementAt(list, i), 0);
      return force(result);
    },
  },
  genList: {
    arity: 2,
    call: (a, b) => {
      const length = intArgument(b, "while evaluating the second argument passed to builtins.genList");
      if (length < 0) throw badLength(length);
      const f = functionArgument(a, "while evaluating the first argument passed to builtins.genList");
      if (length > 4294967295) throw badLength(length);
      const result = allocateList(Number(length));
      const to = firstElement(result);
      for (let i = 0; i < length; i++) {
        countStep();
        heap[to + i] = delayCall1(f, makeInteger(i));
      }
      return result;
    },
  },
  length: {
    arity: 1,
    call: (a) =>
      makeInteger(listLength(listArgument(a, "while evaluating the first argument passed to builtins.length"))),
  },
  head: {
    arity: 1,
    call: (a) => {
      const list = listArgument(a, "while evaluating the first argument passed to 'builtins.head'");
      if (listLength(list) === 0) throw fail("'builtins.head' called on an empty list");
      return force(elementAt(list, 0));
    },
  },
  tail: {
    arity: 1,
    call: (a) => {
      const list = listArgument(a, "while evaluating the first argument passed to 'builtins.tail'");
      const length = listLength(list);
      if (length === 0) throw fail("'builtins.tail' called on an empty list");
      const rest = allocateList(length - 1);
      const from = firstElement(list) + 1;
      const to = firstElement(rest);
      for (let i = 0; i < length - 1; i++) heap[to + i] = heap[from + i]!;
      return rest;
    },
  },
  elemAt: {
    arity: 2,
    call: (a, b) => {
      const index = intArgument(b, "while evaluating the second argument passed to 'builtins.elemAt'");
      const list = listArgument(a, "while evaluating the first argument passed to 'builtins.elemAt'");
      if (index < 0 || index >= listLength(list)) {
        throw fail(`'builtins.elemAt' called with index ${index} on a list of size ${listLength(list)}`);
      }
      return force(elementAt(list, Number(index)));
    },
  },
  elem: {
    arity: 2,
    call: (a, b) => {
      const list = listArgument(b, "while evaluating the second argument passed to builtins.elem");
      const length = listLength(list);
      for (let i = 0; i < length; i++) if (equalSlots(a, elementAt(list, i), 0)) return trueValue;
      return falseValue;
    },
  },
  concatLists: {
    arity: 1,
    call: (a) => {
      const lists = listArgument(a, "while evaluating the first argument passed to builtins.concatLists");
      const text = "while evaluating a value of the list passed to builtins.concatLists";
      const parts: Value[] = [];
      for (let i = 0; i < listLength(lists); i++) parts.push(listArgument(elementAt(lists, i), text));
      return joinAllLists(parts);
    },
  },
  concatMap: {
    arity: 2,
    call: (a, b) => {
      const f = functionArgument(a, "while evaluating the first argument passed to builtins.concatMap");
      const list = listArgument(b, "while evaluating the second argument passed to builtins.concatMap");
      const text = "while evaluating the return value of the function passed to builtins.concatMap";
      const parts: Value[] = [];
      for (let i = 0; i < listLength(list); i++) {
        const part = call(f, elementAt(list, i), 0);
        parts.push(listArgument(part, text, positionOfValue(part) || positionOfValue(f)));
      }
      return joinAllLists(parts);
    },
  },
  any: anyOrAll("any", true),
  all: anyOrAll("all", false),
  sort: { arity: 2, call: sort },
  partition: { arity: 2, call: partition },
  groupBy: { arity: 2, call: groupBy },
  genericClosure: { arity: 1, call: genericClosure },
};
