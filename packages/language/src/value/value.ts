/**
 * The values. Small classes with fixed fields: the evaluator makes millions of them. Strings are byte strings; integers
 * are JavaScript numbers while safe and BigInt beyond; lists are arrays of slots; a slot may still be a thunk.
 */
import { intern, ints, symbolNames } from "../code/memory.ts";
import type { Context } from "./context.ts";
import { DefinedAt, Overlaid, type Places, placeOf } from "./places.ts";
import { emptyShape, makeShape, type Shape, type UpdatePlan } from "./shape.ts";

/** A forced value. */
export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | Float
  | Path
  | ContextString
  | List
  | Attrs
  | Lambda
  | PartialLambda
  | Builtin
  | PartialBuiltin;

/** A value or a thunk. */
export type Slot = Value | Thunk;

/** A list of slots. */
export type List = Slot[];

/** `code` of a thunk that has its value. */
export const done = -1;
/** `code` of a thunk that is being evaluated. */
export const blackHole = -2;

/** `code` of a thunk whose evaluation threw; its value is the Failure. */
export const failed = -3;

/** A delayed value: code offset and environment, later `done` and the value. */
export class Thunk {
  code: number;
  value: unknown;
  constructor(code: number, value: unknown) {
    this.code = code;
    this.value = value;
  }
}

/** A floating-point number, apart from integers, which are JavaScript numbers. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** An absolute, canonical path (it may end in "/" while it is part of an interpolation). */
export class Path {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** A string with a context. */
export class ContextString {
  readonly text: string;
  readonly context: Context;
  constructor(text: string, context: Context) {
    this.text = text;
    this.context = context;
  }
}

/** A function of the language: the code of its node and its environment. */
export class Lambda {
  readonly node: number;
  readonly env: Env;
  /** True for a value made at once where the reference delays it, and not called or used since: it is shown as delayed. */
  fresh: boolean;
  constructor(node: number, env: Env, fresh: boolean) {
    this.node = node;
    this.env = env;
    this.fresh = fresh;
  }
}

/** A function of several curried arguments with only some of them applied. */
export class PartialLambda {
  readonly lambda: Lambda;
  readonly args: readonly Slot[];
  constructor(lambda: Lambda, args: readonly Slot[]) {
    this.lambda = lambda;
    this.args = args;
  }
}

export type BuiltinFunction = (a: Slot, b: Slot, c: Slot) => Value;

/** A builtin function. */
export class Builtin {
  readonly name: string;
  readonly arity: number;
  readonly call: BuiltinFunction;
  /** True when errors get a "while calling the … builtin" frame. */
  readonly traced: boolean;
  constructor(name: string, arity: number, call: BuiltinFunction, traced = true) {
    this.name = name;
    this.arity = arity;
    this.call = call;
    this.traced = traced;
  }
}

export class PartialBuiltin {
  readonly builtin: Builtin;
  readonly args: readonly Slot[];
  constructor(builtin: Builtin, args: readonly Slot[]) {
    this.builtin = builtin;
    this.args = args;
  }
}

// ---- environments

/** Environments by size; `up` is the enclosing one. */
export type Env = E1 | E2 | E4 | EN | null;

export class E1 {
  readonly up: Env;
  a: Slot;
  constructor(up: Env, a: Slot) {
    this.up = up;
    this.a = a;
  }
}

export class E2 {
  readonly up: Env;
  a: Slot;
  b: Slot;
  constructor(up: Env, a: Slot, b: Slot) {
    this.up = up;
    this.a = a;
    this.b = b;
  }
}

export class E4 {
  readonly up: Env;
  a: Slot;
  b: Slot;
  c: Slot;
  d: Slot;
  constructor(up: Env, a: Slot, b: Slot, c: Slot, d: Slot) {
    this.up = up;
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }
}

export class EN {
  readonly up: Env;
  readonly slots: Slot[];
  constructor(up: Env, slots: Slot[]) {
    this.up = up;
    this.slots = slots;
  }
}

// ---- attribute sets

/** `top` laid over `base`: an update of a large set that did not copy it. */
export class Layer {
  readonly top: Attrs;
  readonly base: Attrs;
  readonly depth: number;
  constructor(top: Attrs, base: Attrs, depth: number) {
    this.top = top;
    this.base = base;
    this.depth = depth;
  }
}

/** The values of `base`, each mapped at its first use. */
export class Mapping {
  readonly base: Attrs;
  private readonly map: (name: string, slot: Slot) => Slot;
  /** Values mapped already, by index; by symbol if the base was not flat at the beginning. */
  private readonly values: (Slot | undefined)[];
  private readonly found: Map<number, Slot> | null;

