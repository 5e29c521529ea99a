import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { checkedView, HeapFault } from "./checked.ts";

describe("a checked view", () => {
  const cells = new Int32Array(16);
  const view = checkedView(cells, (start, end) => start >= 2 && end <= 8);

  it("reads and writes what is in use", () => {
    view[3] = 7;
    expect([view[3], cells[3], view.length]).toEqual([7, 7, 16]);
    view.fill(9, 4, 6);
    view.copyWithin(6, 4, 6);
    view.set([1, 2], 2);
    expect([...view.subarray(2, 8)]).toEqual([1, 2, 9, 9, 9, 9]);
  });

  it.each<[string, () => unknown]>([
    ["a cell before", () => view[1]],
    ["a cell behind", () => view[8]],
    ["a cell of the number undefined", () => view[undefined as unknown as number]],
    ["a cell with a fraction", () => view[2.5]],
    ["a write behind", () => (view[8] = 1)],
    ["a number that is none", () => (view[3] = Number.NaN)],
    ["a number that is too large", () => (view[3] = 2 ** 32)],
    ["a range that begins before", () => view.subarray(1, 4)],
    ["a range that ends behind", () => view.fill(0, 6, 9)],
    ["a copy that ends behind", () => view.copyWithin(6, 3, 6)],
    ["numbers that end behind", () => view.set([1, 2, 3], 6)],
  ])("refuses %s", (_, access) => {
    expect(access).toThrow(HeapFault);
  });
});

/** Evaluates in a thread whose heap is checked; returns what was printed, or the error. */
async function evaluateChecked(body: string): Promise<unknown> {
  const modules = new URL("..", import.meta.url).href;
  const worker = new Worker(
    `globalThis[Symbol.for("firn.checkedHeap")] = true;
     const { parentPort } = require("node:worker_threads");
     (async () => {
       const { Evaluator, createMemoryHost } = await import("${modules}index.ts");
       const { heap, usedEnd } = await import("${modules}heap/memory.ts");
       const evaluator = new Evaluator(createMemoryHost());
       const print = (text) =>
         evaluator.print(evaluator.evaluate({ kind: "string", text, directory: "/" }), { kind: "json" });
       ${body}
     })().then((value) => parentPort.postMessage({ value }), (error) => parentPort.postMessage({ name: error.constructor.name }));`,
    { eval: true },
  );
  try {
    return await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  } finally {
    await worker.terminate();
  }
}

describe("an evaluator on a checked heap", () => {
  it("evaluates, frees and evaluates again", async () => {
    const program =
      'let f = n: if n == 0 then [ ] else f (n - 1) ++ [ { name = "n${toString n}"; value = n * 1.5; } ]; in builtins.listToAttrs (f 40)';
    expect(
      await evaluateChecked(`
        const program = ${JSON.stringify(program)};
        const first = print(program);
        if (evaluator.collect() === undefined) throw new Error("nothing is freed");
        return [first === print(program), JSON.parse(first).n40];`),
    ).toEqual({ value: [true, 60] });
  });

  it("fails when a cell is read that no object has", async () => {
    expect(await evaluateChecked(`print("1"); return heap[usedEnd() + 5000];`)).toEqual({ name: "HeapFault" });
  });

  it("fails when a freed cell is read", async () => {
    expect(
      await evaluateChecked(`
        const before = usedEnd();
        print("builtins.length (builtins.genList (x: [ x ]) 5000)");
        evaluator.collect();
        for (let at = before + 6000; at < before + 8000; at++) heap[at];`),
    ).toEqual({ name: "HeapFault" });
  });
});
