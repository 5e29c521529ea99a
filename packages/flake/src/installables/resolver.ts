/** From the words of a command line to values and to what they are in the store. */
import { FirnError } from "@firn/formats";
import type { Evaluation, Found, Root } from "../evaluation.ts";
import type { AutoArguments, ValueRef } from "../evaluator/value-ref.ts";
import { type AutoArgument, evaluateAutoArguments } from "./auto-arguments.ts";
import { type Installable, type Lookup, packageLookup, parseInstallable } from "./parse.ts";
import { storePathTarget, type Target, valueTarget } from "./target.ts";

/** What installables stand on. */
export interface InstallableOptions {
  /** Opens the evaluation when it is first needed. */
  readonly evaluation: () => Promise<Evaluation>;
  readonly storeDir: string;
  /** Where relative paths start. */
  readonly cwd: string;
  /** The system whose packages are meant, e.g. `x86_64-linux`. */
  readonly system: string;
  /** The file or expression that words are attribute paths of (`--file`, `--expr`); absent: words are flakes and store paths. */
  readonly root?: Root;
  readonly autoArguments: readonly AutoArgument[];
  /** Gives standard input as a byte string, for `--arg-from-stdin`. */
  readStdin(): Promise<string>;
  /** Hears of words that are understood as something else than they seem. */
  warn(text: string): void;
}

/** The installables of one command line. */
export class Installables {
  readonly #options: InstallableOptions;
  #root: Promise<ValueRef> | undefined;

  constructor(options: InstallableOptions) {
    this.#options = options;
  }

  /** Reads words; without any, the default: the flake `.`, or the whole file or expression. Fails as `parseFlakeRef` does. */
  parse(words: readonly string[]): Installable[] {
    const { storeDir, cwd, root, warn } = this.#options;
    const attributes = root !== undefined;
    const given = words.length > 0 ? words : attributes ? [""] : ["."];
    return given.map((word) => parseInstallable(word, { storeDir, attributes, baseDirectory: cwd, warn }));
  }

  /** The value of an installable that is no store path. Fails with `missing-attribute`, or as the evaluation does. */
  async find(installable: Installable, lookup: Lookup = packageLookup(this.#options.system)): Promise<Found> {
    const evaluation = await this.#options.evaluation();
    switch (installable.kind) {
      case "store-path":
        throw new FirnError("usage", `'${installable.path}' is a store path, not a value`);
      case "flake":
        return evaluation.findInFlake(installable, lookup);
      case "attribute": {
        this.#root ??= evaluation.root(this.#options.root ?? { kind: "expression", text: "" });
        return evaluation.findInValue(await this.#root, installable.path, {
          autoArgs: await this.autoArguments(),
          callResult: lookup.callResult,
        });
      }
    }
  }

  /** What an installable is in the store. Fails as {@link find} and {@link valueTarget} do. */
  async target(installable: Installable, lookup?: Lookup): Promise<Target> {
    const { storeDir, cwd } = this.#options;
    if (installable.kind === "store-path") return storePathTarget(installable, { storeDir, cwd });
    const found = await this.find(installable, lookup);
    return valueTarget(await this.#options.evaluation(), found, { outputs: installable.outputs, storeDir });
  }

  /** What several installables are in the store. */
  async targets(installables: readonly Installable[], lookup?: Lookup): Promise<Target[]> {
    const targets: Target[] = [];
    for (const installable of installables) targets.push(await this.target(installable, lookup));
    return targets;
  }

  /** The automatic arguments as values. */
  async autoArguments(): Promise<AutoArguments> {
    const { evaluator } = await this.#options.evaluation();
    return evaluateAutoArguments(evaluator, this.#options.autoArguments, this.#options);
  }

  /** Has the file or expression evaluated anew when it is next asked for. */
  forgetRoot(): void {
    this.#root = undefined;
  }
}
