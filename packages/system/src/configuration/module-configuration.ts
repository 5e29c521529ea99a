/** The configuration that a single module makes. */

import { join } from "node:path";
import type { Evaluator, ValueRef } from "@firn/flake";
import { readFileSync } from "@firn/store/files";

/**
 * Returns the configuration of the module at an absolute path: evaluated by NixOS when `<nixpkgs>` is known, else by the set
 * of modules that comes with Firn and lies in `setDirectory`. Fails as the evaluation does.
 */
export async function moduleConfiguration(
  evaluator: Evaluator,
  module: string,
  setDirectory: string | undefined,
): Promise<ValueRef> {
  const text = readFileSync(new URL("./module-configuration.nix", import.meta.url), "latin1");
  const make = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  const evalConfig = setDirectory === undefined ? null : { path: join(setDirectory, "eval-config.nix") };
  return make.call({ attrs: { module: { path: module }, evalConfig } });
}
