/** The kind of each cell of a node, with which code is copied out of the code array and back independent of its meaning. */
import { op, opcodes } from "./opcodes.ts";

export const cell = {
  raw: 0,
  node: 1,
  /** A node, or 0. */
  optionalNode: 2,
  /** A global position; 0 and -1 stand for themselves. */
  position: 3,
  symbol: 4,
  /** Symbol + 1, or 0. */
  name: 5,
  /** A symbol, or the complement of a node. */
  key: 6,
  constant: 7,
  /** A cell in which the interpreter caches a value: starts as 0. */
  memo: 8,
  literal: 9,
  pattern: 10,
  note: 11,
  /** Inline cache: starts as -1. */
  shape: 12,
  /** Inline cache: starts as 0. */
  index: 13,
} as const;

type CellKind = (typeof cell)[keyof typeof cell];

const kindNames: Readonly<Record<string, CellKind>> = {
  raw: cell.raw,
  node: cell.node,
  "node?": cell.optionalNode,
  position: cell.position,
  symbol: cell.symbol,
  name: cell.name,
  key: cell.key,
  constant: cell.constant,
  memo: cell.memo,
  literal: cell.literal,
  pattern: cell.pattern,
  note: cell.note,
  shape: cell.shape,
  index: cell.index,
};

/** One operand: its name in the table of opcodes, and the kind of its cell. */
export interface Operand {
  readonly name: string;
  readonly kind: CellKind;
}

export interface Layout {
  /** Kinds of the cells after the opcode. */
  readonly fixed: readonly CellKind[];
  /** Kinds of the following cells: groups, repeated as often as the cell `count` says. */
  readonly tails: readonly { readonly count: number; readonly kinds: readonly CellKind[] }[];
}

/** Opcode of the keys and positions of a literal set; it stands alone and is never run. */
export const literalRecord: number = op.LITERAL;

function operand(text: string): Operand {
  const [name = "", kind = ""] = text.split(":");
  const found = kindNames[kind];
  if (found === undefined) throw new Error(`the table of opcodes has no kind '${kind}'`);
  return { name, kind: found };
}

/** Reads the operands of an opcode: those that are always there, and the groups. */
export function readOperands(text: string): {
  readonly fixed: readonly Operand[];
  readonly groups: readonly { readonly count: number; readonly operands: readonly Operand[] }[];
} {
  const words = (part: string): Operand[] =>
    part
      .split(" ")
      .filter((word) => word !== "")
      .map(operand);
  const fixed = words(text.replace(/\(.*/, ""));
  const groups = [...text.matchAll(/\(([^)]*)\)\*(\w+)/g)].map(([, inner = "", counter]) => ({
    // The opcode itself is cell 0.
    count: 1 + fixed.findIndex(({ name }) => name === counter),
    operands: words(inner),
  }));
  return { fixed, groups };
}

/** Layouts by opcode; none for what is never kept. */
export const layouts: readonly (Layout | undefined)[] = opcodes.map((opcode) => {
  if (opcode === undefined || opcode.number === op.OBSERVED) return undefined;
  const { fixed, groups } = readOperands(opcode.operands);
  return {
    fixed: fixed.map(({ kind }) => kind),
    tails: groups.map(({ count, operands }) => ({ count, kinds: operands.map(({ kind }) => kind) })),
  };
});

/** Returns the cell of a set literal's first value (or value index); values are in the order of the literal's keys. */
export function firstMember(code: Int32Array, node: number): number {
  switch (code[node]) {
    case op.REC_ATTRS:
      return node + 5;
    case op.FROM_ATTRS:
      return node + 4 + code[node + 3]!;
    default:
      return node + 4;
  }
}
