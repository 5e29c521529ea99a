/** Targets of installables in the store: a path, or outputs of a derivation. */
import { resolve } from "node:path";
import { type DerivedPath, FirnError, isStorePath } from "@firn/formats";
import type { Evaluation, Found } from "../evaluation.ts";
import type { DerivationFacts } from "../evaluator/protocol.ts";
import type { AutoArguments } from "../evaluator/value-ref.ts";
import type { Installable } from "./parse.ts";

/** The target of an installable in the store. */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | {
      readonly kind: "outputs";
      readonly drvPath: string;
      readonly outputs: readonly string[] | "*";
      /** Facts of the derivation; absent when a store path named it. */
      readonly facts?: DerivationFacts;
      readonly found?: Found;
    };

/** Returns the target as a derived path, for builders. */
export function derivedPath(target: Target): DerivedPath {
  if (target.kind === "path") return { kind: "opaque", path: target.path };
  return { kind: "built", drvPath: target.drvPath, outputs: target.outputs };
}

/** Returns the target of a store path, or of a link such as `./result` that leads to one; relative ones start at `cwd`. */
export function storePathTarget(
  installable: Installable & { readonly kind: "store-path" },
  at: { readonly storeDir: string; readonly cwd: string },
): Target {
  const { outputs } = installable;
  const path = storePathIn(resolve(at.cwd, installable.path), at.storeDir);
  if (outputs.kind === "default") return { kind: "path", path };
  return { kind: "outputs", drvPath: path, outputs: outputs.kind === "all" ? "*" : outputs.names };
}

/**
 * Returns the target of a flake output: a string or a path that names a store path, or a derivation. Fails with `not-a-derivation`
 * for other values, and with `no-output` when the derivation lacks a requested output.
 */
export async function valueTarget(
  evaluation: Evaluation,
  found: Found,
  { outputs, storeDir }: { readonly outputs: Installable["outputs"]; readonly storeDir: string },
): Promise<Target> {
  const kind = await found.value.kind();
  if (kind === "string" || kind === "path") return pathTarget(found, storeDir);
  const facts = await evaluation.derivation(found);
  return outputsTarget({ facts, found }, outputs, facts.outputsToInstall);
}

/**
 * Returns the targets of an attribute of a file or expression: a store path, or all derivations that are found in its value, each with
 * all outputs unless it names those to install. Fails as {@link valueTarget} does.
 */
export async function attributeTargets(
  found: Found,
  {
    outputs,
    storeDir,
    autoArgs,
  }: {
    readonly outputs: Installable["outputs"];
    readonly storeDir: string;
    readonly autoArgs: AutoArguments;
  },
): Promise<Target[]> {
  const kind = await found.value.kind();
  if (kind === "string" || kind === "path") return [await pathTarget(found, storeDir)];
  const targets: Target[] = [];
  for (const { attrPath, value } of await found.value.packages({ prefix: "", autoArgs, skipFailed: false })) {
    const facts = await value.derivation();
    if (facts === undefined) continue;
    const own = found.attrPath === "" || attrPath === "" ? found.attrPath + attrPath : `${found.attrPath}.${attrPath}`;
    const wanted = facts.installsAll ? "*" : facts.outputsToInstall;
    targets.push(outputsTarget({ facts, found: { value, attrPath: own } }, outputs, wanted));
  }
  return targets;
}

async function pathTarget(found: Found, storeDir: string): Promise<Target> {
  return { kind: "path", path: storePathIn((await found.value.string()).text, storeDir) };
}

function outputsTarget(
  { facts, found }: { readonly facts: DerivationFacts; readonly found: Found },
  outputs: Installable["outputs"],
  byDefault: readonly string[] | "*",
): Target {
  const names = outputs.kind === "default" ? byDefault : outputs.kind === "all" ? "*" : outputs.names;
  if (names !== "*") {
    for (const name of names) {
      if (!facts.outputs.some((output) => output.name === name)) {
        throw new FirnError("no-output", `derivation '${facts.drvPath}' does not have wanted outputs '${name}'`);
      }
    }
  }
  return { kind: "outputs", drvPath: facts.drvPath, outputs: names, facts, found };
}

/** The store path that a path is in: its first name below the store's directory. Error `bad-store-path` when that is none. */
function storePathIn(path: string, storeDir: string): string {
  const found = path
    .split("/")
    .slice(0, storeDir.split("/").length + 1)
    .join("/");
  if (isStorePath(found, storeDir)) return found;
  throw new FirnError("bad-store-path", `path '${found}' is not a store path`);
}