  constructor(base: Attrs, map: (name: string, slot: Slot) => Slot) {
    this.base = base;
    this.map = map;
    this.values = new Array(base.shape === null ? 0 : base.shape.size);
    this.found = base.shape === null ? new Map() : null;
  }

  get(symbol: number): Slot | undefined {
    const { values, found } = this;
    if (found !== null) {
      const known = found.get(symbol);
      if (known !== undefined) return known;
      const slot = this.base.get(symbol);
      if (slot === undefined) return undefined;
      const mapped = this.map(symbolNames[symbol]!, slot);
      found.set(symbol, mapped);
      return mapped;
    }
    const i = this.base.shape!.find(symbol);
    if (i < 0) return undefined;
    const known = values[i];
    if (known !== undefined) return known;
    const mapped = this.map(symbolNames[symbol]!, this.base.at(i));
    values[i] = mapped;
    return mapped;
  }

  /** Returns all values, in the order of the base's shape; the mapping must not be used afterwards. */
  all(): Slot[] {
    const { keys } = shapeOf(this.base);
    const slots = this.base;
    const all = this.found === null ? this.values : new Array<Slot | undefined>(keys.length);
    for (let i = 0; i < keys.length; i++) {
      if (all[i] !== undefined) continue;
      const symbol = keys[i]!;
      const known = this.found?.get(symbol);
      all[i] = known === undefined ? this.map(symbolNames[symbol]!, slots[i]!) : known;
    }
    return all as Slot[];
  }
}

/**
 * Size from which arrays are grown instead of made: creating an array this large makes V8 create every array of its class by
 * a slow call from then on.
 */
const largeArray = 16000;

/** Arrays under a type with only the members that sets use, since sets are no lists. */
const Slots = Array as unknown as new (size: number) => { length: number; [index: number]: Slot };

/**
 * An attribute set: either a shape with its values in the shape's order, or (shape null) a layer or mapping that `flatten`
 * turns into that. The values are the elements of the set itself, which saves one object for each set, and one step for each
 * value.
 */
export class Attrs extends Slots {
  shape: Shape | null;
  /** For a set with a shape: the positions of its attributes' definitions, if known. */
  origin: Places | Layer | Mapping | null;
  /** For a literal with members that are `undefined` until `at` makes them, because many are never used: their environment. */
  unmade: Env | undefined;

  /** Reserves `size` values, which the caller fills in. */
  constructor(shape: Shape | null, size: number, origin: Places | Layer | Mapping | null) {
    super(size === 0 || size >= largeArray ? 1 : size);
    // An object at once: the engine then knows all sets as arrays of one kind.
    this[0] = null;
    if (size >= largeArray) this.length = size;
    this.shape = shape;
    this.origin = origin;
    this.unmade = undefined;
  }

  /** Returns the value at an index of the shape. */
  at(index: number): Slot {
    const slot = this[index];
    return slot === undefined ? this.make(index) : slot;
  }

  /** Makes the value at an index that has none yet. */
  make(index: number): Thunk {
    const literal = this.origin as DefinedAt;
    const thunk = new Thunk(ints[literal.nodes + index]!, this.unmade);
    this[index] = thunk;
    return thunk;
  }

  get(symbol: number): Slot | undefined {
    let attrs: Attrs = this;
    for (;;) {
      const shape = attrs.shape;
      if (shape !== null) {
        const i = shape.find(symbol);
        return i < 0 ? undefined : attrs.at(i);
      }
      const layer = attrs.origin as Layer | Mapping;
      if (layer instanceof Mapping) return layer.get(symbol);
      const slot = layer.top.get(symbol);
      if (slot !== undefined) return slot;
      attrs = layer.base;
    }
  }

