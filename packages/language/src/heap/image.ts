/**
 * Images: a heap with all tables that belong to it, as bytes. The heap is written as it lies, because values do not move; it is read into a
 * process in which nothing was evaluated yet. All numbers are integers of 32 bits in the byte order of the machine:
 *
 *   magic, identity of the start (2), number of sections, length of the sections' names in cells, size and end of the heap,
 *   number of ranges in use; names; kind and length in cells of each section, sections; ranges in use (start, end), their cells
 *
 * Texts are a section of their ends and one of their bytes.
 */
import { firstCell, fits, type HeapLayout, heap, heapBytes, heapLayout, takeLayout, usedEnd } from "./memory.ts";
import { ImageMismatch, type ImageReader, type ImageWriter, tables } from "./tables.ts";

const magic = 0x4d495246;
const headCells = 8;
/** Free ranges of fewer cells are written like the values around them. */
const smallestGap = 2048;

/** The bytes of an image, from the first to the last. */
export interface ImageSource {
  /** Fills an array with the next bytes; throws when there are fewer. */
  read(into: Uint8Array): void;
}

/** The state of a heap before anything was evaluated: two numbers that are others for another heap. */
export type StartIdentity = readonly [number, number];

/** Returns the identity of the heap as it is, to be taken once an evaluator was made and has evaluated nothing. */
export function startIdentity(): StartIdentity {
  let a = 1;
  let b = usedEnd();
  for (let i = firstCell; i < usedEnd(); i++) {
    a = Math.imul(a ^ heap[i]!, 0x9e3779b1);
    a ^= a >>> 15;
    b = (Math.imul(b, 31) + heap[i]!) | 0;
  }
  return [a, b];
}

const bytesOf = (cells: Int32Array): Uint8Array => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);

class Writer implements ImageWriter {
  readonly names: string[] = [];
  readonly sections: Int32Array[] = [];

  cells(name: string, cells: ArrayLike<number>): void {
    this.names.push(name);
    this.sections.push(Int32Array.from(cells));
  }

  texts(name: string, texts: readonly string[]): void {
    const ends = new Int32Array(texts.length);
    let length = 0;
    for (let i = 0; i < texts.length; i++) ends[i] = length += texts[i]!.length;
    const bytes = new Uint8Array((length + 3) & ~3);
    let at = 0;
    for (const text of texts) for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.cells(`${name}: ends`, ends);
    this.names.push(`${name}: bytes`);
    this.sections.push(new Int32Array(bytes.buffer));
  }
}

class Reader implements ImageReader {
  private readonly sections: ReadonlyMap<string, Int32Array<ArrayBuffer>>;
  private readonly decode: (bytes: Uint8Array) => string;

  constructor(sections: ReadonlyMap<string, Int32Array<ArrayBuffer>>, decode: (bytes: Uint8Array) => string) {
    this.sections = sections;
    this.decode = decode;
  }

  cells(name: string): Int32Array<ArrayBuffer> {
    const found = this.sections.get(name);
    if (found === undefined) throw new ImageMismatch(`the image has no section '${name}'`);
    return found;
  }

  texts(name: string): string[] {
    const all = this.decode(bytesOf(this.cells(`${name}: bytes`)));
    let start = 0;
    return Array.from(this.cells(`${name}: ends`), (end) => all.slice(start, (start = end)));
  }
}

/** Returns the ranges between the free ones, as starts and ends. */
function usedRanges({ free, end }: HeapLayout): number[] {
  const used: number[] = [];
  let start = firstCell;
  for (const range of free) {
    used.push(start, range.start);
    start = range.end;
  }
  used.push(start, end);
  return used;
}

/**
 * Returns the heap and its tables, in pieces to be written one after the other. Nothing may be evaluating, and unused values are to be freed before.
 * Throws `ImageMismatch` when there is something that an image cannot hold.
 */
export function saveImage(start: StartIdentity): Uint8Array[] {
  const { free, end, size } = heapLayout();
  const kept = free.filter((range) => range.end - range.start >= smallestGap);
  const layout = { free: kept, end, size: size + cellsIn(free) - cellsIn(kept) };
  const writer = new Writer();
  for (const table of tables) table.save?.(writer);
  const names = new Writer();
  names.texts("names", [writer.names.join("\n")]);
  const ranges = Int32Array.from(usedRanges(layout));
  const [nameEnds, nameBytes] = names.sections;
  const head = Int32Array.of(
    magic,
    ...start,
    writer.sections.length,
    nameBytes!.length,
    layout.size,
    layout.end,
    ranges.length / 2,
  );
  const lengths = Int32Array.from(writer.sections, ({ length }) => length);
  const pieces = [head, nameEnds!, nameBytes!, lengths, ...writer.sections, ranges];
  for (let i = 0; i < ranges.length; i += 2) pieces.push(heap.subarray(ranges[i]!, ranges[i + 1]!));
  return pieces.map(bytesOf);
}

function cellsIn(ranges: HeapLayout["free"]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * Replaces the heap and its tables by those of an image. Nothing may have been evaluated yet. Throws `ImageMismatch` when the image is one of another
 * program or for another start; after any error the process cannot be used.
 */
export function loadImage(source: ImageSource, start: StartIdentity, decode: (bytes: Uint8Array) => string): void {
  const next = (length: number): Int32Array<ArrayBuffer> => {
    const cells = new Int32Array(length);
    source.read(bytesOf(cells));
    return cells;
  };
  const head = next(headCells);
  if (head[0] !== magic || head[1] !== start[0] || head[2] !== start[1]) {
    throw new ImageMismatch("the image is for another start");
  }
  const [, , , count = 0, nameCells = 0, size = 0, end = 0, rangeCount = 0] = head;
  const nameEnd = next(1)[0]!;
  const names = decode(bytesOf(next(nameCells)))
    .slice(0, nameEnd)
    .split("\n");
  const lengths = next(count);
  const sections = new Map(names.map((name, i) => [name, next(lengths[i]!)] as const));
  const ranges = next(2 * rangeCount);
  const free: { start: number; end: number }[] = [];
  for (let i = 2; i < ranges.length; i += 2) free.push({ start: ranges[i - 1]!, end: ranges[i]! });
  const layout = { free, end, size };
  if (!fits(layout)) throw new ImageMismatch("the image is larger than what values may take");
  takeLayout(layout);
  for (let i = 0; i < ranges.length; i += 2) source.read(heapBytes.subarray(4 * ranges[i]!, 4 * ranges[i + 1]!));
  const reader = new Reader(sections, decode);
  for (const table of tables) table.load?.(reader);
}
