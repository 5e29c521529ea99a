import { byteStringOf, textOf } from "@firn/formats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Evaluator } from "../evaluator.ts";
import { makeList } from "../heap/list.ts";
import { bool, falseValue, isString, none, nullValue, type Slot, trueValue, type Value } from "../heap/memory.ts";
import { integerOf, isInteger, makeFloat, makeInt64, makeInteger } from "../heap/number.ts";
import { makePath } from "../heap/path.ts";
import { attribute, mapSet, membersOf, setOf, update } from "../heap/set.ts";
import { makeString, stringText } from "../heap/string.ts";
import { intern } from "../heap/symbol.ts";
import type { ContextElement } from "../host.ts";
import { createMemoryHost } from "../memory-host.ts";
import { contextElements, contextOf, mergeContexts } from "./context.ts";
import { typeName } from "./type.ts";

const evaluator = new Evaluator(createMemoryHost());

/** A function of the language, to be called with values. */
function compiled(text: string): (...args: Slot[]) => Value {
  const callee = evaluator.evaluate({ kind: "string", text, directory: "/" });
  return (...args) => evaluator.call(callee, ...args);
}

const less = compiled("a: b: a < b");
const equal = compiled("a: b: a == b");
const join = compiled('a: b: "${a}${b}"');
const roundTrip = compiled("value: builtins.fromJSON (builtins.toJSON value) == value");

function sortedNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedNames);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([name, member]) => [name, sortedNames(member)])
    .sort();
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

const storePath = fc.stringMatching(/^[0-9a-df-np-sv-z]{32}-[a-z]{1,3}$/).map((name) => `/nix/store/${name}`);
const drvPath = storePath.map((path) => `${path}.drv`);
const element: fc.Arbitrary<ContextElement> = fc.oneof(
  storePath.map((path) => ({ kind: "opaque" as const, path })),
  drvPath.map((path) => ({ kind: "deep" as const, drvPath: path })),
  fc
    .tuple(drvPath, fc.constantFrom("out", "dev"))
    .map(([path, output]) => ({ kind: "output" as const, drvPath: path, output })),
);
const context = fc.array(element, { maxLength: 4 }).map((elements) => elements.map(contextOf).reduce(mergeContexts, 0));
const shown = (value: ReturnType<typeof mergeContexts>) => JSON.stringify(contextElements(value));

describe("contexts", () => {
  it("are merged in any order and grouping, and with themselves, to the same", () => {
    fc.assert(
      fc.property(context, context, context, (a, b, c) => {
        expect(shown(mergeContexts(a, b))).toBe(shown(mergeContexts(b, a)));
        expect(shown(mergeContexts(mergeContexts(a, b), c))).toBe(shown(mergeContexts(a, mergeContexts(b, c))));
        expect(shown(mergeContexts(a, a))).toBe(shown(a));
        expect(shown(mergeContexts(a, 0))).toBe(shown(a));
      }),
    );
  });

  it("keep every element of both sides and no other", () => {
    fc.assert(
      fc.property(context, context, (a, b) => {
        const both = new Set([...contextElements(a), ...contextElements(b)].map((item) => JSON.stringify(item)));
        expect(new Set(contextElements(mergeContexts(a, b)).map((item) => JSON.stringify(item)))).toEqual(both);
      }),
    );
  });

  it("of interpolated strings are those of their parts together", () => {
    const text = fc.tuple(fc.stringMatching(/^[a-z]{0,3}$/), context);
    fc.assert(
      fc.property(text, text, ([left, leftContext], [right, rightContext]) => {
        const joined = evaluator.stringOf(join(makeString(left, leftContext), makeString(right, rightContext)));
        expect(joined.text).toBe(left + right);
        expect(JSON.stringify(joined.context)).toBe(shown(mergeContexts(leftContext, rightContext)));
      }),
    );
  });
});

const integer = fc.oneof(
  fc.integer().map(makeInteger),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(makeInt64),
);
const float = fc.double({ noNaN: true, noDefaultInfinity: true }).map(makeFloat);
const bytes = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 6,
});
/** Values of one kind that can be compared; small ranges, so that equal ones occur. */
const comparable: readonly fc.Arbitrary<Slot>[] = [
  fc.oneof(
    integer,
    fc.integer({ min: -3, max: 3 }).map(makeInteger),
    fc.integer({ min: -6, max: 6 }).map((half) => makeFloat(half / 2)),
  ),
  fc.stringMatching(/^[ab\xff]{0,2}$/).map((text) => makeString(text)),
  fc.stringMatching(/^(\/[ab]{1,2}){1,2}$/).map(makePath),
  fc.array(fc.integer({ min: 0, max: 2 }).map(makeInteger), { maxLength: 3 }).map(makeList),
];

