/**
 * Checked accesses for people who work on the evaluator: each read and write of a cell is compared with what is in use. Several hundred times slower. A program
 * asks for it before it loads the language, by `globalThis[Symbol.for("firn.checkedHeap")] = true`.
 */

/** An access to a cell that is not in use, or of a number that no cell holds: a fault of the evaluator. */
export class HeapFault extends Error {}

/** Tells whether this process asks for checked accesses. */
export function isHeapChecked(): boolean {
  return Reflect.get(globalThis, Symbol.for("firn.checkedHeap")) === true;
}

type Cells = Int32Array | Uint8Array | Float64Array;

/** Methods whose arguments are a start and an end, by the position of the start. */
const startOfRange: Readonly<Record<string, number>> = { subarray: 0, fill: 1, copyWithin: 1 };

/**
 * Returns a view of an array that throws `HeapFault` for each element that is not in use, and for numbers that do not fit it. `inUse` tells whether all elements
 * from a start to an end are.
 */
export function checkedView<T extends Cells>(array: T, inUse: (start: number, end: number) => boolean): T {
  const check = (start: number, end: number): void => {
    if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && (start >= end || inUse(start, end)))) {
      throw new HeapFault(`the cells from ${start} to ${end} are not in use`);
    }
  };
  const checkOne = (index: string): void => check(Number(index), Number(index) + 1);
  const methods = new Map<string, unknown>();
  const checkedMethod = (name: string, method: (...args: unknown[]) => unknown): unknown => {
    const found = methods.get(name);
    if (found !== undefined) return found;
    const made = (...args: unknown[]): unknown => {
      const range = startOfRange[name];
      if (range !== undefined) check(Number(args[range]), Number(args[range + 1]));
      if (name === "copyWithin") check(Number(args[0]), Number(args[0]) + Number(args[2]) - Number(args[1]));
      if (name === "set") check(Number(args[1]), Number(args[1]) + (args[0] as ArrayLike<number>).length);
      return method.apply(array, args);
    };
    methods.set(name, made);
    return made;
  };
  return new Proxy(array, {
    get(_, name) {
      if (typeof name === "string" && isIndex(name)) {
        checkOne(name);
        return array[Number(name)];
      }
      const found: unknown = Reflect.get(array, name, array);
      return typeof found === "function"
        ? checkedMethod(String(name), found as (...args: unknown[]) => unknown)
        : found;
    },
    set(_, name, value: unknown) {
      checkOne(String(name));
      if (!(array instanceof Float64Array) && !isCell(value)) throw new HeapFault(`${String(value)} is no cell`);
      return Reflect.set(array, name, value, array);
    },
  });
}

/** Tells whether the name of a property stands for an element: names of members begin with a small letter. */
function isIndex(name: string): boolean {
  return !/^[a-z]/.test(name) || name === "undefined";
}

function isCell(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32;
}
