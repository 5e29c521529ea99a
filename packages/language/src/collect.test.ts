import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Evaluator } from "./evaluator.ts";
import type { Slot } from "./heap/memory.ts";

// A heap of its own: test files of one worker share their modules, and nothing is freed any more in a heap of which
// one of them has taken a value out to the program.
vi.resetModules();
const { Evaluator: FreshEvaluator } = await import("./evaluator.ts");
const { heapSize } = await import("./heap/memory.ts");
const { addHolder } = await import("./heap/tables.ts");
const { createMemoryHost } = await import("./memory-host.ts");

const library = `
  rec {
    range = n: builtins.genList (i: i) n;
    fix = f: let x = f x; in x;
    extend = a: b: final: let first = a final; in first // b final first;
    numbers = builtins.listToAttrs (map (i: { name = "n\${toString i}"; value = { inherit i; square = i * i; }; }) (range 400));
    named = { left, right ? left + 1, ... }@all: { inherit left right; names = builtins.attrNames all; };
    text = builtins.concatStringsSep "," (map toString (range 600));
    lazy = builtins.mapAttrs (name: value: value // { inherit name; }) numbers;
    wide = lazy // { extra = 1; };
    far = builtins.mapAttrs (name: value: [ name value ]) wide;
    pick = set: set.fix;
    pickAlong = set: set.fix or null;
    taken = { fix, ... }: fix;
    pair = name: builtins.listToAttrs (map (name: { inherit name; value = name; }) [ name "fix" ]);
    job = before: name: n: builtins.seq (builtins.length (range before)) [
      (builtins.match ("a" + toString n) ("a" + toString n) == [ ])
      (pick (pair name))
      (pickAlong (pair name))
      (taken (pair name))
    ];
    failing = throw "never";
  }
`;

const files = { "/project/lib.nix": library };

function evaluator(): Evaluator {
  return new FreshEvaluator(createMemoryHost({ files }));
}

function show(by: Evaluator, text: string): string {
  try {
    const value = by.evaluate({ kind: "string", text, directory: "/project" });
    return by.print(by.deepForce(value), { kind: "nix" });
  } catch (error) {
    return String(error);
  }
}

/** Lets an object stand for the variables of a program. */
function held(): { slots: Slot[] } {
  const holder = { slots: [] as Slot[] };
  addHolder(holder, ({ slots }, marker) => {
    for (const slot of slots) marker.slot(slot);
  });
  return holder;
}

/** Names of the file, some known before `fix` and some after it: in sets of two, it is now the first and now the second. */
const other = fc.constantFrom("range", "n", "i", "extend", "numbers", "lazy");

/** Expressions of which each uses what the ones before it have left in the imported file, and makes something of its own. */
const part = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((i) => `lib.lazy.n${i}`),
  fc.integer({ min: 0, max: 3 }).map((i) => `lib.far.n${i}`),
  fc.integer({ min: 0, max: 3 }).map((i) => `lib.wide.n${i}.square`),
  fc.integer({ min: 1, max: 60 }).map((n) => `map (x: x * ${n}) (lib.range ${n})`),
  fc
    .integer({ min: 1, max: 60 })
    .map((n) => `(lib.fix (self: { a = ${n}; b = self.a + 1; c = { inherit (self) a b; }; })).c`),
  fc.integer({ min: 1, max: 60 }).map((n) => `lib.named { left = ${n}; other = "${n}"; }`),
  fc
    .integer({ min: 1, max: 60 })
    .map(
      (n) =>
        `(lib.extend (f: { a = ${n}; b = f.c; }) (f: p: { c = p.a + 1; "d${n}" = f.b; }) (lib.fix (lib.extend (f: { a = 1; b = f.c; }) (f: p: { c = 2; }))))`,
    ),
  fc.integer({ min: 0, max: 500 }).map((n) => `builtins.substring ${n} 40 lib.text`),
  fc
    .integer({ min: 0, max: 60 })
    .map((n) => `with lib; rec { a${n} = range ${n}; \${"b" + "${n}"} = builtins.length a${n} + 0.5; }`),
  fc.integer({ min: 0, max: 9 }).map((n) => `builtins.removeAttrs { a${n} = 1; b = 2; } [ "a${n}" "x" ]`),
  fc.integer({ min: 0, max: 9 }).map((n) => `builtins.match "(a*)(b{${n}})" "aaa${"b".repeat(n)}"`),
  fc.integer({ min: 0, max: 9 }).map((n) => `{ t = builtins.tryEval lib.failing; x = lib.failing; n = ${n}; }.t`),
  // Shapes and patterns that only last for a job, used by code that stays.
  fc
    .tuple(fc.constantFrom("pick", "pickAlong", "taken"), other)
    .map(
      ([by, name]) =>
        `lib.${by} (builtins.listToAttrs (map (name: { inherit name; value = name; }) [ "${name}" "fix" ]))`,
    ),
  fc.integer({ min: 0, max: 9 }).map((n) => `builtins.match ("a" + toString ${n}) "a3"`),
  fc.constant("lib.failing"),
  fc.constant("lib.numbers.n7 == lib.lazy.n7"),
  fc.constant('builtins.scopedImport { a = 1; b = [ 2 ]; } (builtins.toFile "scoped.nix" "a")'),
);

describe("freeing values between evaluations", () => {
  it("changes no result, whenever it happens", () => {
    const jobs = fc.array(fc.record({ text: part, keep: fc.boolean(), collect: fc.boolean() }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(jobs, (steps) => {
        const plain = evaluator();
        const collecting = evaluator();
        const kept = held();
        const expected: string[] = [];
        for (const { text, keep, collect } of steps) {
          const job = `let lib = import ./lib.nix; in ${text}`;
          const result = show(plain, job);
          expect(show(collecting, job)).toBe(result);
          if (keep && !text.includes("failing") && !text.includes("scoped")) {
            // What is held is not forced before the values around it were freed.
            kept.slots.push(collecting.evaluate({ kind: "string", text: job, directory: "/project" }));
            expected.push(result);
          }
          if (collect) expect(collecting.collect()).toBeDefined();
        }
        expect(kept.slots.map((slot) => collecting.print(collecting.deepForce(slot), { kind: "nix" }))).toEqual(
          expected,
        );
      }),
      { numRuns: 25 },
    );
  });

  it("leaves no address of what was freed in caches", () => {
    const by = evaluator();
    const names = ["range", "lazy", "n", "zero"];
    for (let i = 0; i < 100; i++) {
      // The jobs leave nothing that stays: what one makes lies where that of the one before lay, or a little further.
      const text = `(import ./lib.nix).job ${(i >> 2) % 9} "${names[i % 4]}" ${i % 10}`;
      expect(show(by, text)).toBe(`[ true "fix" "fix" "fix" ]`);
      expect(by.collect()).toBeDefined();
    }
  });

  it("keeps many evaluations below a bound", () => {
    const by = evaluator();
    const texts = Array.from(
      { length: 200 },
      (_, i) =>
        `builtins.length (map (x: { inherit x; y = [ x "\${toString x}" ]; }) (builtins.genList (x: x) ${20 * (i + 1)}))`,
    );
    show(by, texts.at(-1)!);
    expect(by.collect()).toBeDefined();
    const start = heapSize();
    let largest = 0;
    texts.forEach((text, i) => {
      expect(show(by, text)).toBe(String(20 * (i + 1)));
      largest = Math.max(largest, heapSize());
      expect(by.collect()).toBeDefined();
    });
    expect(heapSize() - start).toBeLessThan(40_000);
    expect(largest - start).toBeLessThan(400_000);
  });
});