describe("comparison", () => {
  comparable.forEach((arbitrary, index) => {
    it(`is a total preorder where it is defined (kind ${index})`, () => {
      fc.assert(
        fc.property(arbitrary, arbitrary, arbitrary, (a, b, c) => {
          const atMost = (x: Slot, y: Slot) => less(y, x) === falseValue;
          expect(less(a, a)).toBe(falseValue);
          expect(atMost(a, b) || atMost(b, a)).toBe(true);
          if (less(a, b) === trueValue) expect(less(b, a)).toBe(falseValue);
          // Through floats, large integers lose their last digits: order holds among values of one kind.
          const kinds = new Set([a, b, c].map((slot) => typeName(evaluator.force(slot))));
          if (kinds.size === 1 && atMost(a, b) && atMost(b, c)) expect(atMost(a, c)).toBe(true);
          if (equal(a, b) === trueValue) expect(less(a, b)).toBe(falseValue);
        }),
        { numRuns: 300 },
      );
    });
  });
});

const json: fc.Arbitrary<Slot> = fc.letrec<{ value: Slot }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(nullValue),
    fc.boolean().map(bool),
    integer,
    float,
    fc.string({ unit: "grapheme" }).map((text) => {
      const encoded = new TextEncoder().encode(text.replaceAll("\0", ""));
      return makeString(Array.from(encoded, (code) => String.fromCharCode(code)).join(""));
    }),
    fc.array(tie("value"), { maxLength: 3 }).map(makeList),
    fc.dictionary(fc.stringMatching(/^[a-z"\\ ]{0,4}$/), tie("value"), { maxKeys: 3 }).map(setOf),
  ),
})).value;

describe("JSON", () => {
  it("gives back what was written", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(roundTrip(value)).toBe(trueValue);
      }),
    );
  });

  it("reads and writes what JavaScript's own does", () => {
    const again = compiled("text: builtins.toJSON (builtins.fromJSON text)");
    fc.assert(
      fc.property(fc.json({ stringUnit: fc.constantFrom(...'a\x01\x1f\n"\\/é\u{1f600}') }), (text) => {
        const value: unknown = JSON.parse(text);
        const written = evaluator.stringOf(again(makeString(byteStringOf(text)))).text;
        // Names are sorted, and zero has no sign.
        expect(JSON.stringify(sortedNames(JSON.parse(textOf(written))))).toBe(JSON.stringify(sortedNames(value)));
      }),
    );
  });

  it("refuses what JavaScript's own refuses", () => {
    const read = compiled("text: builtins.deepSeq (builtins.fromJSON text) true");
    const changed = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom(...'{}[]",:\\0-.e \n\x01xn'))
      .map(([text, at, char]) => text.slice(0, at % text.length) + char + text.slice((at % text.length) + 1))
      // Numbers that do not fit are refused here only, as are escapes of what is no text.
      .filter((text) => !/[0-9.]{16}|e[-+]?[0-9]{3}|\\u/i.test(text));
    fc.assert(
      fc.property(changed, (text) => {
        expect(succeeds(() => read(makeString(byteStringOf(text))))).toBe(succeeds(() => JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
  });

  it("is never wrong about bytes that are no UTF-8", () => {
    const write = compiled("builtins.toJSON");
    fc.assert(
      fc.property(bytes, (text) => {
        let valid = true;
        try {
          new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (c) => c.charCodeAt(0)));
        } catch {
          valid = false;
        }
        let written = true;
        try {
          write(makeString(text));
        } catch {
          written = false;
        }
        expect(written).toBe(valid);
      }),
    );
  });
});

/** A set, and what must be in it. */
type Modelled = readonly [Value, ReadonlyMap<string, number>];
const names = Array.from({ length: 400 }, (_, i) => `name${i}`);

function numbered(size: number, from: number, value: number): Modelled {
  const model = new Map(Array.from({ length: size }, (_, i) => [names[(from + i) % names.length]!, value + i]));
  return [setOf(Object.fromEntries([...model].map(([name, number]) => [name, makeInteger(number)]))), model];
}

