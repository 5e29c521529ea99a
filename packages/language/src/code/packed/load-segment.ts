/** Puts the code of one source from a pack into the code array. */
import { FirnError } from "@firn/formats";
import { makeInt64 } from "../../heap/number.ts";
import { internBytes } from "../../heap/symbol.ts";
import { pathOfLiteral } from "../../syntax/path-text.ts";
import { cell, firstMember, layouts } from "../layout.ts";
import { addRecordedLiteral } from "../literals.ts";
import { addLazyNote, type LowerContext, newPattern } from "../lower.ts";
import { addPendingConstant, allocateCode, floatConstant, ints, pathConstant } from "../memory.ts";
import type { Scope } from "../scope.ts";
import { constantKinds, type Pack, type Segment } from "./pack.ts";

const unknown = -1;

/** The destination of a segment: its offset in the code array and the base of its source among all positions. */
interface Placement {
  readonly segment: Segment;
  readonly context: LowerContext;
  readonly at: number;
  readonly base: number;
}

/** A pack and the parts of it known to this process: its strings as symbols, its constants. */
export class PackLoader {
  readonly pack: Pack;
  private readonly symbols: Int32Array;
  private readonly constants: Int32Array;

  constructor(pack: Pack) {
    this.pack = pack;
    this.symbols = new Int32Array(pack.stringCount).fill(unknown);
    this.constants = new Int32Array(pack.constantCount).fill(unknown);
  }

  private symbol(number: number): number {
    let symbol = this.symbols[number]!;
    if (symbol === unknown) {
      const { bytes } = this.pack;
      symbol = internBytes(bytes, this.pack.startOf(number), this.pack.endOf(number));
      this.symbols[number] = symbol;
    }
    return symbol;
  }

  private constant(number: number, context: LowerContext): number {
    const known = this.constants[number]!;
    if (known !== unknown) return known;
    const kind = this.pack.constantCells[2 * number]!;
    const text = this.pack.constantCells[2 * number + 1]!;
    let made: number;
    switch (kind) {
      case constantKinds.string:
        made = addPendingConstant(this.pack, text);
        break;
      case constantKinds.float:
        made = floatConstant(Number(this.pack.string(text)));
        break;
      case constantKinds.path: {
        // The same text is another path in another directory: never shared.
        const literal = this.pack.string(text);
        return pathConstant(pathOfLiteral(literal, context.source.directory, context.parser), literal);
      }
      default:
        made = makeInt64(BigInt(this.pack.string(text)));
    }
    this.constants[number] = made;
    return made;
  }

  /** Loads a segment as the code of `context.source`; returns the offset of its root. */
  load(segment: Segment, context: LowerContext): number {
    const { codeLength } = segment;
    const at = allocateCode(codeLength);
    ints.set(segment.cells.subarray(0, codeLength), at);
    const place: Placement = { segment, context, at, base: context.source.base };
    const sets: number[] = [];
    for (let p = at, end = at + codeLength; p < end; ) {
      const layout = layouts[ints[p]!];
      if (layout === undefined) throw new FirnError("bad-code", `no layout for opcode ${ints[p]}`);
      const { fixed, tails } = layout;
      if (fixed[0] === cell.literal) sets.push(p);
      let c = p + 1;
      for (let i = 0; i < fixed.length; i++, c++) this.relocate(c, fixed[i]!, place);
      for (let t = 0; t < tails.length; t++) {
        const { count, kinds } = tails[t]!;
        for (let n = ints[p + count]!; n > 0; n--) {
          for (let k = 0; k < kinds.length; k++, c++) this.relocate(c, kinds[k]!, place);
        }
      }
      p = c;
    }
    for (let i = 0; i < sets.length; i++) finishSet(sets[i]!);
    return at;
  }

