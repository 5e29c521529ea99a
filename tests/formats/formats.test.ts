/** Byte formats against what the reference said when scripts/record-formats.ts asked it. */
import fs from "node:fs";
import {
  byteStringOf,
  checkStorePathName,
  countGoodSignatures,
  type DerivationHash,
  derivationFromJson,
  derivationKind,
  derivationStorePath,
  derivationToJson,
  fillOutputPaths,
  hashData,
  hashDerivationModulo,
  isHashAlgorithm,
  isJsonObject,
  listingToJson,
  makeFixedOutputPath,
  makeTextPath,
  NarLister,
  narOfMemory,
  parseDerivation,
  parseFlakeLock,
  parseHash,
  parseJson,
  parseNar,
  parseNarInfo,
  parsePublicKey,
  parseSecretKey,
  printDerivation,
  printFlakeLock,
  printHash,
  printJson,
  printNarInfo,
  signPathInfo,
  storePathName,
} from "@firn/formats";
import { describe, expect, it } from "vitest";

function golden<T>(name: string): T {
  const file = new URL(`golden/${name}.json`, import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { value: T }).value;
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "no error";
}

describe("hashes", () => {
  type Case = Record<"algorithm" | "input" | "base16" | "nix32" | "base64" | "sri", string>;
  for (const { algorithm, input, ...printed } of golden<Case[]>("hashes")) {
    it(`are printed and read like the reference's: ${algorithm} of ${input.length} bytes`, () => {
      if (!isHashAlgorithm(algorithm)) throw new Error(algorithm);
      const hash = hashData(algorithm, input);
      for (const format of ["base16", "nix32", "base64", "sri"] as const) {
        expect(printHash(hash, format, false)).toBe(printed[format]);
        expect(printHash(parseHash(printed[format], algorithm), "base16", false)).toBe(printed.base16);
      }
    });
  }
  for (const { hash, error } of golden<{ hash: string; error: string }[]>("hash-errors")) {
    it(`are refused in the reference's words: ${hash}`, () => expect(messageOf(() => parseHash(hash))).toBe(error));
  }
});

describe("store paths", () => {
  for (const { name, error } of golden<{ name: string; error: string }[]>("name-errors")) {
    it(`are refused in the reference's words: '${name.slice(0, 10)}'`, () => {
      expect(error).toContain(messageOf(() => checkStorePathName(byteStringOf(name))));
    });
  }
  for (const { hash, mode, path } of golden<Record<"hash" | "mode" | "path", string>[]>("fixed-paths")) {
    it(`of fixed outputs are the reference's: ${mode} ${hash}`, () => {
      const address = { method: mode === "flat" ? ("flat" as const) : ("nar" as const), hash: parseHash(hash) };
      expect(makeFixedOutputPath(address, { name: "x.tar-1.0" })).toBe(path);
    });
  }
  for (const { text, path } of golden<Record<"text" | "path", string>[]>("text-paths")) {
    it(`of texts are the reference's: ${JSON.stringify(text)}`, () => {
      expect(makeTextPath(text, { name: "some-name.txt" })).toBe(path);
    });
  }
});

describe("derivations", () => {
  const all = golden<Record<"path" | "text" | "json", string>[]>("derivations");
  const texts = new Map(all.map((item) => [item.path, item.text]));
  const parse = (path: string) => parseDerivation(texts.get(path)!, storePathName(path).slice(0, -".drv".length));
  const lookup = (path: string): DerivationHash => hashDerivationModulo(parse(path), { maskOutputs: false, lookup });
  for (const { path, text, json } of all) {
    it(`are read, printed and shown like the reference's: ${storePathName(path)}`, () => {
      const derivation = parse(path);
      expect(printDerivation(derivation)).toBe(text);
      expect(derivationStorePath(derivation).path).toBe(path);
      const shown = parseJson(json);
      const member = isJsonObject(shown) ? shown.get("derivations") : undefined;
      const value = isJsonObject(member) ? member.get(path.slice("/nix/store/".length)) : undefined;
      expect(printJson(derivationToJson(derivation))).toBe(printJson(value!));
      expect(printDerivation(derivationFromJson(value!))).toBe(text);
    });

    it(`get the reference's output paths: ${storePathName(path)}`, () => {
      const derivation = parse(path);
      if (derivationKind(derivation) !== "input-addressed")
        return expect(derivationKind(derivation)).not.toBe("input-addressed");
      const names = [...derivation.outputs.keys()];
      const bare = {
        ...derivation,
        outputs: new Map(names.map((name) => [name, { kind: "deferred" as const }])),
        env: new Map([...derivation.env].map(([name, value]) => [name, names.includes(name) ? "" : value])),
      };
      return expect(printDerivation(fillOutputPaths(bare, { lookup }))).toBe(
        printDerivation({
          ...derivation,
          env: new Map([
            ...derivation.env,
            ...names.map((name): [string, string] => {
              const output = derivation.outputs.get(name)!;
              return [name, output.kind === "input-addressed" ? output.path : ""];
            }),
          ]),
        }),
      );
    });
  }
});

describe("archives", () => {
  it("are read, listed and written like the reference's", () => {
    const { nar, listing } = golden<{ nar: string; listing: string }>("nar");
    const bytes = Buffer.from(nar, "base64");
    expect(Buffer.concat(narOfMemory(parseNar([bytes]))).equals(bytes)).toBe(true);
    const lister = new NarLister();
    lister.push(bytes);
    expect(printJson(listingToJson(lister.result()))).toBe(printJson(parseJson(listing)));
  });
});

describe("narinfo", () => {
  it("is read, printed, signed and verified like the reference's", () => {
    const { narinfo, secretKey, publicKey } = golden<Record<"narinfo" | "secretKey" | "publicKey", string>>("narinfo");
    const info = parseNarInfo(narinfo, "x");
    expect(printNarInfo(info)).toBe(narinfo);
    expect(countGoodSignatures(info, [parsePublicKey(publicKey)])).toBe(1);
    expect([signPathInfo(info, parseSecretKey(secretKey))]).toEqual(info.signatures);
  });
});

describe("flake.lock", () => {
  it("is printed as the reference writes it", () => {
    const text = golden<string>("flake-lock");
    expect(printFlakeLock(parseFlakeLock(text, "flake.lock"))).toBe(text);
  });
});
