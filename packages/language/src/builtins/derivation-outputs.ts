/** Outputs of derivations as strings with context. */
import { type Derivation, derivationOutputPath, downstreamPlaceholder } from "@firn/formats";
import { host } from "../code/interpret.ts";
import { contextOf } from "../value/context.ts";
import { ContextString } from "../value/value.ts";

/** The path of an output, or its placeholder while only a build can tell. */
export function derivationOutputPathOf(derivation: Derivation, drvPath: string, output: string): ContextString {
  const path = derivationOutputPath(derivation, output, host().storeDir) ?? downstreamPlaceholder(drvPath, output);
  return new ContextString(path, contextOf({ kind: "output", drvPath, output }));
}