  /** Returns the position of the definition of an attribute; 0 when unknown or absent. */
  positionOf(symbol: number): number {
    let attrs: Attrs = this;
    for (;;) {
      if (attrs.shape !== null) return placeOf(attrs.origin as Places | null, symbol);
      const layer = attrs.origin as Layer | Mapping;
      if (layer instanceof Mapping) return 0;
      if (layer.top.get(symbol) !== undefined) return layer.top.positionOf(symbol);
      attrs = layer.base;
    }
  }
}

// `instanceof` walks the chain of prototypes: where the answer is no, it ends one step sooner.
for (const type of [Thunk, Attrs, Lambda, PartialLambda, Builtin, PartialBuiltin, ContextString, Path, Float]) {
  Object.setPrototypeOf(type.prototype, null);
}

/** Returns the positions of the attributes of a set that has a shape. */
export function placesOf(attrs: Attrs): Places | null {
  return attrs.shape === null ? null : (attrs.origin as Places | null);
}

export const emptyAttrs: Attrs = new Attrs(emptyShape, 0, null);
export const emptyList: List = [];

/** Returns the shape of a set, whose elements then are its values. Flattens it first if it is layered. */
export function shapeOf(attrs: Attrs): Shape {
  makeAll(attrs);
  return attrs.shape ?? flatten(attrs);
}

function makeAll(attrs: Attrs): void {
  if (attrs.unmade === undefined) return;
  const { size } = attrs.shape!;
  for (let i = 0; i < size; i++) if (attrs[i] === undefined) attrs.make(i);
  attrs.unmade = undefined;
}

/** Returns the shape as `shapeOf` does, for callers that read values by `at`: missing values are made only then. */
export function flatShape(attrs: Attrs): Shape {
  return attrs.shape ?? flatten(attrs);
}

/** Returns the shape of a set for its names alone; values that are yet to be mapped stay so. */
export function namesOf(attrs: Attrs): Shape {
  const layer = attrs.origin;
  return layer instanceof Mapping ? namesOf(layer.base) : flatShape(attrs);
}

/** Returns `attrs` with every value mapped by `map`; in large sets each value is mapped at its first use. */
export function mapValues(attrs: Attrs, map: (name: string, slot: Slot) => Slot): Attrs {
  const shape = attrs.shape;
  if (shape === null || shape.size >= mapLazilyFrom) return new Attrs(null, 0, new Mapping(attrs, map));
  const size = shape.size;
  const mapped = new Attrs(shape, size, null);
  for (let i = 0; i < size; i++) mapped[i] = map(symbolNames[shape.keys[i]!]!, attrs.at(i));
  return mapped;
}

function flatten(attrs: Attrs): Shape {
  if (attrs.origin instanceof Mapping) {
    const mapping = attrs.origin;
    const values = mapping.all();
    const shape = shapeOf(mapping.base);
    become(attrs, { shape, values, origin: null });
    return shape;
  }
  const layers = parts(attrs);
  for (const layer of layers) shapeOf(layer);
  mergeNeighbours(layers);
  const [merged] = layers;
  become(attrs, { shape: merged!.shape, values: merged!, origin: merged!.origin });
  return attrs.shape!;
}

/** Gives a set without a shape the content of another. */
function become(attrs: Attrs, other: Pick<Attrs, "shape" | "origin"> & { readonly values: ArrayLike<Slot> }): void {
  const size = other.shape === null ? 0 : other.shape.size;
  if (size > 0) attrs.length = size;
  for (let i = 0; i < size; i++) attrs[i] = other.values[i]!;
  attrs.shape = other.shape;
  attrs.origin = other.origin;
}

/** Merges adjacent flat layers, the smallest first, so that large ones are copied once. */
function mergeNeighbours(layers: Attrs[]): void {
  for (;;) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 1; i < layers.length; i++) {
      const below = layers[i - 1]!.shape;
      const above = layers[i]!.shape;
      if (below === null || above === null || below.size + above.size >= least) continue;
      least = below.size + above.size;
      best = i;
    }
    if (best < 0) return;
    layers.splice(best - 1, 2, mergeFlat(layers[best - 1]!, layers[best]!));
  }
}

const mapLazilyFrom = 48;
const layerFrom = 256;
const maxLayers = 12;
const maxPlanSize = 400;
const maxPlansPerShape = 64;

function depthOf(attrs: Attrs): number {
  return attrs.origin instanceof Layer ? attrs.origin.depth : 0;
}

/** Returns the flat sets and mappings of a layered set, the lowest first. */
function parts(attrs: Attrs, found: Attrs[] = []): Attrs[] {
  if (attrs.origin instanceof Layer) {
    parts(attrs.origin.base, found);
    parts(attrs.origin.top, found);
  } else found.push(attrs);
  return found;
}

/** Copies adjacent flat layers into one; values that are yet to be mapped stay so. */
function compact(attrs: Attrs): void {
  if (attrs.shape !== null) return;
  const layers = parts(attrs);
  mergeNeighbours(layers);
  let base = layers[0]!;
  // Merged with an empty set it is the other itself.
  makeAll(base);
  for (let i = 1; i < layers.length; i++) base = new Attrs(null, 0, new Layer(layers[i]!, base, i));
  become(attrs, { shape: base.shape, values: base, origin: base.origin });
}

