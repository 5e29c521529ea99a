/** The plan of a build, made without changing anything. */
import {
  type Derivation,
  type DerivedPath,
  derivationKind,
  derivationOutputPath,
  nestedOutput,
  printDerivedPath,
} from "@firn/formats";
import {
  DerivationHashes,
  type Missing,
  type PathFacts,
  type RealisationReader,
  type Settings,
  type Store,
  type StoreFiles,
} from "@firn/store";
import type { DerivationStore, GraphStore } from "../build-store.ts";
import { readBuildOptions } from "../options.ts";
import { DerivationSource } from "./derivation-source.ts";
import { inputRequests } from "./resolve.ts";
import { Substitution } from "./substitution.ts";

/** The stores and settings with which a plan is made. */
interface MissingContext {
  readonly store: PathFacts & StoreFiles & RealisationReader;
  readonly source: DerivationSource;
  readonly evalStore?: DerivationStore;
  readonly settings: Settings;
  readonly substitution: Substitution;
}

/** Returns the plan for `targets`. */
async function planMissing(targets: readonly DerivedPath[], context: MissingContext): Promise<Missing> {
  const { store, settings, source, evalStore, substitution } = context;
  const substitute = settings.get("substitute");
  const willBuild = new Set<string>();
  const willSubstitute = new Set<string>();
  const unknown = new Set<string>();
  const done = new Set<string>();
  const hashes = new DerivationHashes(source);
  let downloadSize = 0;
  let narSize = 0;
  let level: DerivedPath[] = [...targets];

  const opaque = async (path: string): Promise<DerivedPath[]> => {
    if (done.has(path)) return [];
    done.add(path);
    if (await store.isValidPath(path)) return [];
    const offer = substitute ? await substitution.offer(path) : undefined;
    if (offer === undefined) {
      unknown.add(path);
      return [];
    }
    willSubstitute.add(path);
    downloadSize += offer.info.fileSize ?? 0;
    narSize += offer.info.narSize;
    return offer.info.references.map((reference) => ({ kind: "opaque", path: reference }));
  };

  /** Paths of outputs as they are known from the derivation, earlier builds or substituters. */
  const locate = async (
    derivation: Derivation,
    names: readonly string[],
    ask: boolean,
  ): Promise<(string | undefined)[]> => {
    const paths: (string | undefined)[] = [];
    const impure = derivationKind(derivation) === "impure";
    for (const name of names) {
      const path = derivationOutputPath(derivation, name, store.storeDir);
      if (path !== undefined || impure) {
        paths.push(path);
        continue;
      }
      const id = hashes.outputId(derivation, name);
      const realisation = (await store.queryRealisation(id)) ?? (ask ? await substitution.realisation(id) : undefined);
      paths.push(realisation?.outPath);
    }
    return paths;
  };

  /** Returns the derivation that an output of another is, if that is built; else undefined. */
  const derivationPath = async (drvPath: string): Promise<string | undefined> => {
    const nested = nestedOutput(drvPath);
    if (nested === undefined) return drvPath;
    const outer = await derivationPath(nested.drvPath);
    if (outer === undefined || !(await source.isValidPath(outer))) return undefined;
    const [path] = await locate(source.readDerivation(outer), [nested.output], false);
    return path !== undefined && (await source.isValidPath(path)) ? path : undefined;
  };

  const built = async (requested: string, outputs: readonly string[] | "*"): Promise<DerivedPath[]> => {
    const key = printDerivedPath({ kind: "built", drvPath: requested, outputs });
    if (done.has(key)) return [];
    done.add(key);
    const drvPath = await derivationPath(requested);
    if (drvPath === undefined) {
      // What it needs is known only when it is there.
      const nested = nestedOutput(requested)!;
      return [{ kind: "built", drvPath: nested.drvPath, outputs: [nested.output] }];
    }
    if (!(await source.isValidPath(drvPath))) {
      if (substitute && (await substitution.offer(drvPath)) !== undefined) return opaque(drvPath);
      unknown.add(drvPath);
      return [];
    }
    const derivation = source.readDerivation(drvPath);
    const wanted = [...derivation.outputs.keys()].filter((name) => outputs === "*" || outputs.includes(name));
    const allowed =
      substitute &&
      (settings.get("always-allow-substitutes") || readBuildOptions(derivation, store.storeDir).allowSubstitutes);
    const paths = await locate(derivation, wanted, allowed);
    const invalid: string[] = [];
    for (const path of paths) if (path !== undefined && !(await store.isValidPath(path))) invalid.push(path);
    const known = !paths.includes(undefined);
    if (known && invalid.length === 0) return [];
    if (known && allowed) {
      const offers = await Promise.all(invalid.map((path) => substitution.offer(path)));
      if (!offers.includes(undefined)) return invalid.map((path) => ({ kind: "opaque", path }));
    }
    if (willBuild.has(drvPath)) return [];
    willBuild.add(drvPath);
    const next: DerivedPath[] = inputRequests(derivation).map((input) => ({ kind: "built", ...input }));
    for (const path of derivation.inputSrcs) {
      if ((await evalStore?.isValidPath(path)) !== true) next.push({ kind: "opaque", path });
    }
    return next;
  };

  while (level.length > 0) {
    const lists = await Promise.all(
      level.map((target) => (target.kind === "opaque" ? opaque(target.path) : built(target.drvPath, target.outputs))),
    );
    level = lists.flat();
  }
  return {
    willBuild: [...willBuild].sort(),
    willSubstitute: [...willSubstitute].sort(),
    unknown: [...unknown].sort(),
    downloadSize,
    narSize,
  };
}

/** Returns the plan of building `targets`: what would be fetched and built, with sizes; nothing is changed. */
export function queryMissing(
  targets: readonly DerivedPath[],
  context: {
    store: GraphStore;
    evalStore?: DerivationStore;
    settings: Settings;
    substituters?: () => Promise<readonly Store[]>;
  },
): Promise<Missing> {
  const substitution = new Substitution({
    store: context.store,
    substituters: context.substituters ?? (async () => []),
    maxJobs: context.settings.get("max-substitution-jobs"),
    events: () => {},
  });
  const source = new DerivationSource(context.store, context.evalStore);
  return planMissing(targets, { ...context, source, substitution });
}
