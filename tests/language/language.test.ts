import fs from "node:fs";
import path from "node:path";
import { Evaluator, type HostConfig } from "@firn/flake";
import { byteString, byteStringOf, FirnError, printedBytes } from "@firn/formats";
import type { EvalMessage } from "@firn/language";
import { afterAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../packages/cli/src/main.ts";
import { renderError, renderMessage } from "../../packages/cli/src/render/error.ts";
import { makeCaseDirectory } from "./cases.ts";

const root = import.meta.dirname;
const cases = makeCaseDirectory();

const config: HostConfig = {
  mode: {
    pure: false,
    restricted: false,
    readOnly: true,
    maxCallDepth: 10000,
    maxMemory: 0,
    experimentalFeatures: ["flakes", "nix-command"],
    allowImportFromDerivation: true,
    traceImportFromDerivation: false,
    allowNativeCode: false,
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
  showTrace: true,
};

let stderr = "";
function report(message: EvalMessage): void {
  if (message.kind !== "call") stderr += `${renderMessage(message, false)}\n`;
}

const evaluator = new Evaluator({ config, report });
afterAll(async () => {
  await evaluator.close();
  cases.remove();
});

interface Outcome {
  /** Byte strings; `out` is undefined when the evaluation failed. */
  readonly out: string | undefined;
  readonly err: string;
}

/** A case without flags, in the evaluator that all of them share. */
async function evaluate(file: string): Promise<Outcome> {
  stderr = "";
  try {
    const value = await evaluator.evaluate({ kind: "file", path: byteStringOf(file) });
    await value.deepForce();
    const text = await value.print({ kind: "instantiate" });
    await evaluator.release([value]);
    return { out: `${text}\n`, err: byteString(printedBytes(stderr)) };
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return { out: undefined, err: byteString(printedBytes(`${stderr}${renderError(error, { showTrace: true })}\n`)) };
  }
}

/** A case with flags: the whole command. */
async function runCommand(base: string, file: string): Promise<Outcome> {
  const environment: Record<string, string> = {
    NIX_REMOTE: "dummy://",
    NIX_PATH: "",
    NIX_STORE_DIR: "/nix/store",
    NIX_CONF_DIR: "/nonexistent",
    NIX_USER_CONF_FILES: "",
    NIX_CONFIG: "experimental-features = nix-command flakes",
    HOME: "/homeless-shelter",
  };
  const args: string[] = [];
  for (const word of fs.readFileSync(`${base}.flags`, "utf8").split("\n")) {
    const variable = /^([A-Z_]+)=(.*)$/.exec(word);
    if (variable !== null) environment[variable[1]!] = variable[2]!;
    else if (word !== "") args.push(word);
  }
  let out = "";
  let err = "";
  const status = await runCommandLine(["nix-instantiate", ...args, `./${file}`], {
    cwd: path.dirname(base),
    env: environment,
    terminal: false,
    out: (bytes) => {
      out += typeof bytes === "string" ? bytes : byteString(bytes);
    },
    err: (text) => {
      err += byteString(printedBytes(text));
    },
    readStdin: async () => fs.readFileSync(`${base}.stdin`, "latin1"),
  });
  return { out: status === 0 ? out : undefined, err };
}

function expected(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, "latin1") : undefined;
}

for (const topic of fs.readdirSync(root).sort()) {
  if (!fs.statSync(path.join(root, topic)).isDirectory()) continue;
  const directory = cases.copy(topic);
  describe(topic, () => {
    for (const file of fs.readdirSync(directory).sort()) {
      if (!file.endsWith(".nix")) continue;
      const base = path.join(directory, file.slice(0, -".nix".length));
      it(`answers ${file} as the reference does`, async () => {
        const flags = fs.existsSync(`${base}.flags`);
        const outcome = flags ? await runCommand(base, file) : await evaluate(`${base}.nix`);
        const plain = (text: string) => text.replaceAll(byteStringOf(directory), "/cases");
        expect({ out: outcome.out === undefined ? undefined : plain(outcome.out), err: plain(outcome.err) }).toEqual({
          out: expected(`${base}.exp`),
          err: expected(`${base}.err`) ?? "",
        });
      });
    }
  });
}
