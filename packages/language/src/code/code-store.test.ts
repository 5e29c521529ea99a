import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { byteString, FirnError } from "@firn/formats";
import { describe, expect, it } from "vitest";
import { Evaluator } from "../evaluator.ts";
import type { CodeCache, EvalHost } from "../host.ts";
import { createMemoryHost } from "../memory-host.ts";

/** Files and stored packs in memory; counts how often a text was read. */
function memoryCache(files: Readonly<Record<string, string>>) {
  const packs = new Map<string, Uint8Array>();
  const seen = { reads: 0 };
  const look = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new FirnError("path-not-found", `path '${path}' does not exist`);
    const digest = createHash("sha256").update(Buffer.from(text, "latin1")).digest();
    return { hash: byteString(new Uint8Array(digest)).slice(0, 16), length: text.length, text };
  };
  const cache: CodeCache = {
    identify: look,
    read(path) {
      seen.reads++;
      return look(path);
    },
    load: (key) => packs.get(key),
    decode: byteString,
    store: (key, pieces) => void packs.set(key, new Uint8Array(Buffer.concat(pieces))),
  };
  return { cache, packs, seen };
}

/** Enough code for a pack to be worth writing. */
const large = `{\n${Array.from({ length: 300 }, (_, i) => `  name${i} = a: a.b.c + ${i};`).join("\n")}\n}\n`;

function hostOf(files: Readonly<Record<string, string>>, cache: CodeCache): EvalHost {
  // This thread's own stack is small, the evaluator's worker has one that is large enough.
  const host = createMemoryHost({ files, mode: { experimentalFeatures: ["pipe-operators"], maxCallDepth: 300 } });
  return { ...host, codeCache: cache };
}

/** What importing files prints, or how it fails, in a new evaluator. */
function runAll(host: EvalHost, paths: readonly string[]): string[] {
  const evaluator = new Evaluator(host);
  const results = paths.map((path) => {
    try {
      const text = `builtins.seq (import /large.nix).name7 (import ${path})`;
      const value = evaluator.evaluate({ kind: "string", text, directory: "/" });
      return evaluator.print(evaluator.deepForce(value), { kind: "instantiate" });
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      return JSON.stringify([error.message, error.position, error.trace]);
    }
  });
  evaluator.keepCode();
  return results;
}

function run(host: EvalHost, path: string): string {
  return runAll(host, [path])[0]!;
}

const sources: Record<string, string> = {
  sets: `rec { b = 2; a = b + 1; "q r" = { inherit a; }; \${"dy" + "n"} = b; z.y.x = [ a b ]; }`,
  functions: `let f = { a, b ? a * 2, ... }@args: x: a + b + x + (args.c or 100); in map (f { a = 1; c = 5; }) [ 1 2 3 ]`,
  numbers: `[ 1 1.5 9223372036854775807 (-9223372036854775807) 3.0e300 ]`,
  paths: `[ ./x.nix ../y (./. + "/a") (toString ./d/e) /etc/z ]`,
  strings: `let x = "b"; in [ "a\${x}c" ''\n  two\n    lines \${x}\n'' ]`,
  scopes: `with { a = 1; }; with { b = 2; }; let c = a + b; in [ a b c (with { c = 9; }; c) ]`,
  errors: `let f = x: x.missing; in f { present = 1; }`,
  asserts: `assert (1 + 1 == 3); true`,
  pipes: `[ 3 1 2 ] |> builtins.sort builtins.lessThan`,
  places: `let s = { a = 1;\n  b = 2; }; in [ (builtins.unsafeGetAttrPos "b" s).line __curPos.line ]`,
  inherits: `let s = { a = 1; b = { c = 2; }; }; inherit (s) a; inherit (s.b) c; in { inherit a c; inherit (import ./sets.nix) z; }`,
  overrides: `rec { x = 1; y = x; __overrides = { x = 5; }; }`,
};
const files: Record<string, string> = { "/large.nix": large };
for (const [name, text] of Object.entries(sources)) files[`/dir/${name}.nix`] = text;

describe("Kept code", () => {
  it.each(Object.keys(sources))("gives what parsing gives: %s", (name) => {
    const { cache, packs, seen } = memoryCache(files);
    const path = `/dir/${name}.nix`;
    const parsed = run(hostOf(files, cache), path);
    expect(packs.size).toBe(1);
    seen.reads = 0;
    expect(run(hostOf(files, cache), path)).toBe(parsed);
    if (!parsed.startsWith('["') && name !== "places") expect(seen.reads).toBe(0);
  });

  it("gives what parsing gives for the whole corpus, also when parts are lowered only later", () => {
    const corpus = fileURLToPath(new URL("../../../../tests/language/", import.meta.url));
    const cases = readdirSync(corpus, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".nix"));
    const all: Record<string, string> = { "/large.nix": large };
    cases.forEach((name, i) => {
      all[`/case${i}.nix`] = readFileSync(`${corpus}/${name}`, "latin1");
    });
    const { cache } = memoryCache(all);
    const paths = cases.map((_, i) => `/case${i}.nix`);
    const first = runAll(hostOf(all, cache), paths);
    const second = runAll(hostOf(all, cache), paths);
    expect(cases.filter((_, i) => first[i] !== second[i])).toEqual([]);
    expect(first.filter((result) => !result.includes("stack overflow")).length).toBeGreaterThan(900);
  });

  it("serves the same content in another directory, with the paths of that one", () => {
    const { cache } = memoryCache(files);
    run(hostOf(files, cache), "/dir/paths.nix");
    const moved = { ...files, "/other/place/paths.nix": sources.paths! };
    const again = memoryCache(moved).cache;
    const host = hostOf(moved, { ...again, load: cache.load });
    expect(run(host, "/other/place/paths.nix")).toBe(
      '[ /other/place/x.nix /other/y /other/place/a "/other/place/d/e" /etc/z ]',
    );
  });

  it("is not used for a file that has changed", () => {
    const { cache } = memoryCache(files);
    run(hostOf(files, cache), "/dir/numbers.nix");
    const edited = { ...files, "/dir/numbers.nix": "[ 7 ]" };
    const host = hostOf(edited, { ...memoryCache(edited).cache, load: cache.load });
    expect(run(host, "/dir/numbers.nix")).toBe("[ 7 ]");
  });

  it("is dropped when it is no pack", () => {
    const { cache, packs } = memoryCache(files);
    const parsed = run(hostOf(files, cache), "/dir/sets.nix");
    const [key] = packs.keys();
    const whole = packs.get(key!)!;
    for (const damaged of [
      new Uint8Array(0),
      new Uint8Array(3),
      whole.slice(0, 40),
      whole.slice(4),
      new Uint8Array(900),
    ]) {
      packs.set(key!, damaged);
      expect(run(hostOf(files, cache), "/dir/sets.nix")).toBe(parsed);
      expect(packs.get(key!)!.length).toBe(whole.length);
    }
  });

  it("is not kept for a source whose parsing had something to say", () => {
    const text = "let or = 1; f = x: x; in [ f or ]";
    const warned = { "/large.nix": large, "/w.nix": text };
    const { cache } = memoryCache(warned);
    const heard = () => {
      const host = createMemoryHost({ files: warned });
      run({ ...host, codeCache: cache }, "/w.nix");
      return host.messages.length;
    };
    expect(heard()).toBeGreaterThan(0);
    expect(heard()).toBeGreaterThan(0);
  });
});
