/** Observers of calls; the stacks are those that the reference's profiler writes. */
import { expect, test } from "vitest";
import { Evaluator } from "../evaluator.ts";
import { createMemoryHost } from "../memory-host.ts";
import { callTrace, FlameGraph } from "./call-observers.ts";

function run(text: string, calls: FlameGraph | ReturnType<typeof callTrace>): void {
  const evaluator = new Evaluator(createMemoryHost(), { calls });
  try {
    evaluator.print(evaluator.evaluate({ kind: "string", text, directory: "/" }), { kind: "nix" });
  } catch {
    // What fails is called all the same.
  }
}

const s = "\xc2\xabstring\xc2\xbb";

test.each([
  ["let f = arg: arg; in f 1", [`${s}:1:22:f 1`]],
  ["(arg: arg) 1", [`${s}:1:1 1`]],
  ["builtins.head [0 1]", [`${s}:1:1:primop head 1`]],
  [
    "let a = builtins.all (let f = x: x; in f); in a [1]",
    [`${s}:1:9:primop all 1`, `${s}:1:47:primop all 1`, `${s}:1:47:primop all;${s}:1:31:f 1`],
  ],
  ["{__functor = x: arg: arg;} 1", [`${s}:1:1:functor 1`, `${s}:1:1:functor;${s}:1:2 1`]],
  [
    'builtins.tryEval (throw "example")',
    [`${s}:1:1:primop tryEval 1`, `${s}:1:1:primop tryEval;${s}:1:19:primop throw 1`],
  ],
  ["1 2", [`${s}:1:1 1`]],
  ["(x: x) 1 2", [`${s}:1:1 1`]],
])("the calls of %s are counted by their stacks", (text, stacks) => {
  const graph = new FlameGraph(0);
  run(text, graph);
  expect(graph.text().split("\n").slice(0, -1)).toEqual(stacks);
});

test("each begin and end of a call is told", () => {
  const told: string[] = [];
  run(
    'builtins.tryEval (throw "example")',
    callTrace((text) => told.push(text.replace(/ at \d+$/, ""))),
  );
  expect(told).toEqual([
    `function-trace entered ${s}:1:1`,
    `function-trace entered ${s}:1:19`,
    `function-trace exited ${s}:1:19`,
    `function-trace exited ${s}:1:1`,
  ]);
});
