import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { main } from "../../support/program.ts";
import { directory, runScenario, scenarios } from "./scenarios.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const recorded = JSON.parse(readFileSync(join(directory, "recorded.json"), "utf8")) as Record<string, string[]>;

/** Firn runs in the reference's root, where /nix can be a store of its own. */
describe.skipIf(process.env.FIRN_REAL_NIX === undefined)("systems of NixOS are switched as nixos-rebuild does", () => {
  const program = `${process.execPath} --disable-warning=ExperimentalWarning ${main} os`;
  test("every scenario is recorded", () => {
    expect(scenarios.map(({ name }) => name)).toEqual(Object.keys(recorded));
  });
  test.each(scenarios)(
    "$name",
    (scenario) => {
      const text = runScenario(scenario, {
        program,
        visible: [root, join(process.execPath, "../..")],
        verbose: process.env.FIRN_VERBOSE !== undefined,
      });
      expect(text.split("\n").slice(0, -1)).toEqual(recorded[scenario.name]);
    },
    60_000,
  );
});
