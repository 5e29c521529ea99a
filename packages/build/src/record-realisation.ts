/** Recording what outputs were built to. */
import { type Derivation, signText, wire } from "@firn/formats";
import type { DerivationHashes, RealisationWriter, Settings } from "@firn/store";
import { readSigningKeys } from "./signing-keys.ts";

/** Records the path of an output of a derivation, signed with the keys of this machine; errors of the store and of keys. */
export async function recordRealisation(
  { store, settings, hashes }: { store: RealisationWriter; settings: Settings; hashes: DerivationHashes },
  derivation: Derivation,
  { name, outPath }: { readonly name: string; readonly outPath: string },
): Promise<void> {
  const unsigned = { id: hashes.outputId(derivation, name), outPath, signatures: [] };
  const text = wire.realisationFingerprint(unsigned);
  const signatures = readSigningKeys(settings).map((key) => signText(text, key));
  await store.registerRealisation({ ...unsigned, signatures });
}
