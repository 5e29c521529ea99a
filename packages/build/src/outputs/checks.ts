/** Checks that a derivation demands of its outputs: the fixed hash, sizes, allowed and forbidden references. */
import { type Derivation, equalHashes, FirnError, type PathInfo, printHash } from "@firn/formats";
import type { PathFacts } from "@firn/store";
import type { BuildOptions, OutputChecks } from "../options.ts";

/** The subject of the checks: the derivation and its finished outputs by name. */
export interface CheckRequest {
  readonly store: PathFacts;
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly options: BuildOptions;
  readonly outputs: ReadonlyMap<string, PathInfo>;
}

/** Checks all outputs; throws `hash-mismatch` or `output-rejected` in the reference's words. */
export async function checkOutputs(request: CheckRequest): Promise<void> {
  for (const [name, info] of request.outputs) {
    checkFixed(request, name, info);
    const checks = request.options.checksFor(name);
    if (checks !== undefined) await applyChecks(request, checks, { name, info });
  }
}

function checkFixed(request: CheckRequest, name: string, info: PathInfo): void {
  const output = request.derivation.outputs.get(name);
  if (output?.kind !== "fixed" || info.ca === undefined) return;
  const wanted = output.address.hash;
  if (!equalHashes(wanted, info.ca.hash)) {
    throw new FirnError(
      "hash-mismatch",
      `hash mismatch in fixed-output derivation '${request.drvPath}':\n  specified: ${printHash(wanted, "sri")}\n     got:    ${printHash(info.ca.hash, "sri")}`,
      { exitStatus: 102 },
    );
  }
  if (info.references.length > 0) {
    throw new FirnError(
      "hash-mismatch",
      `fixed-output derivations must not reference store paths: '${request.drvPath}' references ${info.references.length} distinct paths, e.g. '${info.references[0]}'`,
      { exitStatus: 102 },
    );
  }
}

function rejected(message: string): FirnError {
  return new FirnError("output-rejected", message);
}

async function applyChecks(
  request: CheckRequest,
  checks: OutputChecks,
  { name, info }: { name: string; info: PathInfo },
): Promise<void> {
  if (checks.maxSize !== undefined && info.narSize > checks.maxSize) {
    throw rejected(`path '${info.path}' is too large at ${info.narSize} bytes; limit is ${checks.maxSize} bytes`);
  }
  if (checks.maxClosureSize !== undefined) {
    const { size } = await closure(request, info.path);
    if (size > checks.maxClosureSize) {
      throw rejected(
        `closure of path '${info.path}' is too large at ${size} bytes; limit is ${checks.maxClosureSize} bytes`,
      );
    }
  }
  const check = async (list: readonly string[], rule: { allowed: boolean; recursive: boolean }): Promise<void> => {
    const named = new Set(list.map((item) => resolveReference(request, item, name)));
    const used = new Set(rule.recursive ? (await closure(request, info.path)).paths : info.references);
    if (rule.recursive && checks.ignoreSelfRefs) used.delete(info.path);
    const bad = [...used].filter((path) => named.has(path) !== rule.allowed).sort();
    if (bad.length === 0) return;
    const lines = bad.map((path) => `\n  ${path}`).join("");
    throw rejected(`output '${info.path}' is not allowed to refer to the following paths:${lines}`);
  };
  if (checks.allowedReferences !== undefined)
    await check(checks.allowedReferences, { allowed: true, recursive: false });
  if (checks.allowedRequisites !== undefined) await check(checks.allowedRequisites, { allowed: true, recursive: true });
  if ((checks.disallowedReferences ?? []).length > 0) {
    await check(checks.disallowedReferences!, { allowed: false, recursive: false });
  }
  if ((checks.disallowedRequisites ?? []).length > 0) {
    await check(checks.disallowedRequisites!, { allowed: false, recursive: true });
  }
}

function resolveReference(request: CheckRequest, text: string, outputName: string): string {
  if (text.startsWith(`${request.store.storeDir}/`)) return text;
  const output = request.outputs.get(text);
  if (output !== undefined) return output.path;
  const valid = [...request.outputs.keys()].sort().join(", ");
  // The derivation is at fault, not the build: the exit status is that of other errors.
  throw new FirnError(
    "bad-attribute",
    `derivation '${request.drvPath}' output check for '${outputName}' contains output name '${text}', but this is not a valid output of this derivation. (Valid outputs are [${valid}].)`,
  );
}

async function closure(request: CheckRequest, root: string): Promise<{ paths: Set<string>; size: number }> {
  const fresh = new Map([...request.outputs.values()].map((info) => [info.path, info]));
  const paths = new Set([root]);
  let size = 0;
  for (const path of paths) {
    const info = fresh.get(path) ?? (await request.store.queryPathInfo(path));
    if (info === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    size += info.narSize;
    for (const reference of info.references) paths.add(reference);
  }
  return { paths, size };
}
