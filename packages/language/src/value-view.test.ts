import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, parse } from "./library.ts";
import { type JsInput, type PlainJs, toPlain, type ValueView } from "./value-view.ts";

function set(view: ValueView): Extract<ValueView, { kind: "set" }> {
  if (view.kind !== "set") throw new Error(`a ${view.kind}`);
  return view;
}

describe("views of values", () => {
  it("evaluate only what is asked for", () => {
    const view = set(evaluate('{ a = 1; b = throw "asked"; c = [ (throw "element") 2 ]; }'));
    expect(view.names()).toEqual(["a", "b", "c"]);
    expect(view.get("a")).toEqual({ kind: "int", value: 1 });
    expect(() => view.get("b")).toThrow("asked");
    const list = view.get("c");
    expect(list?.kind === "list" && list.at(1)).toEqual({ kind: "int", value: 2 });
    expect(view.get("nothing")).toBeUndefined();
  });

  it("show strings as JavaScript has them, with their context", () => {
    expect(evaluate('"ä€😀"')).toMatchObject({ kind: "string", value: "ä€😀", context: [] });
    expect(evaluate('"${builtins.toFile "f" "x"}"')).toMatchObject({ context: [{ kind: "opaque" }] });
    expect(set(evaluate('{ "é" = 1; }')).get("é")).toEqual({ kind: "int", value: 1 });
  });

  it("keep integers exact", () => {
    expect(evaluate("9223372036854775807")).toEqual({ kind: "int", value: 9223372036854775807n });
    expect(evaluate("9007199254740991")).toEqual({ kind: "int", value: 9007199254740991 });
  });

  it("refuse what plain data cannot be", () => {
    expect(() => toPlain(evaluate("let a = { b = a; }; in a"))).toThrow("contains itself");
    expect(() => toPlain(evaluate("let f = n: [ (f (n + 1)) ]; in f 0"), 50)).toThrow("more than 50 levels");
    expect(() => toPlain(evaluate("[ (x: x) ]"))).toThrow("function");
    expect(toPlain(evaluate("let a = [ 1 ]; in [ a a ]"))).toEqual([[1], [1]]);
  });

  it("are not fooled by names that objects have", () => {
    const plain = toPlain(evaluate("{ __proto__ = { x = 1; }; constructor = 2; }")) as { [name: string]: PlainJs };
    expect(Object.keys(plain)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(plain)).toBeNull();
  });

  it("take views and data as arguments, and give the same back", () => {
    const identity = evaluate("x: x");
    if (identity.kind !== "function") throw new Error(identity.kind);
    const data = fc.letrec<{ value: JsInput }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.double({ noNaN: true }),
        fc.string({ unit: "grapheme" }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.string({ unit: "grapheme" }), tie("value"), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(data, (value) => {
        const returned = toPlain(identity.call(value));
        expect(JSON.parse(JSON.stringify(returned))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    const inner = evaluate("{ a = 1; }");
    expect(toPlain(identity.call([inner]))).toEqual([{ a: 1 }]);
    expect(() => identity.call(2n ** 64n)).toThrow("64-bit");
  });
});

describe("parse", () => {
  it("gives the plain notation, and the language's errors", () => {
    expect(parse("a: a+1")).toBe("(a: (a + 1))");
    expect(() => parse("{ a = ; }")).toThrow("syntax error, unexpected ';'");
    expect(() => parse("nowhere")).toThrow("undefined variable 'nowhere'");
  });
});
