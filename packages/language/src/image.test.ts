/** Images of the heap: what one process evaluated goes on in another. */
import { createHash } from "node:crypto";
import { byteString } from "@firn/formats";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Evaluator } from "./evaluator.ts";
import type { ImageSource, StartIdentity } from "./heap/image.ts";
import type { CodeCache } from "./host.ts";

const files: Readonly<Record<string, string>> = {
  "/project/lib.nix": `
    let
      # Each long enough to be lowered when it is first run.
      describe = { left, right ? left + 1, ... }@all: {
        inherit left right;
        names = builtins.attrNames all;
        place = (builtins.unsafeGetAttrPos "left" all).column or "nowhere";
        here = __curPos.line;
      };
      numbers = builtins.listToAttrs (map (i: { name = "n\${toString i}"; value = { inherit i; square = i * i; }; }) (builtins.genList (i: i) 300));
      package = name: inputs: derivation {
        inherit name inputs;
        system = "x86_64-linux"; builder = "/bin/sh"; src = ./source.txt;
      };
    in rec {
      inherit describe numbers package;
      first = package "first" [ ];
      second = package "second" [ first (import ./part.nix { n = 2; }).text ];
      add = a: b: c: a + b + c;
      add1 = add 1;
      add12 = add1 2;
      plus = builtins.foldl' (a: b: a + b);
      lazy = builtins.mapAttrs (name: value: value // { inherit name; }) numbers;
      wide = lazy // { extra = 1; };
      far = builtins.mapAttrs (name: value: [ name value ]) wide;
      text = builtins.concatStringsSep "," (map toString (builtins.genList (i: i) 600)) + toString first;
      large = 9007199254740993;
      float = 1.5;
      path = ./. + "/x";
      failing = throw "never";
      tried = builtins.tryEval failing;
      caught = builtins.tryEval (assert false; 1);
      self = { __functor = self: x: [ x (self ? y) ]; };
      fix = f: let x = f x; in x;
      scoped = builtins.scopedImport { outer = 5; } ./scoped.nix;
      withs = with numbers; with { n1 = 7; }; [ n1 n2.square ];
      matched = builtins.match "(a+)(b*)" "aab";
      removed = builtins.removeAttrs numbers [ "n1" "n2" ];
      json = builtins.fromJSON ''{"x": [1, 2.5, null, "y"]}'';
    }`,
  "/project/part.nix": "{ n }: { text = builtins.readFile ./source.txt; twice = n * 2; }",
  "/project/scoped.nix": "[ outer (x: outer + x) ]",
  "/project/source.txt": "some text",
};

/** Programs that use the library; each is evaluated before the image is made, after, or both. */
const programs = [
  "(import ./lib.nix).describe { left = 1; }",
  "(import ./lib.nix).describe { left = 1; right = 5; more = 2; }",
  "(import ./lib.nix).second.drvPath",
  "(import ./lib.nix).first.outPath + (import ./lib.nix).text",
  '((import ./lib.nix).package "third" [ (import ./lib.nix).second ]).drvPath',
  "(import ./lib.nix).add12 3",
  "map (import ./lib.nix).add1 [ 1 2 ] == [ ]",
  "(import ./lib.nix).add1 5 6",
  "(import ./lib.nix).plus 0 [ 1 2 3 ]",
  "(import ./lib.nix).lazy.n5",
  "(import ./lib.nix).wide.n7.name",
  "(import ./lib.nix).far.n9",
  "builtins.length (builtins.attrValues (import ./lib.nix).far)",
  "builtins.attrNames (import ./lib.nix).removed",
  "[ (import ./lib.nix).large (import ./lib.nix).float (import ./lib.nix).path ]",
  "[ (import ./lib.nix).tried (import ./lib.nix).caught (builtins.tryEval (import ./lib.nix).failing) ]",
  "(import ./lib.nix).self 3",
  "(import ./lib.nix).fix (self: { a = 1; b = self.a + 1; })",
  "(builtins.elemAt (import ./lib.nix).scoped 1) 2",
  "(import ./lib.nix).withs",
  "(import ./lib.nix).matched",
  "(import ./lib.nix).json",
  "(import ./part.nix { n = 4; }).twice",
  "let lib = import ./lib.nix; in [ ({ f = lib.add; } == { f = lib.add; }) (lib == lib) (lib.numbers == lib.numbers) ]",
  'builtins.unsafeGetAttrPos "second" (import ./lib.nix)',
  "builtins.getContext (import ./lib.nix).text",
  "builtins.functionArgs (import ./lib.nix).describe",
];