/** Computes `left // right`. Large sets are not copied, and values that are yet to be mapped stay so. */
export function update(left: Attrs, right: Attrs): Attrs {
  if (right.shape?.size === 0) return left;
  if (left.shape?.size === 0) return right;
  if (depthOf(left) + depthOf(right) >= maxLayers) {
    compact(left);
    compact(right);
  }
  const depth = depthOf(left) + depthOf(right) + 1;
  const a = left.shape;
  const b = right.shape;
  const large = a === null || b === null || Math.max(a.size, b.size) >= layerFrom;
  if (large && depth <= maxLayers) return new Attrs(null, 0, new Layer(right, left, depth));
  flatShape(left);
  flatShape(right);
  return mergeFlat(left, right);
}

function mergeFlat(left: Attrs, right: Attrs): Attrs {
  const a = left.shape!;
  const b = right.shape!;
  if (b.size === 0) return left;
  if (a.size === 0) return right;
  if (a.size + b.size >= maxPlanSize) return mergeLarge(left, right);
  let plan: UpdatePlan;
  if (a.lastRight === b) plan = a.lastPlan!;
  else {
    const known = a.plans?.get(b);
    if (known !== undefined) plan = known;
    else {
      plan = makePlan(a, b);
      if (a.lastRight !== null) {
        a.plans ??= new Map();
        if (a.plans.size >= maxPlansPerShape) a.plans.clear();
        a.plans.set(b, plan);
      }
    }
    a.lastRight = b;
    a.lastPlan = plan;
  }
  const source = plan.source;
  const size = source.length;
  const merged = new Attrs(plan.shape, size, overlay(plan, left, right));
  for (let i = 0; i < size; i++) {
    const from = source[i]!;
    merged[i] = from >= 0 ? left.at(from) : right.at(~from);
  }
  return merged;
}

/** Returns the positions of an update; the last result is kept, because the same literals meet repeatedly. */
function overlay(plan: UpdatePlan, left: Attrs, right: Attrs): Places | null {
  const under = left.origin as Places | null;
  const over = right.origin as Places | null;
  if (under === null && over === null) return null;
  if (plan.under === under && plan.over === over) return plan.places as Places;
  plan.under = under;
  plan.over = over;
  const places = new Overlaid(right.shape!, over, under);
  plan.places = places;
  return places;
}

function makePlan(a: Shape, b: Shape): UpdatePlan {
  const keys: number[] = [];
  const source: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.size || j < b.size) {
    if (j >= b.size || (i < a.size && a.keys[i]! < b.keys[j]!)) {
      keys.push(a.keys[i]!);
      source.push(i);
      i++;
    } else {
      if (i < a.size && a.keys[i] === b.keys[j]) i++;
      keys.push(b.keys[j]!);
      source.push(~j);
      j++;
    }
  }
  return { shape: makeShape(keys), source, over: null, under: null, places: null };
}