  /** Converts a cell of a pack into one of this process. */
  private relocate(c: number, kind: number, place: Placement): void {
    const value = ints[c]!;
    switch (kind) {
      case cell.node:
      case cell.literal:
        ints[c] = value + place.at;
        return;
      case cell.optionalNode:
        if (value !== 0) ints[c] = value + place.at;
        return;
      case cell.position:
        if (value > 0) ints[c] = value + place.base - 1;
        return;
      case cell.symbol:
        ints[c] = this.symbol(value);
        return;
      case cell.name:
        if (value !== 0) ints[c] = this.symbol(value - 1) + 1;
        return;
      case cell.key:
        ints[c] = value >= 0 ? this.symbol(value) : ~(~value + place.at);
        return;
      case cell.constant:
        ints[c] = this.constant(value, place.context);
        return;
      case cell.pattern:
        ints[c] = newPattern();
        return;
      case cell.note:
        ints[c] = this.note(place.segment, value, place.context);
        return;
      default:
    }
  }

  private note(segment: Segment, number: number, context: LowerContext): number {
    const at = segment.codeLength + 1 + 3 * number;
    const name = segment.cells[at + 1]!;
    const scope = segment.cells[at + 2]!;
    return addLazyNote({
      context,
      offset: segment.cells[at]!,
      name: name === 0 ? 0 : this.symbol(name - 1) + 1,
      expr: undefined,
      scope: () => this.scope(segment, scope, context.source.base),
    });
  }

  private scope(segment: Segment, place: number, base: number): Scope | null {
    if (place === 0) return null;
    const { cells } = segment;
    const at = place - 1;
    const count = cells[at + 2]!;
    const pos = cells[at + 1]!;
    let names: Map<string, number> | null = null;
    if (count >= 0) {
      names = new Map();
      for (let i = 0; i < count; i++) names.set(this.pack.string(cells[at + 3 + 2 * i]!), cells[at + 4 + 2 * i]!);
    }
    return {
      up: this.scope(segment, cells[at]!, base),
      names,
      withPosition: pos > 0 ? pos + base - 1 : pos,
    };
  }
}

const fewMembers = 16;

/** Sorts the pairs at `keys` and their members at `members`, in place. */
function sortFew(keys: number, members: number, size: number): void {
  for (let i = 1; i < size; i++) {
    const symbol = ints[keys + 2 * i]!;
    const pos = ints[keys + 2 * i + 1]!;
    const member = ints[members + i]!;
    let j = i - 1;
    for (; j >= 0 && ints[keys + 2 * j]! > symbol; j--) {
      ints[keys + 2 * j + 2] = ints[keys + 2 * j]!;
      ints[keys + 2 * j + 3] = ints[keys + 2 * j + 1]!;
      ints[members + j + 1] = ints[members + j]!;
    }
    ints[keys + 2 * j + 2] = symbol;
    ints[keys + 2 * j + 3] = pos;
    ints[members + j + 1] = member;
  }
}

/** Sorts the keys, positions and members of a set: keys are sorted by symbol, and symbols are numbered anew in each process. */
function finishSet(node: number): void {
  const record = ints[node + 1]!;
  const size = ints[record + 1]!;
  const keys = record + 3;
  const members = firstMember(ints, node);
  let sorted = true;
  for (let i = 1; i < size; i++) {
    if (ints[keys + 2 * i - 2]! > ints[keys + 2 * i]!) {
      sorted = false;
      break;
    }
  }
  if (!sorted && size <= fewMembers) sortFew(keys, members, size);
  else if (!sorted) {
    const order = new Float64Array(size);
    for (let i = 0; i < size; i++) order[i] = ints[keys + 2 * i]! * 67108864 + i;
    order.sort();
    const copy = new Int32Array(3 * size);
    for (let i = 0; i < size; i++) {
      copy[3 * i] = ints[keys + 2 * i]!;
      copy[3 * i + 1] = ints[keys + 2 * i + 1]!;
      copy[3 * i + 2] = ints[members + i]!;
    }
    for (let i = 0; i < size; i++) {
      const from = 3 * (order[i]! % 67108864);
      ints[keys + 2 * i] = copy[from]!;
      ints[keys + 2 * i + 1] = copy[from + 1]!;
      ints[members + i] = copy[from + 2]!;
    }
  }
  ints[node + 1] = addRecordedLiteral(record);
}
