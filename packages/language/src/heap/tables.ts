/**
 * The holders of values outside of the heap: each table of the process tells the collector here what it holds, and hears which objects are
 * left. Objects that come and go, such as sessions, are known as long as something else holds them.
 */
import type { Address, Slot } from "./memory.ts";

/** The collector as tables see it. */
export interface Marker {
  /** Keeps a value and what it refers to. */
  slot(slot: Slot): void;
  shape(shape: Address): void;
  places(places: number): void;
  /** Keeps an environment of some slots that no other refers to. */
  environment(env: Address, slots: number): void;
}

/** The objects that were kept. */
export interface Kept {
  /** Tells whether an object of the heap was kept; `at` is the address of its first cell. */
  has(at: number): boolean;
  readonly natives: ReadonlySet<number>;
  readonly failures: ReadonlySet<number>;
}

/** The destination of what an image has of a table: numbers and byte strings, each under a name of its own. */
export interface ImageWriter {
  cells(name: string, cells: ArrayLike<number>): void;
  texts(name: string, texts: readonly string[]): void;
}

/** The source of what an image has of a table. */
export interface ImageReader {
  cells(name: string): Int32Array<ArrayBuffer>;
  texts(name: string): string[];
}

/** A state of the process that no image can hold, or an image that does not fit the process. */
export class ImageMismatch extends Error {}

/** A table that holds values or addresses of the heap, or what they refer to. */
export interface Table {
  /** Marks all values that have to stay. */
  mark?(marker: Marker): void;
  /** Forgets what was not kept; memos may be forgotten whole. */
  sweep?(kept: Kept): void;
  /** Writes the table after a collection. Makes no values. Throws `ImageMismatch` for what an image cannot hold. */
  save?(to: ImageWriter): void;
  /** Replaces the table by that of an image, before anything was evaluated. Throws `ImageMismatch` where that is not possible. */
  load?(from: ImageReader): void;
}

export const tables: Table[] = [];

/** Adds a table of the process. */
export function addTable(table: Table): void {
  tables.push(table);
}

let unknownHolders = false;

/** Ends all collecting in this process: values are held by what the collector cannot ask. */
export function holdEverything(): void {
  unknownHolders = true;
}

export function isEverythingHeld(): boolean {
  return unknownHolders;
}

interface Holder {
  readonly mark: (marker: Marker) => boolean;
}

let holders: Holder[] = [];

/** Lets an object keep values for as long as it is there. */
export function addHolder<T extends object>(owner: T, mark: (owner: T, marker: Marker) => void): void {
  const reference = new WeakRef(owner);
  holders.push({
    mark(marker) {
      const found = reference.deref();
      if (found !== undefined) mark(found, marker);
      return found !== undefined;
    },
  });
}

addTable({
  mark(marker) {
    holders = holders.filter((holder) => holder.mark(marker));
  },
});
