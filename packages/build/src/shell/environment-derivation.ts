/** The derivation that builds a development environment: another one's, with a builder that writes down the shell (manual: "nix develop"). */
import {
  type Derivation,
  FirnError,
  fillOutputPaths,
  type HashModuloOptions,
  isJsonObject,
  parseJson,
  printJson,
  structuredAttrsVariable,
} from "@firn/formats";
import { readFileSync } from "@firn/store/files";

/** Returns the script that writes an environment down, as a text for the store under its name. */
export function environmentScript(): { readonly name: string; readonly contents: string } {
  const contents = readFileSync(new URL("./dump-environment.sh", import.meta.url), "latin1");
  return { name: "get-env.sh", contents };
}

/** Attributes that check outputs, which an environment need not pass. */
const checks = ["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites"];

/**
 * Returns the derivation of the environment in which `derivation` is built. `script` is the store path of the builder's script,
 * `lookup` as for `hashDerivationModulo`. Fails with `no-environment` when the builder is not bash.
 */
export function environmentDerivation(
  derivation: Derivation,
  {
    script,
    lookup,
    storeDir,
  }: Pick<HashModuloOptions, "lookup"> & { readonly script: string; readonly storeDir: string },
): Derivation {
  if (!/(^|\/)bash$/.test(derivation.builder)) {
    throw new FirnError("no-environment", "'nix develop' only works on derivations that use 'bash' as their builder");
  }
  const name = `${derivation.name}-env`;
  const env = new Map(derivation.env);
  const structured = env.get(structuredAttrsVariable);
  if (structured === undefined) for (const check of checks) env.delete(check);
  else env.set(structuredAttrsVariable, withoutChecks(structured));
  env.set("name", name);
  for (const output of derivation.outputs.keys()) env.set(output, "");
  const deferred: Derivation = {
    ...derivation,
    name,
    args: [script],
    inputSrcs: [...new Set([...derivation.inputSrcs, script])].sort(),
    outputs: new Map([...derivation.outputs.keys()].map((output) => [output, { kind: "deferred" } as const])),
    env,
  };
  return fillOutputPaths(deferred, { lookup, storeDir });
}

function withoutChecks(json: string): string {
  const attributes = parseJson(json);
  if (!isJsonObject(attributes) || !attributes.has("outputChecks")) return json;
  const kept = new Map(attributes);
  kept.delete("outputChecks");
  return printJson(kept);
}
