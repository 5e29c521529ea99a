/** Adding derivations that were made elsewhere: their output paths must follow from their inputs. */
import {
  type Derivation,
  type DerivationHash,
  type DerivationOutput,
  derivationKind,
  derivationOutputPath,
  derivationStorePath,
  FirnError,
  fillOutputPaths,
  hashDerivationModulo,
} from "@firn/formats";
import type { StoreFiles } from "./files.ts";
import type { PathFacts } from "./paths.ts";
import type { SourceWriter } from "./writing.ts";

/**
 * Adds a derivation and returns its path; output paths that it lacks are filled in. With `dryRun` only the path is computed. Errors
 * `bad-derivation` for an output path that is not the right one, `invalid-path`.
 */
export async function addDerivation(
  store: PathFacts & StoreFiles & SourceWriter,
  given: Derivation,
  options: { readonly dryRun: boolean },
): Promise<string> {
  const derivation = checkedOutputs(store, given);
  const { path, contents, references } = derivationStorePath(derivation, store.storeDir);
  return options.dryRun ? path : store.addTextToStore(`${derivation.name}.drv`, contents, references);
}

function checkedOutputs(store: PathFacts & StoreFiles, given: Derivation): Derivation {
  const kind = derivationKind(given);
  if (kind !== "input-addressed" && kind !== "deferred") return given;
  const { storeDir } = store;
  const known = new Map<string, DerivationHash>();
  const lookup = (path: string): DerivationHash => {
    const found =
      known.get(path) ?? hashDerivationModulo(store.readDerivation(path), { maskOutputs: false, lookup, storeDir });
    known.set(path, found);
    return found;
  };
  const deferred: [string, DerivationOutput][] = [...given.outputs.keys()].map((name) => [name, { kind: "deferred" }]);
  const filled = fillOutputPaths({ ...given, outputs: new Map(deferred) }, { lookup, storeDir });
  for (const name of given.outputs.keys()) {
    const want = derivationOutputPath(filled, name, storeDir);
    const got = derivationOutputPath(given, name, storeDir);
    if (got === undefined || want === got) continue;
    throw new FirnError("bad-derivation", `derivation has incorrect output '${got}', should be '${want ?? "unknown"}'`);
  }
  return filled;
}
