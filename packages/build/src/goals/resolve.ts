/** Content-addressed derivations: once their inputs are built, their paths replace the placeholders. */
import {
  type Derivation,
  type DerivationOutput,
  derivationKind,
  downstreamPlaceholder,
  fillOutputPaths,
} from "@firn/formats";
import { rewriteText } from "../environment.ts";

/** Built outputs of input derivations: derivation path → output name → path. */
export type BuiltInputs = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Tells whether a derivation can be built only after its inputs' paths have been filled in. */
export function needsResolution(derivation: Derivation, inputsUnknown: boolean): boolean {
  const kind = derivationKind(derivation);
  return (
    kind === "deferred" ||
    ((kind === "floating" || kind === "impure") && derivation.inputDrvs.size > 0) ||
    inputsUnknown
  );
}

/** Returns the same derivation with plain paths for inputs and no input derivations. */
export function resolveDerivation(derivation: Derivation, inputs: BuiltInputs, storeDir: string): Derivation {
  const rewrites = new Map<string, string>();
  const sources = new Set(derivation.inputSrcs);
  for (const [drvPath, node] of derivation.inputDrvs) {
    for (const name of node.outputs) {
      const path = inputs.get(drvPath)?.get(name);
      if (path === undefined) continue;
      sources.add(path);
      rewrites.set(downstreamPlaceholder(drvPath, name), path);
    }
  }
  const outputs = new Map<string, DerivationOutput>(derivation.outputs);
  const resolved: Derivation = {
    ...derivation,
    outputs,
    inputDrvs: new Map(),
    inputSrcs: [...sources].sort(),
    builder: rewriteText(derivation.builder, rewrites),
    args: derivation.args.map((text) => rewriteText(text, rewrites)),
    env: new Map(
      [...derivation.env].map(([name, value]) => [rewriteText(name, rewrites), rewriteText(value, rewrites)]),
    ),
  };
  return fillOutputPaths(resolved, { storeDir, lookup: () => ({ hashes: new Map(), deferred: false }) });
}
