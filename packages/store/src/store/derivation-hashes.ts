/** Hashes of derivations modulo fixed outputs, each computed once (manual: "Derivation", "Output paths"). */
import {
  type Derivation,
  type DerivationHash,
  derivationKind,
  derivationOutputPath,
  derivationStorePath,
  FirnError,
  hashDerivationModulo,
  makeOutputPath,
  parsePrefixedHash,
  traced,
  type wire,
} from "@firn/formats";
import type { RealisationReader } from "./realisations.ts";

/** A store whose derivations can be read. */
interface DerivationReader {
  readonly storeDir: string;
  readDerivation(path: string): Derivation;
}

/** Returns the path of an output of a derivation in the store: its own, or what it was built to; undefined when that is unknown. */
export async function builtOutput(
  store: DerivationReader & RealisationReader,
  drvPath: string,
  output: string,
): Promise<string | undefined> {
  return builtPath(store, store.readDerivation(drvPath), { output, hashes: new DerivationHashes(store) });
}

/** Returns the path of an output of a derivation, as {@link builtOutput} does. */
export async function builtPath(
  store: DerivationReader & RealisationReader,
  derivation: Derivation,
  { output, hashes }: { readonly output: string; readonly hashes: DerivationHashes },
): Promise<string | undefined> {
  const known = derivationOutputPath(derivation, output, store.storeDir);
  if (known !== undefined || derivationKind(derivation) === "impure") return known;
  return (await store.queryRealisation(hashes.outputId(derivation, output)))?.outPath;
}

/** Checks that a derivation's environment names an output by its path, where that is known. Error `bad-derivation`. */
function checkVariable(derivation: Derivation, output: string, path: string | undefined): void {
  const value = derivation.env.get(output);
  if (path === undefined || value === path) return;
  const [state, is] =
    value === undefined ? ["missing", "but is not present"] : ["incorrect", `but is actually '${value}'`];
  const message = `derivation has ${state} environment variable '${output}', should be '${path}' ${is}`;
  throw new FirnError("bad-derivation", message);
}

/** The hashes of a store's derivations. */
export class DerivationHashes {
  readonly #store: DerivationReader;
  readonly #known = new Map<string, DerivationHash>();
  readonly #masked = new WeakMap<Derivation, DerivationHash>();

  constructor(store: DerivationReader) {
    this.#store = store;
  }

  /** Returns the hash of a derivation in the store, for those that depend on it. Fails as reading it does. */
  of(drvPath: string): DerivationHash {
    const known = this.#known.get(drvPath);
    if (known !== undefined) return known;
    const hash = hashDerivationModulo(this.#store.readDerivation(drvPath), {
      maskOutputs: false,
      storeDir: this.#store.storeDir,
      lookup: (path) => this.of(path),
    });
    this.#known.set(drvPath, hash);
    return hash;
  }

  /**
   * Checks that the output paths of a derivation, and what its environment says of them, follow from it: a foreign derivation could put
   * its result in place of another's. Error `bad-derivation`, or those of reading its inputs.
   */
  check(drvPath: string, derivation: Derivation): void {
    try {
      this.#checkOutputs(derivation);
    } catch (error) {
      throw error instanceof FirnError ? traced(error, `while checking derivation '${drvPath}'`) : error;
    }
  }

  #checkOutputs(derivation: Derivation): void {
    const { storeDir } = this.#store;
    const kind = derivationKind(derivation);
    if (kind === "fixed") {
      for (const name of derivation.outputs.keys()) {
        checkVariable(derivation, name, derivationOutputPath(derivation, name, storeDir));
      }
    }
    if (kind !== "input-addressed" && kind !== "deferred") return;
    const { hashes, deferred } = hashDerivationModulo(derivation, {
      maskOutputs: true,
      storeDir,
      lookup: (path) => this.of(path),
    });
    for (const [name, output] of derivation.outputs) {
      const right = deferred ? undefined : makeOutputPath(name, hashes.get(name)!, { name: derivation.name, storeDir });
      if (output.kind === "deferred") checkVariable(derivation, name, right);
      if (output.kind !== "input-addressed" || output.path === right) continue;
      const what = right === undefined ? "deferred" : `'${right}'`;
      throw new FirnError("bad-derivation", `derivation has incorrect output '${output.path}', should be ${what}`);
    }
  }

  /**
   * Returns the name under which stores keep the realisation of an output. Error `no-output`, or those of reading its inputs.
   */
  outputId(derivation: Derivation, output: string): wire.DrvOutput {
    let masked = this.#masked.get(derivation);
    if (masked === undefined) {
      masked = hashDerivationModulo(derivation, {
        maskOutputs: true,
        storeDir: this.#store.storeDir,
        lookup: (path) => this.of(path),
      });
      this.#masked.set(derivation, masked);
    }
    const hash = masked.hashes.get(output);
    if (hash === undefined) {
      const { path } = derivationStorePath(derivation, this.#store.storeDir);
      throw new FirnError("no-output", `derivation '${path}' does not have output '${output}'`);
    }
    return { drvHash: parsePrefixedHash(`sha256:${hash}`), outputName: output };
  }
}
