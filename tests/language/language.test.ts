import fs from "node:fs";
import path from "node:path";
import { EvaluatorClient, type HostConfig } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { afterAll, describe, expect, it } from "vitest";
import { renderError } from "../../packages/cli/src/render/error.ts";

const root = import.meta.dirname;

const config: HostConfig = {
  mode: {
    pure: false,
    restricted: false,
    readOnly: true,
    maxCallDepth: 10000,
    experimentalFeatures: ["flakes", "nix-command"],
    allowImportFromDerivation: true,
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
const client = new EvaluatorClient({
  config,
  report: (message) => {
    stderr += `${message.kind}: ${message.text}\n`;
  },
});
afterAll(() => client.close());

async function evaluate(file: string): Promise<string> {
  const value = await client.request({ op: "evaluate", source: { kind: "file", path: file } });
  await client.request({ op: "deepForce", value });
  const text = await client.request({ op: "print", value, form: { kind: "instantiate" } });
  await client.request({ op: "release", values: [value] });
  return `${text}\n`;
}

for (const topic of fs.readdirSync(root).sort()) {
  const directory = path.join(root, topic);
  if (!fs.statSync(directory).isDirectory()) continue;
  describe(topic, () => {
    for (const file of fs.readdirSync(directory).sort()) {
      if (!file.endsWith(".nix")) continue;
      const base = path.join(directory, file.slice(0, -".nix".length));
      if (fs.existsSync(`${base}.exp`)) {
        it(`gives what the reference gives for ${file}`, async () => {
          const expected = fs.readFileSync(`${base}.exp`, "latin1").replaceAll(directory, "/cases");
          expect((await evaluate(`${base}.nix`)).replaceAll(directory, "/cases")).toBe(expected);
        });
      } else {
        it(`fails as the reference fails for ${file}`, async () => {
          stderr = "";
          const error = await evaluate(`${base}.nix`).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          if (!(error instanceof FirnError)) throw new Error(`no evaluation error but ${String(error)}`);
          const text = `${stderr}${renderError(error, { showTrace: true })}\n`.replaceAll(directory, "/cases");
          expect(text).toBe(fs.readFileSync(`${base}.err`, "utf8"));
        });
      }
    }
  });
}
