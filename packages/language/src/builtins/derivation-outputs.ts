/** Outputs of derivations as strings with context. */
import {
  derivationOutputPath,
  downstreamPlaceholder,
  nestedOutput,
  outputPlaceholder,
  parseDerivation,
  storePathName,
} from "@firn/formats";
import { host } from "../code/interpret.ts";
import type { Value } from "../heap/memory.ts";
import { makeString } from "../heap/string.ts";
import type { ContextElement } from "../host.ts";
import { contextOf } from "../value/context.ts";
import { fail, requireFeature } from "./arguments.ts";

/** Returns an output as the string of its path, or of its placeholder when the path is only known after building. */
export function outputString(path: string | undefined, drvPath: string, output: string): Value {
  const text = path ?? downstreamPlaceholder(drvPath, output);
  return makeString(text, contextOf({ kind: "output", drvPath, output }));
}

/** Returns the text of a string whose only reference is `element`: the path, or its placeholder. */
export function referenceText(element: ContextElement & { readonly kind: "opaque" | "output" }): string {
  if (element.kind === "opaque") return element.path;
  const { drvPath, output } = element;
  if (nestedOutput(drvPath) !== undefined) return placeholderIfAllowed(drvPath, output);
  const { storeDir } = host();
  const name = storePathName(drvPath).slice(0, -".drv".length);
  const derivation = parseDerivation(host().readDerivation(drvPath), name, storeDir);
  if (!derivation.outputs.has(output)) {
    throw fail(`derivation '${drvPath}' does not have output '${output}'`);
  }
  return derivationOutputPath(derivation, output, storeDir) ?? placeholderIfAllowed(drvPath, output);
}

function placeholderIfAllowed(drvPath: string, output: string): string {
  requireFeature("ca-derivations");
  return outputPlaceholder(drvPath, output);
}
