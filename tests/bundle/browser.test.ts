import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles an entry for the browser as one script that sets `result`. */
async function bundle(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: `${root}/packages/flake`, loader: "ts" },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "result",
    target: "es2024",
  });
  return outputFiles[0]?.text ?? "";
}

/** Runs a script with nothing of Node: only what browsers have too. */
function runInBrowser(script: string): Record<string, unknown> {
  const context = createContext({ TextEncoder, TextDecoder, console });
  runInContext(script, context);
  return (context as { result: Record<string, unknown> }).result;
}

test("formats runs without Node and stays small", async () => {
  const script = await bundle(`
    import { hashData, makeTextPath, printHash } from "@firn/formats";
    export const hash = printHash(hashData("sha256", "abc"), "sri");
    export const path = makeTextPath("hello", { name: "x" });
  `);
  expect(script.length).toBeLessThan(400_000);
  const result = runInBrowser(script);
  expect(result.hash).toBe("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  expect(result.path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-x$/);
});

test("language evaluates a library function in the browser's bundle", async () => {
  const script = await bundle(`
    import { createMemoryHost, Evaluator } from "@firn/language";
    const evaluator = new Evaluator(createMemoryHost({ files: {
      "/lib.nix": "{ fix = f: let x = f x; in x; range = a: b: builtins.genList (i: a + i) (b - a + 1); }",
    } }));
    const text = "let lib = import /lib.nix; in { sum = builtins.foldl' (a: b: a + b) 0 (lib.range 1 100); fixed = (lib.fix (self: { a = 1; b = self.a + 1; })).b; drv = (derivation { name = \\"x\\"; system = \\"s\\"; builder = \\"b\\"; }).drvPath; }";
    const value = evaluator.evaluate({ kind: "string", text, directory: "/" });
    export const json = evaluator.print(value, { kind: "json" });
  `);
  expect(script.length).toBeLessThan(1_500_000);
  const { drv, ...rest } = JSON.parse(String(runInBrowser(script).json)) as Record<string, unknown>;
  expect(rest).toEqual({ sum: 5050, fixed: 2 });
  expect(drv).toMatch(/^\/nix\/store\/[0-9a-z]{32}-x\.drv$/);
});