function mergeLarge(left: Attrs, right: Attrs): Attrs {
  const a = left.shape!;
  const b = right.shape!;
  const aKeys = a.keys;
  const bKeys = b.keys;
  const aSize = a.size;
  const bSize = b.size;
  let size = 0;
  for (let i = 0, j = 0; i < aSize || j < bSize; size++) {
    if (j >= bSize) {
      size += aSize - i;
      break;
    }
    if (i >= aSize) {
      size += bSize - j;
      break;
    }
    const x = aKeys[i]!;
    const y = bKeys[j]!;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  // Of the same names as one side: its shape serves again.
  const shared = size === aSize ? a : size === bSize ? b : null;
  const keys = shared === null ? new Array<number>(size) : null;
  const values = new Attrs(shared, size, null);
  for (let i = 0, j = 0, k = 0; k < size; k++) {
    if (j >= bSize || (i < aSize && aKeys[i]! < bKeys[j]!)) {
      if (keys !== null) keys[k] = aKeys[i]!;
      values[k] = left.at(i);
      i++;
    } else {
      if (i < aSize && aKeys[i] === bKeys[j]) i++;
      if (keys !== null) keys[k] = bKeys[j]!;
      values[k] = right.at(j);
      j++;
    }
  }
  const under = left.origin as Places | null;
  const over = right.origin as Places | null;
  if (under !== null || over !== null) values.origin = new Overlaid(b, over, under);
  values.shape ??= makeShape(keys!);
  return values;
}

/** Makes a set from unsorted symbols without repetition. The arrays are taken over. */
export function makeAttrs(symbols: number[], values: Slot[], positions: number[] | null): Attrs {
  const size = symbols.length;
  if (size === 0) return emptyAttrs;
  if (size <= 24) insertionSort(symbols, values, positions);
  else if (!isSorted(symbols)) return makeLargeAttrs(symbols, values, positions);
  const shape = makeShape(symbols);
  return filled(shape, values, positions === null ? null : new DefinedAt(shape, positions));
}

/** Makes a set with these values. */
export function filled(shape: Shape, values: ArrayLike<Slot>, places: Places | null): Attrs {
  const attrs = new Attrs(shape, shape.size, places);
  for (let i = 0; i < shape.size; i++) attrs[i] = values[i]!;
  return attrs;
}

function isSorted(symbols: readonly number[]): boolean {
  for (let i = 1; i < symbols.length; i++) if (symbols[i - 1]! > symbols[i]!) return false;
  return true;
}

function insertionSort(symbols: number[], values: Slot[], positions: number[] | null): void {
  for (let i = 1; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    if (symbols[i - 1]! < symbol) continue;
    const value = values[i]!;
    const position = positions === null ? 0 : positions[i]!;
    let j = i - 1;
    for (; j >= 0 && symbols[j]! > symbol; j--) {
      symbols[j + 1] = symbols[j]!;
      values[j + 1] = values[j]!;
      if (positions !== null) positions[j + 1] = positions[j]!;
    }
    symbols[j + 1] = symbol;
    values[j + 1] = value;
    if (positions !== null) positions[j + 1] = position;
  }
}

function makeLargeAttrs(symbols: readonly number[], values: readonly Slot[], positions: number[] | null): Attrs {
  const size = symbols.length;
  const order = new Float64Array(size);
  for (let i = 0; i < size; i++) order[i] = symbols[i]! * 67108864 + i;
  order.sort();
  const keys = new Array<number>(size);
  const sortedValues = new Array<Slot>(size);
  const sortedPositions = positions === null ? null : new Array<number>(size);
  for (let i = 0; i < size; i++) {
    const key = Math.floor(order[i]! / 67108864);
    const from = order[i]! - key * 67108864;
    keys[i] = key;
    sortedValues[i] = values[from]!;
    if (sortedPositions !== null) sortedPositions[i] = positions![from]!;
  }
  const shape = makeShape(keys);
  return filled(shape, sortedValues, sortedPositions === null ? null : new DefinedAt(shape, sortedPositions));
}

/** Makes a set from names and slots. */
export function setOf(members: Readonly<Record<string, Slot>>): Attrs {
  const names = Object.keys(members);
  return makeAttrs(
    names.map(intern),
    names.map((name) => members[name]!),
    null,
  );
}

/** Returns names and slots of a set, in byte order of the names. */
export function membersOf(attrs: Attrs): [string, Slot][] {
  const shape = shapeOf(attrs);
  return shape.order().map((index) => [symbolNames[shape.keys[index]!]!, attrs[index]!]);
}

/** Returns the words for a value's type in messages ("a string", "the built-in function 'map'"). */
export function showType(value: Value): string {
  switch (typeof value) {
    case "string":
      return "a string";
    case "number":
    case "bigint":
      return "an integer";
    case "boolean":
      return "a Boolean";
    default:
  }
  if (value === null) return "null";
  if (value instanceof ContextString) return "a string with context";
  if (value instanceof Float) return "a float";
  if (value instanceof Path) return "a path";
  if (value instanceof Attrs) return "a set";
  if (isList(value)) return "a list";
  if (value instanceof Builtin) return `the built-in function '${value.name}'`;
  if (value instanceof PartialBuiltin) return `the partially applied built-in function '${value.builtin.name}'`;
  return "a function";
}

/** Tells whether a value is a list; `Array.isArray` is true for attribute sets too. */
export function isList(value: unknown): value is List {
  return Array.isArray(value) && !(value instanceof Attrs);
}

export function isFunctionValue(value: Value): value is Lambda | PartialLambda | Builtin | PartialBuiltin {
  return (
    value instanceof Lambda ||
    value instanceof PartialLambda ||
    value instanceof Builtin ||
    value instanceof PartialBuiltin
  );
}

/** Returns the value of a slot if it is known already. */
export function peekSlot(slot: Slot): Value | undefined {
  if (!(slot instanceof Thunk)) return slot;
  return slot.code === done ? (slot.value as Value) : undefined;
}
