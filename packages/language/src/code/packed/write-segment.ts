/** Copies the lowered code of one source out of the code array, from its root on, into the form of a pack. */
import { FirnError } from "@firn/formats";
import { type Address, heap, isFloat, isPath, isString } from "../../heap/memory.ts";
import { integerOf, numberOf } from "../../heap/number.ts";
import { placeOfWhole } from "../../heap/places.ts";
import { keyAt, shapeSize } from "../../heap/shape.ts";
import { stringText } from "../../heap/string.ts";
import { nameOf } from "../../heap/symbol.ts";
import { cell, layouts, literalRecord } from "../layout.ts";
import { literalAt } from "../literals.ts";
import { type LazyNote, lazyNote, scopeOfNote } from "../lower.ts";
import { constantAt, ints, pathLiterals } from "../memory.ts";
import { op } from "../opcodes.ts";
import type { Scope } from "../scope.ts";
import { constantKinds, type PackBuilder, type Segment } from "./pack.ts";

export class SegmentWriter {
  private readonly builder: PackBuilder;
  private readonly base: number;
  private cells = new Int32Array(4096);
  private used = 0;
  private readonly notes: LazyNote[] = [];
  private readonly scopes = new Map<Scope, number>();

  /** Takes the builder and `base`, the base of the source's positions. */
  constructor(builder: PackBuilder, base: number) {
    this.builder = builder;
    this.base = base;
  }

  /** Returns the segment of the code whose root is the node `root`. */
  write(root: number, source: { readonly hash: string; readonly textLength: number }): Segment {
    this.node(root);
    const codeLength = this.used;
    const notesAt = this.reserve(1 + 3 * this.notes.length);
    this.cells[notesAt] = this.notes.length;
    for (let i = 0; i < this.notes.length; i++) {
      const note = this.notes[i]!;
      const scope = this.scope(scopeOfNote(note));
      this.cells[notesAt + 1 + 3 * i] = note.offset;
      this.cells[notesAt + 2 + 3 * i] = note.name === 0 ? 0 : this.symbol(note.name - 1) + 1;
      this.cells[notesAt + 3 + 3 * i] = scope;
    }
    return { ...source, cells: this.cells.slice(0, this.used), codeLength };
  }

  private reserve(length: number): number {
    const at = this.used;
    this.used += length;
    if (this.used > this.cells.length) {
      const larger = new Int32Array(Math.max(this.used, 2 * this.cells.length));
      larger.set(this.cells);
      this.cells = larger;
    }
    return at;
  }

  private symbol(symbol: number): number {
    return this.builder.string(nameOf(symbol));
  }

  private node(start: number): number {
    let p = start;
    while (ints[p] === op.FORWARD || ints[p] === op.HOOKED) p = ints[p + 1]!;
    const layout = layouts[ints[p]!];
    if (layout === undefined) throw new FirnError("internal", `no layout for opcode ${ints[p]}`);
    let length = 1 + layout.fixed.length;
    for (const { count, kinds } of layout.tails) length += ints[p + count]! * kinds.length;
    const at = this.reserve(length);
    this.cells[at] = ints[p]!;
    let c = 1;
    for (; c <= layout.fixed.length; c++) this.put(at + c, layout.fixed[c - 1]!, ints[p + c]!);
    for (const { count, kinds } of layout.tails) {
      for (let n = ints[p + count]!; n > 0; n--) {
        for (let k = 0; k < kinds.length; k++, c++) this.put(at + c, kinds[k]!, ints[p + c]!);
      }
    }
    // Whether applications are heard of belongs to one evaluation.
    if (ints[p] === op.PATTERN) this.cells[at + 6] = ints[p + 6]! & 3;
    return at;
  }

  private position(pos: number): number {
    return pos <= 0 ? pos : pos - this.base + 1;
  }

  private put(at: number, kind: number, value: number): void {
    // Children first: writing them may move the cells.
    const written = this.encoded(kind, value);
    this.cells[at] = written;
  }

  private encoded(kind: number, value: number): number {
    switch (kind) {
      case cell.node:
        return this.node(value);
      case cell.optionalNode:
        return value === 0 ? 0 : this.node(value);
      case cell.position:
        return this.position(value);
      case cell.symbol:
        return this.symbol(value);
      case cell.name:
        return value === 0 ? 0 : this.symbol(value - 1) + 1;
      case cell.key:
        return value >= 0 ? this.symbol(value) : ~this.node(~value);
      case cell.constant:
        return this.constant(value);
      case cell.literal:
        return this.literal(value);
      case cell.note:
        this.notes.push(lazyNote(value));
        return this.notes.length - 1;
      case cell.shape:
        return -1;
      case cell.memo:
      case cell.pattern:
      case cell.index:
        return 0;
      default:
        return value;
    }
  }

  private constant(cell: number): number {
    const value = constantAt(cell);
    if (isString(value)) return this.builder.constant(constantKinds.string, stringText(value));
    if (isFloat(value)) return this.builder.constant(constantKinds.float, String(numberOf(value)));
    if (isPath(value)) return this.builder.constant(constantKinds.path, pathLiterals.get(value)!);
    return this.builder.constant(constantKinds.integer, String(integerOf(value)));
  }

  private literal(index: number): number {
    const places = literalAt(index);
    const shape = heap[places]! as Address;
    const size = shapeSize(shape);
    const at = this.reserve(3 + 2 * size);
    this.cells[at] = literalRecord;
    this.cells[at + 1] = size;
    this.cells[at + 2] = this.position(placeOfWhole(places, shape));
    for (let i = 0; i < size; i++) {
      this.cells[at + 3 + 2 * i] = this.symbol(keyAt(shape, i));
      this.cells[at + 4 + 2 * i] = this.position(heap[places + 1 + i]!);
    }
    return at;
  }

  /**
   * Returns scope + 1 as an offset among the cells, 0 for none. Cells: up, with-position, names (-1 for `with`),
   * (symbol slot)*.
   */
  private scope(scope: Scope | null): number {
    if (scope === null) return 0;
    const known = this.scopes.get(scope);
    if (known !== undefined) return known;
    const up = this.scope(scope.up);
    const names = scope.names === null ? [] : [...scope.names];
    const at = this.reserve(3 + 2 * names.length);
    this.scopes.set(scope, at + 1);
    this.cells[at] = up;
    this.cells[at + 1] = this.position(scope.withPosition);
    this.cells[at + 2] = scope.names === null ? -1 : names.length;
    for (let i = 0; i < names.length; i++) {
      this.cells[at + 3 + 2 * i] = this.builder.string(names[i]![0]);
      this.cells[at + 4 + 2 * i] = names[i]![1];
    }
    return at + 1;
  }
}
