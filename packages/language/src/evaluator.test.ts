import { compareVersions, FirnError } from "@firn/formats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRegex } from "./builtins/regex.ts";
import { Evaluator } from "./evaluator.ts";
import { createMemoryHost, type MemoryHostOptions } from "./memory-host.ts";
import { contextElements, contextOf, mergeContexts } from "./value/context.ts";
import { quoteString } from "./value/text.ts";

function evaluator(options?: MemoryHostOptions): Evaluator {
  return new Evaluator(createMemoryHost(options));
}

const shared = evaluator();

function show(text: string, by: Evaluator = shared): string {
  const value = by.evaluate({ kind: "string", text, directory: "/project" });
  by.deepForce(value);
  return by.print(value, { kind: "instantiate" });
}

function failure(text: string, by: Evaluator = shared): FirnError {
  try {
    show(text, by);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  throw new Error(`'${text}' evaluates`);
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const literal = (value: bigint) => (value < 0n ? `(-${-(value + 1n)} - 1)` : String(value));

describe("integers", () => {
  it("add, subtract and multiply as 64-bit numbers or report the overflow", () => {
    const operations = [
      ["+", (a: bigint, b: bigint) => a + b],
      ["-", (a: bigint, b: bigint) => a - b],
      ["*", (a: bigint, b: bigint) => a * b],
    ] as const;
    fc.assert(
      fc.property(int64, int64, fc.constantFrom(...operations), (a, b, [symbol, compute]) => {
        const exact = compute(a, b);
        const text = `${literal(a)} ${symbol} ${literal(b)}`;
        if (exact === BigInt.asIntN(64, exact)) expect(show(text)).toBe(String(exact));
        else expect(failure(text).message).toMatch(/^integer overflow in /);
      }),
    );
  });

  const mixed = fc.oneof(int64, fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }), fc.bigInt({ min: -40n, max: 40n }));

  it("have their bits combined as 64-bit numbers", () => {
    fc.assert(
      fc.property(mixed, mixed, (a, b) => {
        const text = `[ (builtins.bitAnd a b) (builtins.bitOr a b) (builtins.bitXor a b) ]`;
        expect(show(`let a = ${literal(a)}; b = ${literal(b)}; in ${text}`)).toBe(`[ ${a & b} ${a | b} ${a ^ b} ]`);
      }),
    );
  });

  it("are written and sorted as numbers", () => {
    fc.assert(
      fc.property(fc.array(mixed, { maxLength: 20 }), (numbers) => {
        const list = `[ ${numbers.map((n) => `(${literal(n)})`).join(" ")} ]`;
        expect(show(`map toString ${list}`)).toBe(`[ ${numbers.map((n) => `"${n}" `).join("")}]`);
        const sorted = [...numbers].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(show(`builtins.sort builtins.lessThan ${list}`)).toBe(`[ ${sorted.map((n) => `${n} `).join("")}]`);
      }),
    );
  });

  it("are the same as arguments of builtins and by themselves", () => {
    fc.assert(
      fc.property(mixed, mixed, fc.constantFrom("+", "-", "*"), (a, b, operator) => {
        const from = `let a = ${literal(a)}; b = ${literal(b)}; in`;
        const value = `${from} [ (a ${operator} b) ((a ${operator} b) < 7) ]`;
        const given = `${from} [ (builtins.add (a ${operator} b) 0) (builtins.lessThan (a ${operator} b) 7) ]`;
        const result = (text: string) => {
          try {
            return show(text);
          } catch (error) {
            return error instanceof FirnError ? error.message : String(error);
          }
        };
        expect(result(given)).toBe(result(value));
      }),
    );
  });

  it("compare as numbers whatever their representation", () => {
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        expect(show(`[ (${literal(a)} < ${literal(b)}) (${literal(a)} == ${literal(b)}) ]`)).toBe(
          `[ ${a < b} ${a === b} ]`,
        );
      }),
    );
  });
});

describe("strings", () => {
  it("come back from their literal", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)) }), (text) => {
        fc.pre(!text.includes("\r"));
        expect(show(quoteString(text))).toBe(quoteString(text));
      }),
    );
  });

  it("survive JSON in both directions", () => {
    const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: false });
    fc.assert(
      fc.property(json, (value) => {
        // Neither NUL nor integers between 2⁶³ and 2⁶⁴ have a value.
        fc.pre(!/\\u0000|[0-9]{19}/.test(JSON.stringify(value)));
        const text = quoteString(JSON.stringify(value).replace(/[^\x00-\x7f]/g, "?"));
        expect(show(`let v = builtins.fromJSON ${text}; in builtins.fromJSON (builtins.toJSON v) == v`)).toBe("true");
      }),
    );
  });
});

describe("attribute sets", () => {
  it("prefer the right side in updates, small and large", () => {
    const entries = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat(9), { maxKeys: 600 });
    fc.assert(
      fc.property(entries, entries, (left, right) => {
        const set = (members: Record<string, number>) => `(builtins.fromJSON ${quoteString(JSON.stringify(members))})`;
        const merged = { ...left, ...right };
        expect(show(`${set(left)} // ${set(right)} == ${set(merged)}`)).toBe("true");
      }),
      { numRuns: 30 },
    );
  });
});

