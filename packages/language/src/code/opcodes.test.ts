/** The table of opcodes, and what is made of it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Evaluator } from "../evaluator.ts";
import { createMemoryHost } from "../memory-host.ts";
import { layouts } from "./layout.ts";
import { op, opcodes } from "./opcodes.ts";

test("the interpreter's numbers have the names of the table behind them", () => {
  const text = readFileSync(new URL("interpret.ts", import.meta.url), "utf8");
  const named = [...text.matchAll(/^ *case (\d+): (?:\/\/|\/\*) ([A-Z_0-9N]+)/gm)];
  const wrong = named.filter(([, number, name]) => opcodes[Number(number)]?.name !== name);
  expect(wrong.map(([line]) => line)).toEqual([]);
  // Each opcode that is run stands in the interpreter, with its name.
  const run = new Set(named.map(([, number]) => Number(number)));
  const never: number[] = [op.LITERAL, op.KEY, op.OBSERVED, op.WATCHED_CALL];
  expect(
    opcodes.filter((opcode) => opcode !== undefined && !never.includes(opcode.number) && !run.has(opcode.number)),
  ).toEqual([]);
});

test("no two opcodes have one number", () => {
  const numbers = Object.values(op);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("each opcode that is kept has a layout, and its groups are counted by one of its operands", () => {
  for (const opcode of opcodes) {
    if (opcode === undefined || opcode.number === op.OBSERVED) continue;
    const { fixed, tails } = layouts[opcode.number]!;
    expect(fixed.length + tails.length, opcode.name).toBe(
      opcode.operands
        .replaceAll(/\([^)]*\)\*\w+/g, "group")
        .split(" ")
        .filter((word) => word !== "").length,
    );
    for (const { count } of tails) expect(count, opcode.name).toBeGreaterThan(0);
  }
});

test("code is shown as text", () => {
  const evaluator = new Evaluator(createMemoryHost());
  const text =
    "let f = { a, b ? 1.5, ... }@all: a + b; in with { x = 1; }; if true then f { only = x; } else [ f.a or 3 ]";
  expect(evaluator.disassemble({ kind: "string", text, directory: "/" })).toBe(`   0 LET body=@1 n=1 value=@2
   1 WITH set=@3 body=@4 pos=1:44
   2 PATTERN body=@5 one=1 name=f pos=1:9 n=2 flags=3 name=a pos=1:11 name=b fallback=@6 pos=1:14
   3 CONSTANT_ATTRS keys={x} n=1 value=@7
   4 IF condition=@8 yes=@9 no=@10 pos=1:61
   5 ADD left=@11 right=@12 leftPos=1:34 rightPos=1:38 pos=1:36
   6 CONST value=1.5
   7 INT value=1
   8 GLOBAL name=true pos=1:64
   9 CALL1 callee=@13 pos=1:74 a=@14
  10 LIST n=1 element=@15
  11 VARIABLE_0_0 slot=0 pos=1:34
  12 VARIABLE_0_1 slot=1 pos=1:38
  13 VARIABLE_1_0 slot=0 pos=1:74
  14 ATTRS keys={only} n=1 spare=0 value=@16
  15 SELECT set=@17 fallback=@18 n=1 pos=1:97 name=a
  16 WITH_VARIABLE name=x pos=1:85 n=1 depth=0 with=1:44
  17 VARIABLE_1_0 slot=0 pos=1:97
  18 INT value=3
`);
});
