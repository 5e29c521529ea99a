import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashData } from "../hash/hash.ts";
import type { Derivation, DerivationOutput } from "./derivation.ts";
import { downstreamPlaceholder, fillOutputPaths, hashPlaceholder } from "./hash.ts";
import { derivationFromJson, derivationToJson } from "./json.ts";
import { parseDerivation } from "./parse.ts";
import { printDerivation } from "./print.ts";

const emptyDerivation: Derivation = {
  name: "x",
  outputs: new Map(),
  inputDrvs: new Map(),
  inputSrcs: [],
  system: "x86_64-linux",
  builder: "/bin/sh",
  args: [],
  env: new Map(),
};

const bytes = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const word = fc.string({ unit: fc.constantFrom(..."abcxyz0123_-"), minLength: 1, maxLength: 10 });
const storePath = word.map((name) => `/nix/store/${"0".repeat(32)}-${name}`);
const output: fc.Arbitrary<DerivationOutput> = fc.oneof(
  storePath.map((path) => ({ kind: "input-addressed" as const, path })),
  fc.constant({ kind: "deferred" as const }),
  fc.constant({ kind: "floating" as const, method: "nar" as const, algorithm: "sha256" as const }),
  fc.constant({ kind: "impure" as const, method: "flat" as const, algorithm: "sha1" as const }),
  bytes.map((text) => ({
    kind: "fixed" as const,
    address: { method: "nar" as const, hash: hashData("sha256", text) },
  })),
);
const derivation: fc.Arbitrary<Derivation> = fc.record({
  name: word,
  outputs: fc.dictionary(word, output, { minKeys: 1, maxKeys: 3 }).map((o) => new Map(Object.entries(o).sort())),
  inputDrvs: fc
    .array(
      fc.tuple(
        storePath,
        fc.uniqueArray(word, { maxLength: 3 }).map((outputs) => ({ outputs: outputs.sort() })),
      ),
    )
    .map((entries) => new Map(entries)),
  inputSrcs: fc.uniqueArray(storePath).map((paths) => paths.sort()),
  system: word,
  builder: bytes,
  args: fc.array(bytes),
  env: fc.array(fc.tuple(bytes, bytes)).map((entries) => new Map(entries.filter(([key]) => key !== "__json"))),
});

describe("derivations", () => {
  it("survive printing and parsing as ATerm", () => {
    fc.assert(
      fc.property(derivation, (drv) => {
        const text = printDerivation(drv);
        expect(printDerivation(parseDerivation(text, drv.name))).toBe(text);
        expect(parseDerivation(text, drv.name)).toEqual(drv);
      }),
    );
  });

  it("survive conversion to JSON and back", () => {
    fc.assert(
      fc.property(derivation, (drv) => {
        expect(printDerivation(derivationFromJson(derivationToJson(drv)))).toBe(printDerivation(drv));
      }),
    );
  });

  it("never hang or pass when cut short", () => {
    fc.assert(
      fc.property(derivation, fc.double({ min: 0, max: 0.999, noNaN: true }), (drv, part) => {
        const text = printDerivation(drv);
        expect(() => parseDerivation(text.slice(0, Math.floor(text.length * part)), drv.name)).toThrow();
      }),
    );
  });

  it("have no null bytes, wherever one stands", () => {
    const drv: Derivation = {
      ...emptyDerivation,
      outputs: new Map([["out", { kind: "deferred" }]]),
      args: ["-c", "true"],
      env: new Map([["variable", "value"]]),
    };
    const text = printDerivation(drv);
    for (let at = 0; at <= text.length; at++) {
      expect(() => parseDerivation(`${text.slice(0, at)}\0${text.slice(at)}`, "x")).toThrow(
        "derivation 'x' contains a null byte",
      );
    }
    const odd: Partial<Derivation>[] = [
      { system: "a\0" },
      { builder: "a\0" },
      { args: ["a\0"] },
      { env: new Map([["a\0", ""]]) },
      { env: new Map([["a", "a\0"]]) },
      { outputs: new Map([["a\0", { kind: "deferred" }]]) },
    ];
    for (const change of odd) {
      expect(() => derivationFromJson(derivationToJson({ ...drv, ...change }))).toThrow("contains a null byte");
    }
  });

  it("get the output path the reference computes", () => {
    const drv: Derivation = {
      ...emptyDerivation,
      outputs: new Map([["out", { kind: "deferred" }]]),
      env: new Map([
        ["builder", "/bin/sh"],
        ["name", "x"],
        ["out", ""],
        ["system", "x86_64-linux"],
      ]),
    };
    const filled = fillOutputPaths(drv, { lookup: () => ({ hashes: new Map(), deferred: false }) });
    expect(filled.env.get("out")).toBe("/nix/store/s668cfx1vrqfjryf96jj8wfhg7f67dhj-x");
  });

  it("are left as they are when they have one", () => {
    const drv: Derivation = {
      ...emptyDerivation,
      outputs: new Map([["out", { kind: "input-addressed", path: "/nix/store/s668cfx1vrqfjryf96jj8wfhg7f67dhj-x" }]]),
      env: new Map([["out", ""]]),
    };
    expect(fillOutputPaths(drv, { lookup: () => ({ hashes: new Map(), deferred: false }) })).toEqual(drv);
  });

  it("get the placeholders the reference computes", () => {
    expect(hashPlaceholder("out")).toBe("/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
    expect(downstreamPlaceholder("/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv", "out")).toBe(
      "/0c6rn30q4frawknapgwq386zq358m8r6msvywcvc89n6m5p2dgbz",
    );
  });
});