describe("contexts", () => {
  const context = fc
    .array(fc.nat(30))
    .map((numbers) =>
      numbers.reduce<ReturnType<typeof mergeContexts>>(
        (merged, n) => mergeContexts(merged, contextOf({ kind: "opaque", path: `/nix/store/p${n}` })),
        0,
      ),
    );

  it("merge as sets do", () => {
    fc.assert(
      fc.property(context, context, (a, b) => {
        const paths = (c: typeof a) => contextElements(c).map((element) => JSON.stringify(element));
        const union = [...new Set([...paths(a), ...paths(b)])].sort();
        expect(paths(mergeContexts(a, b))).toEqual(union);
        expect(paths(mergeContexts(b, a))).toEqual(union);
      }),
    );
  });
});

function matches(pattern: string, text: string): unknown[] {
  const found: unknown[] = [];
  compileRegex(pattern).eachMatch(text, (start, end, groups) => found.push([start, end, groups]));
  return found;
}

describe("regular expressions", () => {
  it("agree with JavaScript where both must", () => {
    const pattern = fc.stringMatching(/^([ab.]|[ab][*+?]|\[ab\]){1,6}$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[abc]{0,8}$/), (source, text) => {
        expect(compileRegex(source).match(text) !== undefined).toBe(new RegExp(`^(?:${source})$`).test(text));
      }),
    );
  });

  it("take the longest of the leftmost matches", () => {
    expect(matches("a|ab|abc", "xabcd")).toEqual([[1, 4, []]]);
  });

  it("find all matches, also empty ones and those of plain text", () => {
    expect(matches("ab", "abxabab")).toEqual([
      [0, 2, []],
      [3, 5, []],
      [5, 7, []],
    ]);
    expect(matches("b*", "abb")).toEqual([
      [0, 0, []],
      [1, 3, []],
      [3, 3, []],
    ]);
    expect(matches("(a)(b)?", "aab")).toEqual([
      [0, 1, ["a", undefined]],
      [1, 3, ["a", "b"]],
    ]);
  });
});

describe("versions", () => {
  it("are ordered the other way round when swapped", () => {
    const version = fc.stringMatching(/^([0-9]{1,2}|[a-z]{1,3}|pre|\.|-){0,5}$/);
    fc.assert(fc.property(version, version, (a, b) => compareVersions(a, b) === (-compareVersions(b, a) || 0)));
  });
});

describe("the host", () => {
  const files = { "/lib/default.nix": "{ x }: { y = x + 1; f = ./data.txt; }", "/lib/data.txt": "hello" };

  it("gives imports their files, once each", () => {
    const by = evaluator({ files });
    expect(show("let l = import /lib { x = 1; }; in [ l.y (builtins.readFile l.f) ]", by)).toBe('[ 2 "hello" ]');
    expect(show("builtins.readDir /lib", by)).toBe('{ "data.txt" = "regular"; "default.nix" = "regular"; }');
  });

  it("gets derivations and the paths they use", () => {
    const by = evaluator({ files });
    const path = show('(derivation { name = "n"; system = "s"; builder = "b"; src = /lib/data.txt; }).drvPath', by);
    const text = [...createdDerivations(by)].join();
    expect(path).toMatch(/^"\/nix\/store\/[0-9a-z]{32}-n\.drv"$/);
    expect(text).toMatch(/\("src","\/nix\/store\/[0-9a-z]{32}-data\.txt"\)/);
  });

  it("is not asked for what stays lazy", () => {
    expect(show("let x = import /nowhere.nix; in 1")).toBe("1");
  });

  it("receives traces in order", () => {
    const host = createMemoryHost();
    show('builtins.trace "a" (builtins.trace "b" 1)', new Evaluator(host));
    expect(host.messages.map((message) => message.text)).toEqual(["a", "b"]);
  });
});

function createdDerivations(by: Evaluator): Iterable<string> {
  return (by.host as ReturnType<typeof createMemoryHost>).derivations.values();
}

describe("errors", () => {
  it("say where, with the line itself", () => {
    const error = failure("let\n  a = 1;\nin a.b");
    expect(error.message).toBe("expected a set but found an integer: 1");
    expect(error.trace[0]).toMatchObject({ position: { line: 3, column: 4, excerpt: { line: "in a.b" } } });
  });

  it("suggest names that are near", () => {
    expect(failure("{ alpha = 1; beta = 2; }.alpa").suggestions).toEqual(["alpha"]);
  });

  it("find an undefined variable before anything runs", () => {
    expect(failure('builtins.trace "never" (x: nope)').code).toBe("undefined-variable");
  });

  it("leave the evaluator usable", () => {
    expect(failure("let f = x: f x; in f 1").message).toBe("stack overflow; max-call-depth exceeded");
    expect(show("1 + 1")).toBe("2");
  });
});

describe("a long evaluation", () => {
  const names = Array.from({ length: 150 }, (_, i) => `f${i}`);
  const files = Object.fromEntries(names.map((name, i) => [`/project/${name}.nix`, `{ ${name} = ${i}; }`]));
  const text = `builtins.foldl' (sum: f: sum + f) 0 [ ${names.map((name) => `(import ./${name}.nix).${name}`).join(" ")} ]`;

  it("comes to the same as a short one", () => {
    const by = evaluator({
      files,
      mode: { maxCallDepth: 20 },
    });
    expect(show(text, by)).toBe(String((149 * 150) / 2));
    expect((by.host as { messages?: unknown[] }).messages).toEqual([]);
  });
});
