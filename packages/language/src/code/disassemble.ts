/** Lowered code as text, by the table of opcodes: for people who work on the evaluator. */
import { type Address, heap } from "../heap/memory.ts";
import { keysOf } from "../heap/shape.ts";
import { nameOf } from "../heap/symbol.ts";
import { printAmbiguous } from "../value/print.ts";
import { cell, type Operand, readOperands } from "./layout.ts";
import { literalAt } from "./literals.ts";
import { lowerLazy } from "./lower.ts";
import { constantAt, ints } from "./memory.ts";
import { op, opcodes } from "./opcodes.ts";
import { lineAndColumn } from "./source.ts";

/**
 * Returns the code of a node and of all below it, a node a line: its number (the root is 0), its opcode, and its operands, with nodes as
 * `@number` and places as `line:column`. Parts that are not lowered yet are lowered.
 */
export function disassemble(root: number): string {
  const numbers = new Map([[root, 0]]);
  const lines: string[] = [];
  for (const node of numbers.keys()) lines.push(line(node, numbers));
  return lines.join("");
}

function line(node: number, numbers: Map<number, number>): string {
  if (ints[node] === op.LAZY) lowerLazy(node);
  const opcode = opcodes[ints[node]!]!;
  const { fixed, groups } = readOperands(opcode.operands);
  const refer = (target: number): string => {
    const number = numbers.get(target) ?? numbers.size;
    numbers.set(target, number);
    return `@${number}`;
  };
  const words: string[] = [];
  let at = node + 1;
  const take = (operands: readonly Operand[]): void => {
    for (const { name, kind } of operands) {
      const text = operandText(ints[at++]!, kind, refer);
      if (text !== "") words.push(`${name}=${text}`);
    }
  };
  take(fixed);
  for (const { count, operands } of groups) for (let i = ints[node + count]!; i > 0; i--) take(operands);
  return `${String(numbers.get(node)).padStart(4)} ${[opcode.name, ...words].join(" ")}\n`;
}

/** Returns an operand's text; empty for caches, and for what is not there. */
function operandText(value: number, kind: Operand["kind"], refer: (node: number) => string): string {
  switch (kind) {
    case cell.raw:
      return String(value);
    case cell.node:
      return refer(value);
    case cell.optionalNode:
      return value === 0 ? "" : refer(value);
    case cell.position: {
      if (value <= 0) return "";
      const { line: row, column } = lineAndColumn(value);
      return `${row}:${column}`;
    }
    case cell.symbol:
      return nameOf(value);
    case cell.name:
      return value === 0 ? "" : nameOf(value - 1);
    case cell.key:
      return value >= 0 ? nameOf(value) : refer(~value);
    case cell.constant:
      return printAmbiguous(constantAt(value));
    case cell.literal:
      return `{${keysOf(heap[literalAt(value)] as Address)
        .map(nameOf)
        .join(" ")}}`;
    case cell.memo:
    case cell.pattern:
    case cell.note:
    case cell.shape:
    case cell.index:
      return "";
  }
}
