/**
 * The kind of each cell of a node, with which code is copied out of the code array and back independent of its meaning. The
 * layouts themselves are described in lower.ts.
 */

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

const letters: Readonly<Record<string, CellKind>> = {
  R: cell.raw,
  N: cell.node,
  O: cell.optionalNode,
  P: cell.position,
  S: cell.symbol,
  G: cell.name,
  K: cell.key,
  C: cell.constant,
  M: cell.memo,
  L: cell.literal,
  T: cell.pattern,
  Q: cell.note,
  X: cell.shape,
  Z: cell.index,
};

export interface Layout {
  /** Kinds of the cells after the opcode. */
  readonly fixed: readonly CellKind[];
  /** Kinds of the following cells: groups, repeated as often as the cell `count` says. */
  readonly tails: readonly { readonly count: number; readonly kinds: readonly CellKind[] }[];
}

function kinds(text: string): CellKind[] {
  return [...text].map((letter) => letters[letter]!);
}

function layout(fixed: string, ...tails: readonly (readonly [count: number, kinds: string])[]): Layout {
  return { fixed: kinds(fixed), tails: tails.map(([count, text]) => ({ count, kinds: kinds(text) })) };
}

/** Opcode of the keys and positions of a literal set; it stands alone and is never run. */
export const literalRecord = 56;

const binary = layout("NNP");

/** Layouts by opcode. */
export const layouts: (Layout | undefined)[] = [];
layouts[1] = layout("R");
layouts[2] = layout("C");
layouts[6] = layout("RRP");
layouts[7] = layout("SP");
layouts[8] = layout("SPR", [3, "RP"]);
layouts[9] = layout("NSXZP");
layouts[10] = layout("NORP", [3, "KXZ"]);
layouts[11] = layout("NSP");
layouts[12] = layout("NRP", [2, "K"]);
layouts[13] = layout("LRR", [2, "N"]);
layouts[14] = layout("R", [1, "N"]);
layouts[15] = layout("NRG", [2, "P"]);
layouts[16] = layout("NRGPRRT", [5, "SOP"]);
layouts[17] = layout("NPN");
layouts[18] = layout("NPNN");
layouts[19] = layout("NPNNN");
layouts[20] = layout("NPR", [3, "N"]);
layouts[21] = layout("NR", [2, "N"]);
layouts[22] = binary;
layouts[23] = layout("NNNP");
layouts[24] = binary;
layouts[25] = layout("NP");
layouts[27] = layout("NNPPP");
layouts[28] = layout("RP", [1, "NP"]);
layouts[29] = layout("RP", [1, "NP"]);
for (const opcode of [30, 31, 32, 33, 34, 36, 37, 41, 42, 43]) layouts[opcode] = binary;
layouts[35] = layout("NNPP");
layouts[44] = layout("LRRR", [2, "R"], [3, "N"]);
layouts[45] = layout("NRR", [3, "NNP"]);
layouts[46] = layout("P");
layouts[47] = layout("");
layouts[48] = layout("");
layouts[51] = layout("LRM", [2, "N"]);
layouts[55] = layout("LRR", [3, "N"], [2, "N"]);
layouts[literalRecord] = layout("R", [1, "SP"]);
layouts[57] = layout("Q");
layouts[58] = layout("N");
layouts[59] = layout("NP");
for (let opcode = 60; opcode < 80; opcode++) layouts[opcode] = layout("RP");

/** Returns the cell of a set literal's first value (or value index); values are in the order of the literal's keys. */
export function firstMember(code: Int32Array, node: number): number {
  switch (code[node]) {
    case 44:
      return node + 5;
    case 55:
      return node + 4 + code[node + 3]!;
    default:
      return node + 4;
  }
}
