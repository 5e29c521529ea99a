/**
 * The opcodes of lowered code. A node is its opcode and its operands, a cell of the code array each. Operands are written `name:kind`; a
 * group `(…)*n` follows as often as the cell named `n` says. Kinds:
 *
 *   raw       a number            node      the offset of another node      node?    a node, or 0
 *   position  a place in a source; 0 and -1 stand for themselves            symbol   an interned name
 *   name      a symbol + 1, or 0  key       a symbol, or the complement of a KEY node
 *   constant  an index            literal   keys and positions of a set     pattern  a number of the memo of a set pattern
 *   note      a part that is not lowered yet                                 memo     a cached value, at first 0
 *   shape     an inline cache, at first -1                                  index    an inline cache, at first 0
 *
 * Layouts, the names in lowering and the disassembler come from this table; `interpret.ts` has the bare numbers, because only literals
 * become a jump table in V8, with these names behind them (a test compares them). docs/extending.md tells how to add one.
 */

/** One opcode: number, operands, and meaning. */
type Definition = readonly [number: number, operands: string, meaning: string];

const definitions = {
  INT: [1, "value:raw", "an integer of 31 bits"],
  CONST: [2, "value:constant", "a float, a large integer, a string or a path"],
  VARIABLE: [6, "depth:raw slot:raw pos:position", "a variable so many scopes out"],
  GLOBAL: [7, "name:symbol pos:position", "a builtin or another global variable"],
  WITH_VARIABLE: [
    8,
    "name:symbol pos:position n:raw (depth:raw with:position)*n",
    "a variable of the innermost `with` that has it; depths are those of the sets",
  ],
  SELECT1: [9, "set:node name:symbol shape:shape place:index pos:position", "`set.name`"],
  SELECT: [
    10,
    "set:node fallback:node? n:raw pos:position (name:key shape:shape place:index)*n",
    "a selection along a path, with `or`",
  ],
  HAS1: [11, "set:node name:symbol pos:position", "`set ? name`"],
  HAS: [12, "set:node n:raw pos:position (name:key)*n", "`set ? path`"],
  ATTRS: [13, "keys:literal n:raw spare:raw (value:node)*n", "a set"],
  LIST: [14, "n:raw (element:node)*n", "a list that is not empty"],
  LAMBDA: [15, "body:node n:raw name:name (pos:position)*n", "a function of n arguments"],
  PATTERN: [
    16,
    "body:node one:raw name:name pos:position n:raw flags:raw memo:pattern (name:symbol fallback:node? pos:position)*n",
    "a function of a set pattern; flags: 1 the whole is bound, 2 more attributes are taken",
  ],
  CALL1: [17, "callee:node pos:position a:node", "a call with one argument"],
  CALL2: [18, "callee:node pos:position a:node b:node", "a call with two arguments"],
  CALL3: [19, "callee:node pos:position a:node b:node c:node", "a call with three arguments"],
  CALLN: [20, "callee:node pos:position n:raw (a:node)*n", "a call with more arguments"],
  LET: [21, "body:node n:raw (value:node)*n", "`let … in body`"],
  WITH: [22, "set:node body:node pos:position", "`with set; body`"],
  IF: [23, "condition:node yes:node no:node pos:position", "`if condition then yes else no`"],
  ASSERT: [24, "condition:node body:node pos:position", "`assert condition; body`"],
  NOT: [25, "operand:node pos:position", "`!operand`"],
  ADD: [27, "left:node right:node leftPos:position rightPos:position pos:position", "`left + right`"],
  PATH_CONCAT: [28, "n:raw pos:position (part:node pos:position)*n", "a path with interpolations, or a sum"],
  STRING_CONCAT: [29, "n:raw pos:position (part:node pos:position)*n", "a string with interpolations"],
  EQ: [30, "left:node right:node pos:position", "`left == right`"],
  NEQ: [31, "left:node right:node pos:position", "`left != right`"],
  AND: [32, "left:node right:node pos:position", "`left && right`"],
  OR: [33, "left:node right:node pos:position", "`left || right`"],
  WATCHED_CALL: [52, "callee:node pos:position n:raw (a:node)*n", "a call of which an observer hears"],
  IMPL: [34, "left:node right:node pos:position", "`left -> right`"],
  UPDATE: [35, "left:node right:node leftPos:position rightPos:position", "`left // right`; -1 for no frame"],
  CONCAT: [36, "left:node right:node pos:position", "`left ++ right`"],
  LESS: [37, "left:node right:node pos:position", "`left < right`"],
  SUB: [41, "left:node right:node pos:position", "`left - right`"],
  MUL: [42, "left:node right:node pos:position", "`left * right`"],
  DIV: [43, "left:node right:node pos:position", "`left / right`"],
  REC_ATTRS: [
    44,
    "keys:literal n:raw m:raw overrides:raw (index:raw)*n (value:node)*m",
    "`rec { … }`; overrides is the index of `__overrides` + 1",
  ],
  DYNAMIC: [
    45,
    "set:node recursive:raw n:raw whole:position (name:node value:node pos:position)*n",
    "a set with computed names",
  ],
  POSITION: [46, "pos:position", "`__curPos`"],
  EMPTY_ATTRS: [47, "", "`{ }`"],
  EMPTY_LIST: [48, "", "`[ ]`"],
  HOOKED: [53, "body:node function:raw", "the body of a function of one argument whose applications are heard of"],
  OBSERVED: [50, "site:raw node:node", "a node that the debugger looks at; never kept"],
  CONSTANT_ATTRS: [51, "keys:literal n:raw made:memo (value:node)*n", "a set of constants, made once"],
  FROM_ATTRS: [
    55,
    "keys:literal m:raw n:raw (from:node)*n (value:node)*m",
    "a set with `inherit (from)`, whose sources are evaluated once",
  ],
  LITERAL: [
    56,
    "n:raw whole:position (name:symbol pos:position)*n",
    "keys and positions of a set in kept code; never run",
  ],
  LAZY: [57, "part:note", "a part that is lowered when it is first run"],
  FORWARD: [58, "node:node", "a part that was lowered meanwhile"],
  KEY: [59, "name:node pos:position", "a computed name in a path; never run"],
} as const satisfies Readonly<Record<string, Definition>>;

