import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocate, emptyString, freeRanges, giveBack, heapSize, isString, nextAddress, type Value } from "./memory.ts";
import { floatOf, integerOf, makeFloat, makeInteger, makeLargeInteger } from "./number.ts";
import {
  compareStrings,
  contextIdOf,
  equalStrings,
  hashOfString,
  isText,
  joinAll,
  joinStrings,
  makeString,
  partOfString,
  stringLength,
  stringText,
  withContext,
} from "./string.ts";
import { intern, knownSymbolOf, nameOf, symbolOf } from "./symbol.ts";

const bytes = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength });
/** Short texts, of which many are equal, and long ones, which are put together without being copied. */
const text = fc.oneof(fc.stringMatching(/^[ab]{0,5}$/), bytes(40), bytes(1500));

describe("strings", () => {
  it("come back as they were made", () => {
    fc.assert(
      fc.property(text, (value) => {
        const string = makeString(value);
        expect(stringText(string)).toBe(value);
        expect(stringLength(string)).toBe(value.length);
        expect(isText(string, value)).toBe(true);
      }),
    );
  });

  it("are put together in any order and grouping to the same", () => {
    const steps = fc.array(fc.record({ text, before: fc.boolean(), flat: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (taken) => {
        let string: Value = emptyString;
        let model = "";
        const parts: Value[] = [];
        for (const step of taken) {
          const part = makeString(step.text);
          parts.push(part);
          string = step.before ? joinStrings(part, string, 0) : joinStrings(string, part, 0);
          model = step.before ? step.text + model : model + step.text;
          // What has its bytes and what has them not yet are parts alike.
          if (step.flat) expect(stringText(string)).toBe(model);
        }
        expect(stringText(string)).toBe(model);
        expect(stringText(joinAll(parts, 0))).toBe(taken.map((step) => step.text).join(""));
      }),
    );
  });

  it("have the parts that JavaScript strings have", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (value, a, b) => {
        const start = a % (value.length + 1);
        const length = b % (value.length - start + 1);
        const string = joinStrings(makeString(value.slice(0, 7)), makeString(value.slice(7)), 0);
        expect(stringText(partOfString(string, start, length, 0))).toBe(value.slice(start, start + length));
      }),
    );
  });

  it("are ordered and equal as their bytes are, whatever their contexts", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const x = makeString(a);
        const y = withContext(joinStrings(makeString(b), emptyString, 0), 1);
        expect(Math.sign(compareStrings(x, y))).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(equalStrings(x, y)).toBe(a === b);
        if (a === b) expect(hashOfString(x)).toBe(hashOfString(y));
        expect(contextIdOf(y)).toBe(1);
      }),
    );
  });
});

describe("symbols", () => {
  it("are the same for the same name, however it was made", () => {
    fc.assert(
      fc.property(text, (name) => {
        const string = joinStrings(makeString(name), emptyString, 0);
        const symbol = symbolOf(string);
        expect(intern(name)).toBe(symbol);
        expect(nameOf(symbol)).toBe(name);
        expect(knownSymbolOf(makeString(name))).toBe(symbol);
        expect(contextIdOf(string)).toBe(0);
      }),
    );
    expect(knownSymbolOf(makeString("a name that nothing has"))).toBe(-1);
  });
});

describe("numbers", () => {
  it("come back as they were made", () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.double(),
        (n, big, x) => {
          expect(integerOf(makeInteger(n))).toBe(n === 0 ? 0 : n);
          expect(BigInt(integerOf(makeLargeInteger(big)!))).toBe(big);
          expect(floatOf(makeFloat(x))).toBe(x);
        },
      ),
    );
    expect(makeLargeInteger(2n ** 63n)).toBeUndefined();
    expect(makeLargeInteger(-(2n ** 63n) - 1n)).toBeUndefined();
  });
});

describe("the heap", () => {
  it("refuses what does not fit, and is used as before", () => {
    const before = heapSize();
    for (const cells of [2 ** 30, 2 ** 33, Number.POSITIVE_INFINITY]) {
      expect(() => allocate(cells)).toThrow(expect.objectContaining({ code: "out-of-memory" }));
    }
    expect(heapSize()).toBe(before);
    expect(isString(makeString("still here"))).toBe(true);
  });
});

describe("what is given back", () => {
  /** Lets the heap fill a range of some cells, as after a collection. */
  function fillRange(cells: number): void {
    const start = allocate(cells);
    freeRanges([{ start, end: start + cells }], heapSize() - cells);
  }

  it("is the last object only", () => {
    fillRange(500);
    const first = allocate(2);
    const second = allocate(2);
    giveBack(first, 2);
    expect(nextAddress()).toBe(second + 2);
    giveBack(second, 2);
    giveBack(first, 2);
    expect(nextAddress()).toBe(first);
  });

  it("is nothing that a large object elsewhere may refer to", () => {
    fillRange(500);
    const size = heapSize();
    const before = allocate(2);
    const large = allocate(2000);
    giveBack(before, 2);
    expect(large).not.toBe(before + 2);
    expect(nextAddress()).toBe(before + 2);
    const after = allocate(2);
    giveBack(after, 2);
    expect(nextAddress()).toBe(after);
    expect(heapSize()).toBe(size + 2002);
  });
});
