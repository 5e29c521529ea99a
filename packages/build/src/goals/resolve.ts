/** Content-addressed derivations: once their inputs are built, their paths replace the placeholders. */
import {
  type Derivation,
  type DerivationInput,
  type DerivationOutput,
  derivationKind,
  fillOutputPaths,
  nestOutput,
  outputPlaceholder,
} from "@firn/formats";
import { rewriteText } from "../environment.ts";

/** Built outputs of input derivations: derivation path (or `!output!path` of one that was built) → output name → path. */
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

/** Outputs of one derivation that another needs; `drvPath` may be `!output!drvPath`. */
export interface InputRequest {
  readonly drvPath: string;
  readonly outputs: readonly string[];
}

/** Returns what a derivation needs of its input derivations, also of those that are outputs of others. */
export function inputRequests(derivation: Pick<Derivation, "inputDrvs">): InputRequest[] {
  const requests: InputRequest[] = [];
  const visit = (drvPath: string, { outputs, dynamic }: DerivationInput): void => {
    if (outputs.length > 0 || dynamic === undefined || dynamic.size === 0) requests.push({ drvPath, outputs });
    for (const [output, inner] of dynamic ?? []) visit(nestOutput(drvPath, output), inner);
  };
  for (const [drvPath, input] of derivation.inputDrvs) visit(drvPath, input);
  return requests;
}

/** Returns the same derivation with plain paths for inputs and no input derivations. */
export function resolveDerivation(derivation: Derivation, inputs: BuiltInputs, storeDir: string): Derivation {
  const rewrites = new Map<string, string>();
  const sources = new Set(derivation.inputSrcs);
  for (const { drvPath, outputs } of inputRequests(derivation)) {
    for (const name of outputs) {
      const path = inputs.get(drvPath)?.get(name);
      if (path === undefined) continue;
      sources.add(path);
      rewrites.set(outputPlaceholder(drvPath, name), path);
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
