/** Resolves the words of a command line to values and to their store paths. */
import { FirnError } from "@firn/formats";
import type { Evaluation, Found, Root } from "../evaluation.ts";
import type { AutoArguments, ValueRef } from "../evaluator/value-ref.ts";
import { type AutoArgument, evaluateAutoArguments } from "./auto-arguments.ts";
import { type Installable, type Lookup, packageLookup, parseInstallable } from "./parse.ts";
import { attributeTargets, storePathTarget, type Target, valueTarget } from "./target.ts";

/** Makes the error of a store path where a value is wanted. */
export function notAValue(path: string): FirnError {
  return new FirnError("usage", `installable '${path}' does not correspond to a Nix language value`);
}

/** The surroundings of installables. */
export interface InstallableOptions {
  /** Opens the evaluation at its first use. */
  readonly evaluation: () => Promise<Evaluation>;
  readonly storeDir: string;
  /** Directory from which relative paths start. */
  readonly cwd: string;
  /** The system of packages, e.g. `x86_64-linux`. */
  readonly system: string;
  /** The file or expression in which words are attribute paths (`--file`, `--expr`); when absent, words are flakes and store paths. */
  readonly root?: () => Promise<Root>;
  readonly autoArguments: readonly AutoArgument[];
  /** True when no words mean no installable instead of the default (`--stdin`). */
  readonly needsWords?: boolean;
  /** Returns standard input as a byte string, for `--arg-from-stdin`. */
  readStdin(): Promise<string>;
  /** Receives messages about words with a meaning other than they seem to have. */
  warn(text: string, level: "info" | "warn"): void;
}

/** The installables of one command line. */
export class Installables {
  readonly #options: InstallableOptions;
  #root: Promise<ValueRef> | undefined;

  constructor(options: InstallableOptions) {
    this.#options = options;
  }

  /**
   * Reads words; when there are none, returns the default: the flake `.`, or the whole file or expression. Fails as
   * `parseFlakeRef` does.
   */
  parse(words: readonly string[]): Installable[] {
    const { storeDir, cwd, root, warn } = this.#options;
    if (words.length === 0 && this.#options.needsWords === true) return [];
    const attributes = root !== undefined;
    const given = words.length > 0 ? words : attributes ? [""] : ["."];
    return given.map((word) => parseInstallable(word, { storeDir, attributes, baseDirectory: cwd, warn }));
  }

  /** Returns the value of an installable that is no store path. Fails with `missing-attribute`, or as the evaluation does. */
  async find(installable: Installable, lookup: Lookup = packageLookup(this.#options.system)): Promise<Found> {
    const evaluation = await this.#options.evaluation();
    switch (installable.kind) {
      case "store-path":
        throw notAValue(installable.path);
      case "flake":
        return evaluation.findInFlake(installable, lookup);
      case "attribute": {
        this.#root ??= this.#evaluateRoot(evaluation);
        return evaluation.findInValue(await this.#root, installable.path, {
          autoArgs: await this.autoArguments(),
          callResult: lookup.callResult,
        });
      }
    }
  }

  /** Returns the value of the file or expression in which installables are attribute paths; undefined where there is none. */
  async rootValue(): Promise<ValueRef | undefined> {
    if (this.#options.root === undefined) return undefined;
    this.#root ??= this.#evaluateRoot(await this.#options.evaluation());
    return this.#root;
  }

  async #evaluateRoot(evaluation: Evaluation): Promise<ValueRef> {
    const { root } = this.#options;
    if (root === undefined) throw new FirnError("internal", "attribute paths need a file or an expression");
    return evaluation.root(await root());
  }

  /** Returns the only target of an installable in the store. Fails with `usage` when there are several, else as {@link targets}. */
  async target(installable: Installable, lookup?: Lookup): Promise<Target> {
    const targets = await this.#targetsOf(installable, lookup);
    const [only] = targets;
    if (only !== undefined && targets.length === 1) return only;
    throw new FirnError("usage", `argument evaluates to ${targets.length} derivations, where one is wanted`);
  }

  /**
   * Returns the targets of installables in the store; an attribute of a file or expression can have several. Fails as {@link find} and
   * {@link valueTarget} do.
   */
  async targets(installables: readonly Installable[], lookup?: Lookup): Promise<Target[]> {
    const targets: Target[] = [];
    for (const installable of installables) targets.push(...(await this.#targetsOf(installable, lookup)));
    return targets;
  }

  async #targetsOf(installable: Installable, lookup: Lookup | undefined): Promise<Target[]> {
    const { storeDir, cwd } = this.#options;
    const { outputs } = installable;
    if (installable.kind === "store-path") return [storePathTarget(installable, { storeDir, cwd })];
    const found = await this.find(installable, lookup);
    if (installable.kind === "attribute") {
      return attributeTargets(found, { outputs, storeDir, autoArgs: await this.autoArguments() });
    }
    return [await valueTarget(await this.#options.evaluation(), found, { outputs, storeDir })];
  }

  /** Returns the automatic arguments as values. */
  async autoArguments(): Promise<AutoArguments> {
    const { evaluator } = await this.#options.evaluation();
    return evaluateAutoArguments(evaluator, this.#options.autoArguments, this.#options);
  }

  /** Forgets the value of the file or expression, so that it is evaluated anew at its next use. */
  forgetRoot(): void {
    this.#root = undefined;
  }
}
