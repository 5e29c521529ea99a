import { describe, expect, it } from "vitest";
import { Evaluator } from "../evaluator.ts";
import { heapSize } from "../heap/memory.ts";
import { createMemoryHost } from "../memory-host.ts";

const evaluator = new Evaluator(createMemoryHost());

function evaluated(text: string): string {
  const value = evaluator.evaluate({ kind: "string", text, directory: "/" });
  return evaluator.print(evaluator.deepForce(value), { kind: "literal" });
}

/** Returns the cells that evaluating an expression adds to the heap. */
function cellsOf(text: string): number {
  const before = heapSize();
  evaluated(text);
  return heapSize() - before;
}

describe("calls that make nothing", () => {
  it.each([
    ["functions of one argument", "let f = n: if n < 1 then 0 else f (n - 1); in f COUNT"],
    ["functions of two arguments", "let f = n: sum: if n < 1 then sum else f (n - 1) (sum + 1); in f COUNT 0"],
    [
      "arguments that are delayed",
      "let f = n: x: if n < 1 then 0 else f (n - 1) (n + n) + g (n * 2); g = x: x - x; in f COUNT 0",
    ],
    [
      "builtins",
      'let f = n: if builtins.lessThan n 1 then 0 else f (n - builtins.stringLength (if n < 0 then 2 else "a")); in f COUNT',
    ],
  ])("leave no environments behind: %s", (_, text) => {
    // What the code and its constants take is the same for both.
    const few = cellsOf(text.replace("COUNT", "10"));
    expect(cellsOf(text.replace("COUNT", "300"))).toBeLessThan(few + 200);
  });

  it.each([
    [
      "a function that is the argument",
      "let f = x: x; g = f (a: a + 1); h = f (f 3); in [ (g h) (g 1) (f f g 2) ]",
      "[ 4 2 3 ]",
    ],
    [
      "a delayed value with another use",
      "let x = 1 + 2; f = a: a; y = f x; in [ (f (x + y)) x y (f x) ]",
      "[ 6 3 3 3 ]",
    ],
    [
      "a function over its environment",
      "let f = x: y: x + y; g = f 1; h = f 2; in [ (g 10) (h 10) (f 3 4) (g 1) ]",
      "[ 11 12 7 2 ]",
    ],
    [
      "a set of its arguments",
      "let f = a: b: { inherit a b; }; x = f (1 + 1) (2 + 2); y = f (3 + 3) (4 + 4); in [ x y ]",
      "[ { a = 2; b = 4; } { a = 6; b = 8; } ]",
    ],
    [
      "an element of its argument",
      "let f = l: builtins.elemAt l 1; x = f [ (1 + 1) (2 + 2) ]; y = f [ 5 (6 + 6) ]; in [ x y (f [ x y ]) ]",
      "[ 4 12 12 ]",
    ],
    [
      "a set pattern's default",
      "let f = { a ? b + 1, b ? 2 }: a + b; in [ (f { }) (f { b = 5; }) (f { a = 1; }) (f { }) ]",
      "[ 5 11 3 5 ]",
    ],
    [
      "a large sum",
      "let f = x: x + 1; y = f 4611686018427387; z = f y; in [ y z (z - y) ]",
      "[ 4611686018427388 4611686018427389 1 ]",
    ],
    [
      "a failure that is caught",
      'let f = x: (builtins.tryEval x).success; in [ (f (throw "a")) (f (1 + 1)) (f (throw "b")) ]',
      "[ false true false ]",
    ],
  ])("keep what is left of them: %s", (_, text, printed) => {
    expect(evaluated(text)).toBe(printed);
  });
});