/** Names of opcodes, apart from those of near variables. */
export type OpcodeName = keyof typeof definitions;

/** The numbers of opcodes by their names. */
export const op = Object.fromEntries(Object.entries(definitions).map(([name, [number]]) => [name, number])) as {
  readonly [Name in OpcodeName]: (typeof definitions)[Name][0];
};

/**
 * Near variables have opcodes of their own, five for each of four depths: slots 0 to 3, and all further ones. Operands `slot:raw
 * pos:position`.
 */
export const nearVariables = { first: 60, depths: 4, slots: 5 } as const;

/** An opcode as the table has it. */
export interface Opcode {
  readonly number: number;
  readonly name: string;
  readonly operands: string;
  readonly meaning: string;
}

/** All opcodes by their numbers; undefined where there is none. */
export const opcodes: readonly (Opcode | undefined)[] = table();

function table(): (Opcode | undefined)[] {
  const all: (Opcode | undefined)[] = [];
  for (const [name, [number, operands, meaning]] of Object.entries(definitions)) {
    all[number] = { number, name, operands, meaning };
  }
  const { first, depths, slots } = nearVariables;
  for (let depth = 0; depth < depths; depth++) {
    for (let slot = 0; slot < slots; slot++) {
      const which = slot < slots - 1 ? String(slot) : "N";
      const number = first + depth * slots + slot;
      const name = `VARIABLE_${depth}_${which}`;
      all[number] = {
        number,
        name,
        operands: "slot:raw pos:position",
        meaning: "a variable of one of the nearest scopes",
      };
    }
  }
  return all;
}
