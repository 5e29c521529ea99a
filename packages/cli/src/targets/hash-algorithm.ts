/** The hash algorithms that a command line can name. */
import { type HashAlgorithm, parseHashAlgorithm } from "@firn/formats";
import { requireFeature, type Settings } from "@firn/store";

/** Returns the algorithm of a name. Errors `unknown-hash-algorithm` and that of a feature which is not enabled. */
export function hashAlgorithm(name: string, settings: Settings): HashAlgorithm {
  const algorithm = parseHashAlgorithm(name);
  if (algorithm === "blake3") requireFeature(settings, "blake3-hashes");
  return algorithm;
}