const increment = evaluator.evaluate({ kind: "string", text: "name: value: value + 1", directory: "/" });

/** The number that a slot holds, undefined for none. */
function numberAt(slot: Slot): unknown {
  if (slot === none) return undefined;
  const value = evaluator.force(slot);
  return isInteger(value) ? integerOf(value) : typeName(value);
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("over" as const, "under" as const), size: fc.nat(400), from: fc.nat(399) }),
    fc.record({ kind: fc.constantFrom("self" as const, "map" as const, "keep" as const, "look" as const) }),
  ),
  { minLength: 1, maxLength: 40 },
);

describe("large sets", () => {
  it("laid over each other and mapped, in any order, have the attributes of the last definition", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        let [set, model] = numbered(300, 0, 0);
        const kept: Modelled[] = [];
        const join = (left: Modelled, right: Modelled): void => {
          set = update(left[0], right[0]);
          model = new Map([...left[1], ...right[1]]);
        };
        taken.forEach((step, i) => {
          switch (step.kind) {
            case "over":
              join([set, model], numbered(step.size, step.from, 1000 * i));
              break;
            case "under":
              join(numbered(step.size, step.from, 1000 * i), [set, model]);
              break;
            case "self":
              join([set, model], kept.at(-1) ?? [set, model]);
              break;
            case "map":
              set = mapSet(set, increment);
              model = new Map([...model].map(([name, value]) => [name, value + 1]));
              break;
            case "keep":
              kept.push([set, model]);
              break;
            case "look":
              for (const name of names) expect(numberAt(attribute(set, intern(name)))).toBe(model.get(name));
          }
        });
        for (const [made, expected] of [...kept, [set, model] as const]) {
          for (const name of names) expect(numberAt(attribute(made, intern(name)))).toBe(expected.get(name));
          expect(new Map(membersOf(made).map(([name, slot]) => [name, numberAt(slot)]))).toEqual(expected);
        }
      }),
    );
  });
});

/** Ways in which the set `s` is used, and what each gives. */
const uses: readonly (readonly [code: string, result: string])[] = [
  ["s.b", "2"],
  ["s.c or 0", "[2]"],
  ["s ? d", "true"],
  ["(s // { a = 9; }).b", "2"],
  ["({ a = 9; e = 5; } // s)", '{"a":1,"b":2,"c":[2],"d":4,"e":5}'],
  ['removeAttrs s [ "a" ]', '{"b":2,"c":[2],"d":4}'],
  ["builtins.intersectAttrs { c = 0; } s", '{"c":[2]}'],
  ["builtins.mapAttrs (_: x: [ x ]) s", '{"a":[1],"b":[2],"c":[[2]],"d":[4]}'],
  ["builtins.attrNames s", '["a","b","c","d"]'],
  ["builtins.attrValues s", "[1,2,[2],4]"],
  ['builtins.getAttr "d" s', "4"],
  ['builtins.catAttrs "b" [ s s ]', "[2,2]"],
  ["(builtins.zipAttrsWith (_: xs: xs) [ s s ]).d", "[4,4]"],
  ["({ a, d, ... }@all: [ a d all.b ]) s", "[1,4,2]"],
  ["{ inherit (s) c; }", '{"c":[2]}'],
  ["rec { inherit (s) c; e = c; }", '{"c":[2],"e":[2]}'],
  ["with s; [ a d ]", "[1,4]"],
  ["s == s // { }", "true"],
];

describe("the values of a literal set", () => {
  it("are made once, whoever takes them first, and are the same for all", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...uses], { minLength: 1 }), (taken) => {
        const host = createMemoryHost();
        const traced = (name: string, value: string) => `builtins.trace "${name}" (${value})`;
        const from = `inherit (${traced("from", `{ d = ${traced("d", "4")}; }`)}) d;`;
        const members = `a = ${traced("a", "1")}; b = ${traced("b", "s.a + 1")}; c = ${traced("c", "[ s.b ]")}; ${from}`;
        const text = `let s = { ${members} }; in builtins.toJSON [ ${taken.map(([code]) => `(${code})`).join(" ")} ]`;
        const value = new Evaluator(host).evaluate({ kind: "string", text, directory: "/" });
        expect(isString(value) && stringText(value)).toBe(`[${taken.map(([, result]) => result).join(",")}]`);
        const seen = host.messages.map((message) => message.text);
        expect(seen).toEqual([...new Set(seen)]);
      }),
    );
  });
});
