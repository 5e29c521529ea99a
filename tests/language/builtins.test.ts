/** The builtins by name against the reference's, and their pages against both. */
import fs from "node:fs";
import path from "node:path";
import { Evaluator, type HostConfig } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { builtinDocs, documentedBuiltins, dumpLanguage } from "@firn/language/docs";
import { describe, expect, it } from "vitest";
import { pagesModule, pagesModuleFile } from "../../scripts/builtin-pages.ts";

interface Recorded {
  readonly documented: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By experimental features; `pure` and `native` are modes. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const recorded = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "builtins.json"), "utf8")) as Recorded;
const allFeatures = ["flakes", "fetch-closure", "dynamic-derivations"];

function configFor(words: readonly string[]): HostConfig {
  return {
    mode: {
      pure: words.includes("pure"),
      restricted: false,
      readOnly: true,
      maxCallDepth: 10000,
      maxMemory: 0,
      experimentalFeatures: words.filter((word) => word !== "pure" && word !== "native"),
      allowImportFromDerivation: true,
      traceImportFromDerivation: false,
      allowNativeCode: words.includes("native"),
      traceVerbose: false,
      abortOnWarn: false,
      lints: { "url-literals": "ignore", "short-path-literals": "ignore", "absolute-path-literals": "ignore" },
    },
    storeDir: "/nix/store",
    currentSystem: "x86_64-linux",
    nixVersion: "2.34.8",
    searchPath: [],
    homeDirectory: "/homeless-shelter",
    currentTime: 0,
    environment: {},
    allowedPaths: [],
    allowedUris: [],
    showTrace: false,
  };
}

async function evaluateJson(evaluator: Evaluator, text: string): Promise<unknown> {
  const value = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  return JSON.parse(await value.print({ kind: "json" }));
}

describe("the names of the builtins are the reference's", () => {
  for (const [features, names] of Object.entries(recorded.names)) {
    it(`with ${features === "" ? "no experimental feature" : features}`, async () => {
      const evaluator = new Evaluator({ config: configFor(features.split(" ")), report: () => undefined });
      try {
        expect(await evaluateJson(evaluator, "builtins.attrNames builtins")).toEqual([...names]);
      } finally {
        await evaluator.close();
      }
    });
  }
});

describe("the pages of the builtins", () => {
  it("are in the module as they are on disk", () => {
    expect(fs.readFileSync(pagesModuleFile, "utf8"), "run `node scripts/builtin-pages.ts`").toBe(pagesModule());
  });

  it("are there for every builtin, and for nothing else", () => {
    const names = new Set([
      ...recorded.names[""]!,
      ...recorded.names.native!,
      ...allFeatures.flatMap((f) => recorded.names[f] ?? []),
    ]);
    expect(documentedBuiltins().sort()).toEqual([...names].sort());
  });

  it("are all readable, with the name of their file", () => {
    for (const name of documentedBuiltins()) expect(builtinDocs(name)?.name, name).toBe(name);
  });

  it("name the arguments, types of values and features as the reference does", () => {
    const dump = dumpLanguage();
    for (const [name, facts] of Object.entries(recorded.documented)) {
      const { doc, ...rest } = dump[name] ?? { doc: "" };
      expect(doc.length, name).toBeGreaterThan(20);
      expect(rest, name).toEqual(facts);
    }
  });

  it("tell how many arguments the implementation takes", async () => {
    const evaluator = new Evaluator({ config: configFor(["native", ...allFeatures]), report: () => undefined });
    try {
      for (const name of documentedBuiltins()) {
        const arity = builtinDocs(name)?.arity ?? 0;
        const call = (count: number) => `builtins.${name} ${"null ".repeat(count)}`;
        if (arity === 0) {
          expect(await evaluateJson(evaluator, `builtins.typeOf ${call(0)}`), name).not.toBe("lambda");
          continue;
        }
        expect(await evaluateJson(evaluator, `builtins.typeOf (${call(arity - 1)})`), name).toBe("lambda");
        expect(await run(evaluator, call(arity)), name).not.toContain("primop");
      }
    } finally {
      await evaluator.close();
    }
  });

  it("have examples that give what they say", async () => {
    const evaluator = new Evaluator({ config: configFor(allFeatures), report: () => undefined });
    let checked = 0;
    try {
      for (const name of documentedBuiltins()) {
        const examples = [...(builtinDocs(name)?.doc ?? "").matchAll(/```nix\n([\s\S]*?)```/g)];
        expect(examples.length, name).toBeGreaterThan(0);
        for (const [, code = ""] of examples) {
          const claim = /^# (=>|error:) (.*)\n$/m.exec(code);
          if (claim === null) {
            await evaluator.parse({ kind: "string", text: code, directory: "/" });
            continue;
          }
          checked++;
          const answer = await run(evaluator, Buffer.from(code, "utf8").toString("latin1"));
          expect(Buffer.from(answer, "latin1").toString("utf8"), name).toBe(`${claim[1]} ${claim[2]}`);
        }
      }
    } finally {
      await evaluator.close();
    }
    expect(checked).toBeGreaterThan(100);
  });
});

async function run(evaluator: Evaluator, text: string): Promise<string> {
  try {
    const value = await evaluator.evaluate({ kind: "string", text, directory: "/" });
    await value.deepForce();
    return `=> ${await value.print({ kind: "instantiate" })}`;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return `error: ${error.message}`;
  }
}
