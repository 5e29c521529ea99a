/** Targets of installables in the store: a path, or outputs of a derivation. */
import { resolve } from "node:path";
import { type DerivedPath, FirnError, isStorePath, nestOutput } from "@firn/formats";
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
  const [place, ...through] = installable.path.split("^");
  const path = storePathIn(resolve(at.cwd, place!), at.storeDir);
  if (outputs.kind === "default") return { kind: "path", path };
  const drvPath = through.reduce(nestOutput, path);
  return { kind: "outputs", drvPath, outputs: outputs.kind === "all" ? "*" : outputs.names };
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
  if (kind === "path") return pathTarget(found, storeDir);
  if (kind === "string") return stringTarget(found, "flake output attribute");
  const facts = await evaluation.derivation(found);
  return outputsTarget({ facts, found }, outputs, installed(facts));
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
  if (kind === "path") return [await pathTarget(found, storeDir)];
  if (kind === "string") return [await stringTarget(found, "attribute")];
  const targets = new Map<string, Target & { readonly kind: "outputs" }>();
  for (const { attrPath, value } of await found.value.packages({ prefix: "", autoArgs, skipFailed: false })) {
    const facts = await value.derivation();
    if (facts === undefined) continue;
    const own = found.attrPath === "" || attrPath === "" ? found.attrPath + attrPath : `${found.attrPath}.${attrPath}`;
    const wanted = facts.installsAll ? facts.outputs.map(({ name }) => name) : installed(facts);
    const target = outputsTarget({ facts, found: { value, attrPath: own } }, outputs, wanted);
    // Outputs of one derivation, as the list `all` has them, are one target.
    const known = targets.get(target.drvPath);
    targets.set(
      target.drvPath,
      known === undefined ? target : { ...known, outputs: unite(known.outputs, target.outputs) },
    );
  }
  return [...targets.values()];
}

function unite(some: readonly string[] | "*", more: readonly string[] | "*"): readonly string[] | "*" {
  return some === "*" || more === "*" ? "*" : [...new Set([...some, ...more])];
}

async function pathTarget(found: Found, storeDir: string): Promise<Target> {
  return { kind: "path", path: storePathIn((await found.value.string()).text, storeDir) };
}

/** Returns the only thing that a string refers to; error `bad-reference`. */
async function stringTarget(found: Found, what: string): Promise<Target> {
  const { text, context } = await found.value.string();
  const wrong = (message: string): FirnError =>
    new FirnError("bad-reference", `string '${text}' ${message}`, {
      trace: [{ message: `while evaluating the ${what} '${found.attrPath}'` }],
    });
  const [element] = context;
  if (element === undefined || context.length !== 1) {
    throw wrong(`has ${context.length} entries in its context. It should only have exactly one entry`);
  }
  switch (element.kind) {
    case "opaque":
      if (text === element.path) return { kind: "path", path: element.path };
      throw new FirnError(
        "bad-reference",
        `path string '${text}' has context with the different path '${element.path}'`,
      );
    case "deep":
      throw wrong(
        "has a context which refers to a complete source and binary closure. This is not supported at this time",
      );
    case "output":
      return { kind: "outputs", drvPath: element.drvPath, outputs: [element.output] };
  }
}

/** The outputs that a derivation says to install; `out` when it names none. */
function installed({ outputsToInstall }: DerivationFacts): readonly string[] {
  return outputsToInstall.length === 0 ? ["out"] : outputsToInstall;
}

function outputsTarget(
  { facts, found }: { readonly facts: DerivationFacts; readonly found: Found },
  outputs: Installable["outputs"],
  byDefault: readonly string[] | "*",
): Target & { readonly kind: "outputs" } {
  const names = outputs.kind === "default" ? byDefault : outputs.kind === "all" ? "*" : outputs.names;
  if (names !== "*") {
    for (const name of names) {
      if (!facts.outputs.some((output) => output.name === name)) {
        throw new FirnError("no-output", `derivation '${facts.drvPath}' does not have output '${name}'`);
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
