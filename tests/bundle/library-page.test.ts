/** The page about the library: every example runs and prints what it says. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { examplesOf, outputClaims } from "../support/page-examples.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/library-language.md"), "utf8");
const examples = examplesOf(page);

async function run(code: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "firn-library-"));
  try {
    const { outputFiles } = await build({
      stdin: { contents: code, resolveDir: join(root, "packages/cli"), loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node24",
      external: ["koffi", "lzma-native"],
      banner: {
        js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
      },
      logLevel: "silent",
    });
    const file = join(directory, "example.mjs");
    writeFileSync(file, outputFiles[0]?.text ?? "");
    return execFileSync(process.execPath, [file], { encoding: "utf8", cwd: directory });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("the page has its examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

test.each(examples.map((code, index) => [index + 1, code] as const))(
  "example %i prints what it says",
  async (_, code) => {
    const claims = outputClaims(code);
    expect(claims.length).toBeGreaterThan(0);
    expect((await run(code)).trimEnd().split("\n")).toEqual(claims);
  },
);
