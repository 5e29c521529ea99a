import { expect, test } from "vitest";
import { trueValue } from "./heap/memory.ts";
import { makeInteger } from "./heap/number.ts";
import {
  createMemoryHost,
  Debugger,
  type DebugLevel,
  type DebugTraceStep,
  Evaluator,
  type Slot,
  type StopAnswer,
} from "./index.ts";

const options = { colors: false };

function evaluator(more: { files?: Record<string, string>; interrupted?: () => boolean; debugger?: Debugger } = {}) {
  const host = createMemoryHost({ files: more.files ?? {} });
  const interruptible = more.interrupted === undefined ? host : { ...host, interrupted: more.interrupted };
  return new Evaluator(interruptible, more.debugger === undefined ? {} : { debugger: more.debugger });
}

test("a variable that is defined again leaves what was compiled before as it was", () => {
  const language = evaluator();
  const variables = language.newVariables("/");
  language.enterLine(variables, "x = 1", false);
  language.enterLine(variables, `f = y: ${"x + ".repeat(60)} y`, false);
  language.enterLine(variables, "x = 100", false);
  expect(language.evaluateWith(variables, "f 0")).toBe(makeInteger(60));
  expect(language.evaluateWith(variables, "x")).toBe(makeInteger(100));
});

test("a line that fails leaves the variables as they were", () => {
  const language = evaluator();
  const variables = language.newVariables("/");
  language.enterLine(variables, "a = 1", false);
  for (const line of ["a = 2; b = nope", "a = 2; a = 3", "a ="]) {
    expect(() => language.enterLine(variables, line, false)).toThrow();
  }
  expect(language.evaluateWith(variables, "a")).toBe(makeInteger(1));
  expect(variables.has("b")).toBe(false);
});

test("definitions over several lines are incomplete for the patient and wrong for the others", () => {
  const language = evaluator();
  const variables = language.newVariables("/");
  const enter = (text: string, patient: boolean) => () => language.enterLine(variables, text, patient);
  for (const text of ["x = {", "x =", "x = (1", "f = y:"]) {
    expect(enter(text, true)).toThrow(expect.objectContaining({ code: "incomplete-input" }));
    expect(enter(text, false)).toThrow(expect.objectContaining({ code: "parse-error" }));
  }
  // What may be a whole expression is not waited for.
  expect(enter("true", true)()).toEqual({ kind: "value", value: trueValue });
});

test("no more variables than the environment holds", () => {
  const language = evaluator();
  const variables = language.newVariables("/");
  const many = (count: number): Slot =>
    language.evaluateWith(
      variables,
      `builtins.listToAttrs (builtins.genList (i: { name = "n" + toString i; value = i; }) ${count})`,
    );
  expect(language.addVariables(variables, many(30000)).count).toBe(30000);
  expect(() => language.addVariables(variables, many(3000))).toThrow("environment full; cannot add more variables");
  expect(language.evaluateWith(variables, "n29999")).toBe(makeInteger(29999));
});

test("an interrupted evaluation can be taken up again, and tryEval does not swallow the interruption", () => {
  let stop = false;
  const language = evaluator({ interrupted: () => stop });
  const variables = language.newVariables("/");
  const sum = "builtins.foldl' (a: _: a + 1) 0 (builtins.genList (i: i) 5000)";
  language.enterLine(variables, `x = ${sum}`, false);
  language.enterLine(variables, "y = { inner = x; }", false);
  stop = true;
  for (const text of ["x", "builtins.tryEval x", "builtins.deepSeq y 1"]) {
    expect(() => language.evaluateWith(variables, text)).toThrow(
      expect.objectContaining({ code: "interrupted", message: "interrupted by the user" }),
    );
  }
  const shown = language.show(language.evaluateWith(variables, "[ y y.inner ]"), options);
  expect(shown.error).toMatchObject({ code: "interrupted" });
  stop = false;
  expect(language.evaluateWith(variables, "y.inner + x")).toBe(makeInteger(10000));
});

test("errors inside a value are part of it, those of the value itself come beside what was printed", () => {
  const language = evaluator();
  const variables = language.newVariables("/");
  const show = (text: string) => language.show(language.evaluateWith(variables, text), options);
  expect(show('[ 1 (throw "x") ]')).toEqual({ text: "[\n  1\n  \xc2\xaberror: x\xc2\xbb\n]" });
  expect(show('{ a = throw "x"; }')).toMatchObject({ text: "{", error: { message: "x" } });
});

test("the doc comment of a function is its own, its attribute's, or that of the functions around it", () => {
  const files = {
    "/docs.nix": "{\n  /** of the attribute */\n  a = x: /** inner */ y: x;\n  b = x: x;\n  /** no */ c = 1;\n}",
  };
  const language = evaluator({ files });
  const variables = language.newVariables("/");
  const comment = (text: string) => language.document(variables, text);
  expect(comment("(import /docs.nix).a")).toMatchObject({ kind: "function", name: "a", comment: "of the attribute " });
  expect(comment("(import /docs.nix).a 1")).toMatchObject({ kind: "function", comment: "inner " });
  expect(comment("(import /docs.nix).b")).toMatchObject({ position: "/docs.nix:4:7", comment: undefined });
  expect(comment("(import /docs.nix).c")).toMatchObject({ kind: "attribute", position: "/docs.nix:5:13" });
  expect(comment("1")).toBeUndefined();
});

test("the debugger stops once at an error, with the variables around it, and evaluates meanwhile", () => {
  const stops: { steps: DebugTraceStep[]; levels: DebugLevel[]; seen: unknown }[] = [];
  const host = createMemoryHost({});
  const observer: Debugger = new Debugger({
    ignoreTry: false,
    stopOnTrace: false,
    stopOnWarning: false,
    stop(reason): StopAnswer {
      const inside = language.newVariables("/");
      inside.assign(observer.variables(0));
      expect(reason.kind).toBe("error");
      expect(() => language.evaluateWith(inside, 'throw "within the debugger"')).toThrow();
      stops.push({
        steps: observer.trace(),
        levels: observer.levels(0),
        seen: language.evaluateWith(inside, "n + outer"),
      });
      return "continue";
    },
  });
  const language: Evaluator = new Evaluator(host, { debugger: observer });
  const text = 'let outer = 40; f = n: throw "boom"; in f 2';
  const evaluate = () => language.evaluate({ kind: "string", text, directory: "/" });
  expect(evaluate).toThrow(expect.objectContaining({ message: "boom" }));
  expect(stops).toHaveLength(1);
  expect(stops[0]?.seen).toBe(makeInteger(42));
  expect(stops[0]?.levels.map(({ names }) => [...names].sort())).toEqual([["n"], ["f", "outer"]]);
  expect(stops[0]?.steps.map(({ isError }) => isError)).toEqual([true, false, false, false, false]);
});
