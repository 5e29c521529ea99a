/** The plan of a build, made without changing anything. */
import { type DerivedPath, derivationOutputPath } from "@firn/formats";
import type { PathFacts, Settings, StoreFiles } from "@firn/store";
import { readBuildOptions } from "../options.ts";
import type { Substitution } from "./substitution.ts";

/** The plan: derivations to build and paths to fetch, both sorted; sizes in bytes. */
export interface Missing {
  readonly willBuild: readonly string[];
  readonly willSubstitute: readonly string[];
  readonly unknown: readonly string[];
  readonly downloadSize: number;
  readonly narSize: number;
}

/** The stores and settings with which a plan is made. */
export interface MissingContext {
  readonly store: PathFacts & StoreFiles;
  readonly settings: Settings;
  readonly substitution: Substitution;
}

/** Returns the plan for `targets`. */
export async function planMissing(targets: readonly DerivedPath[], context: MissingContext): Promise<Missing> {
  const { store, settings, substitution } = context;
  const substitute = settings.get("substitute");
  const willBuild = new Set<string>();
  const willSubstitute = new Set<string>();
  const unknown = new Set<string>();
  const done = new Set<string>();
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

  const built = async (drvPath: string, outputs: readonly string[] | "*"): Promise<DerivedPath[]> => {
    const key = `${drvPath}^${outputs === "*" ? "*" : [...outputs].sort().join(",")}`;
    if (done.has(key)) return [];
    done.add(key);
    if (!(await store.isValidPath(drvPath))) {
      if (substitute && (await substitution.offer(drvPath)) !== undefined) return opaque(drvPath);
      unknown.add(drvPath);
      return [];
    }
    const derivation = store.readDerivation(drvPath);
    const wanted = [...derivation.outputs.keys()].filter((name) => outputs === "*" || outputs.includes(name));
    const paths = wanted.map((name) => derivationOutputPath(derivation, name, store.storeDir));
    const invalid: string[] = [];
    for (const path of paths) if (path !== undefined && !(await store.isValidPath(path))) invalid.push(path);
    const known = !paths.includes(undefined);
    if (known && invalid.length === 0) return [];
    const allowed =
      substitute &&
      (settings.get("always-allow-substitutes") || readBuildOptions(derivation, store.storeDir).allowSubstitutes);
    if (known && allowed) {
      const offers = await Promise.all(invalid.map((path) => substitution.offer(path)));
      if (!offers.includes(undefined)) return invalid.map((path) => ({ kind: "opaque", path }));
    }
    if (willBuild.has(drvPath)) return [];
    willBuild.add(drvPath);
    const next: DerivedPath[] = [];
    for (const [inputDrv, node] of derivation.inputDrvs) {
      next.push({ kind: "built", drvPath: inputDrv, outputs: node.outputs });
    }
    for (const source of derivation.inputSrcs) next.push({ kind: "opaque", path: source });
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
