/** System generations: NixOS's or Firn's, with version, kernel and specialisations. */
import { FirnError } from "@firn/formats";
import { GenerationTree, type StoreView } from "./generation-tree.ts";
import { parseSystemManifest, type SystemManifest } from "./manifest.ts";

/** One system generation. */
export interface System {
  /** Its store path. */
  readonly path: string;
  readonly tree: GenerationTree;
  /** Firn's own description; undefined for systems of NixOS. */
  readonly manifest: SystemManifest | undefined;
}

/** Facts about a system for listings. */
export interface SystemFacts {
  readonly version: string | undefined;
  readonly kernel: string | undefined;
  readonly specialisations: readonly string[];
}

/** Opens a store path as a system. Fails with `not-a-system` when it is none. */
export function openSystem(view: StoreView, path: string): System {
  const tree = new GenerationTree(view, path);
  const text = tree.text("firn-os.json");
  if (text === undefined && tree.text("nixos-version") === undefined) {
    throw new FirnError("not-a-system", `'${path}' is not a system: it has neither 'firn-os.json' nor 'nixos-version'`);
  }
  return {
    path,
    tree,
    manifest: text === undefined ? undefined : parseSystemManifest(text, `${path}/firn-os.json`),
  };
}

/** Opens the variants of a system. */
export function openSpecialisations(
  view: StoreView,
  { tree }: Pick<System, "tree">,
): readonly { readonly name: string; readonly system: System }[] {
  return tree.names("specialisation").map((name) => ({ name, system: openSpecialisation(view, { tree }, name) }));
}

/** Opens a variant of a system. Fails with `no-specialisation` when it has none of that name. */
export function openSpecialisation(view: StoreView, { tree }: Pick<System, "tree">, name: string): System {
  const path = tree.target(`specialisation/${name}`);
  if (path === undefined) throw new FirnError("no-specialisation", `specialisation not found: ${name}`);
  return openSystem(view, path);
}

/** Returns version, kernel and specialisations of a system; facts that it does not state are undefined. */
export function systemFacts(tree: GenerationTree): SystemFacts {
  return {
    version: (tree.text("nixos-version") ?? tree.text("firn-version"))?.trim(),
    kernel: tree.names("kernel-modules/lib/modules")[0],
    specialisations: tree.names("specialisation"),
  };
}
