import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";

const program = process.env.FIRN_TEST_PROGRAM;

/** Threads start from the bundle where there is one (scripts/test): Node takes many times as long to load them from the sources. */
const bundledThreads = (directory: string): Plugin => ({
  name: "bundled-threads",
  transform(code, id) {
    if (!/(evaluator[/\\]worker-start|local[/\\]hash-trees)\.ts$/.test(id)) return undefined;
    return code.replace(
      /new URL\("\.\/([a-z-]+)\.ts", import\.meta\.url\)/g,
      (_, name: string) => `new URL(${JSON.stringify(pathToFileURL(join(directory, `${name}.mjs`)).href)})`,
    );
  },
});

export default defineConfig({
  plugins: program === undefined ? [] : [bundledThreads(dirname(program))],
  test: {
    include: ["packages/*/src/**/*.test.ts", "tests/**/*.test.ts"],
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