/** The bytes of a heap here, and of code at most: with many large ones in one process the machine refuses to start programs. */
const heapBytes = 2 ** 28;

class SmallBuffer extends SharedArrayBuffer {
  constructor(size: number) {
    if (size > heapBytes) throw new RangeError(`${size} bytes are too many`);
    super(size);
  }
}

/** The modules of the language as a process has them that was just started. */
async function startedProcess() {
  vi.resetModules();
  vi.stubGlobal("SharedArrayBuffer", SmallBuffer);
  const [{ Evaluator }, { createMemoryHost }, { ImageMismatch }] = await Promise.all([
    import("./evaluator.ts"),
    import("./memory-host.ts"),
    import("./heap/tables.ts"),
  ]);
  vi.unstubAllGlobals();
  const identified: string[] = [];
  const look = (path: string) => {
    const text = files[path] ?? "";
    const digest = createHash("sha256").update(Buffer.from(text, "latin1")).digest();
    return { hash: byteString(new Uint8Array(digest)).slice(0, 16), length: text.length, text };
  };
  const codeCache: CodeCache = {
    identify(path) {
      identified.push(path);
      return look(path);
    },
    read: look,
    load: () => undefined,
    decode: byteString,
    store() {},
  };
  return {
    ImageMismatch,
    /** The files that were imported, and not known by then. */
    identified,
    evaluator: (nixVersion?: string) => {
      const host = createMemoryHost({ files, mode: { maxCallDepth: 300 } });
      return new Evaluator({ ...host, codeCache, ...(nixVersion === undefined ? {} : { nixVersion }) });
    },
  };
}

function show(by: Evaluator, text: string): string {
  try {
    const value = by.evaluate({ kind: "string", text, directory: "/project" });
    return by.print(by.deepForce(value), { kind: "nix" });
  } catch (error) {
    return String(error);
  }
}

function sourceOf(pieces: readonly Uint8Array[]): ImageSource {
  const bytes = Buffer.concat(pieces);
  let at = 0;
  return {
    read(into) {
      if (at + into.length > bytes.length) throw new Error("the image is too short");
      into.set(bytes.subarray(at, at + into.length));
      at += into.length;
    },
  };
}

/** Evaluates programs in a process of their own; returns the pieces of an image of it. */
async function imageOf(before: readonly string[]): Promise<Uint8Array[]> {
  const process = await startedProcess();
  const evaluator = process.evaluator();
  const start: StartIdentity = evaluator.startIdentity();
  for (const text of before) show(evaluator, text);
  return evaluator.saveImage(start);
}

const expected = await (async () => {
  const evaluator = (await startedProcess()).evaluator();
  return new Map(programs.map((text) => [text, show(evaluator, text)]));
})();

describe("Images", () => {
  it("go on in another process", async () => {
    const orders = fc.sample(fc.shuffledSubarray(programs, { minLength: 1 }), { numRuns: 12, seed: 7 });
    for (const before of [[], programs, ...orders]) {
      const pieces = await imageOf(before);
      const { evaluator: start, identified } = await startedProcess();
      const evaluator = start();
      evaluator.loadImage(sourceOf(pieces));
      for (const text of programs)
        expect(show(evaluator, text), `${text} after ${before.join("; ")}`).toBe(expected.get(text));
      if (before.length > 1) expect(identified).not.toContain("/project/lib.nix");
    }
  }, 60_000);

  it("can be made of what an image began", async () => {
    const first = await imageOf(programs.slice(0, 9));
    const second = (await startedProcess()).evaluator();
    const start = second.startIdentity();
    second.loadImage(sourceOf(first));
    for (const text of programs.slice(5, 16)) show(second, text);
    second.collect();
    for (const text of programs) expect(show(second, text)).toBe(expected.get(text));
    const pieces = second.saveImage(start);
    const third = (await startedProcess()).evaluator();
    third.loadImage(sourceOf(pieces));
    for (const text of programs) expect(show(third, text)).toBe(expected.get(text));
  });

  it("do not fit another start, and cannot be cut short", async () => {
    const pieces = await imageOf(programs);
    const other = await startedProcess();
    expect(() => other.evaluator("2.0").loadImage(sourceOf(pieces))).toThrow(other.ImageMismatch);
    const cut = await startedProcess();
    expect(() => cut.evaluator().loadImage(sourceOf(pieces.slice(0, -1)))).toThrow("too short");
  });
});
