/** Installables as words on a command line: store paths, flake outputs, attributes of a file or expression (manual: "Installables"). */

import path from "node:path";
import { FirnError, isStorePath } from "@firn/formats";
import * as fs from "@firn/store/files";
import { type FlakeRefContext, parseFlakeRef } from "../refs/flake-ref.ts";
import { type FlakeRef, showFlakeRef, splitFragment } from "../refs/reference.ts";

/** Selection of a derivation's outputs: those to install by default, all, or some by name. */
export type OutputsSpec =
  | { readonly kind: "default" }
  | { readonly kind: "all" }
  | { readonly kind: "names"; readonly names: readonly string[] };

/** One installable. */
export type Installable =
  | { readonly kind: "store-path"; readonly path: string; readonly outputs: OutputsSpec }
  | {
      readonly kind: "flake";
      readonly ref: FlakeRef;
      readonly fragment: string;
      readonly outputs: OutputsSpec;
      readonly text: string;
    }
  | { readonly kind: "attribute"; readonly path: string; readonly outputs: OutputsSpec };

/** Options of reading words. */
export interface ParseContext extends FlakeRefContext {
  readonly storeDir: string;
  /** True when words are attribute paths, as with `--file` or `--expr`. */
  readonly attributes: boolean;
}

/** Splits `X^out,dev`, `X^*` and plain `X`. Fails with `bad-flake-ref` for an empty list. */
export function splitOutputs(text: string): [rest: string, outputs: OutputsSpec] {
  const caret = text.lastIndexOf("^");
  if (caret < 0) return [text, { kind: "default" }];
  const rest = text.slice(0, caret);
  const spec = text.slice(caret + 1);
  if (spec === "*") return [rest, { kind: "all" }];
  if (!/^[a-zA-Z+\-._?=0-9]+(,[a-zA-Z+\-._?=0-9]+)*$/.test(spec)) {
    throw new FirnError("bad-flake-ref", `invalid extended outputs specifier '${text}'`);
  }
  return [rest, { kind: "names", names: [...new Set(spec.split(","))].sort() }];
}

/** Reads one word. Fails as {@link parseFlakeRef} does. */
export function parseInstallable(word: string, context: ParseContext): Installable {
  const [text, outputs] = splitOutputs(word);
  if (context.attributes) {
    if (text.startsWith(`${context.storeDir}/`)) return { kind: "store-path", path: text, outputs };
    return { kind: "attribute", path: text === "." ? "" : text, outputs };
  }
  if (isInStore(text, context.storeDir) && !text.includes("#")) return { kind: "store-path", path: text, outputs };
  const linked = linkedWord(text, context);
  if (linked !== undefined) return { kind: "store-path", path: linked, outputs };
  const [reference, fragment] = splitFragment(text);
  return { kind: "flake", ref: parseFlakeRef(reference === "" ? "." : reference, context), fragment, outputs, text };
}

/** Tells whether a path is that of a store object or below one, be it followed by outputs that are derivations (`X.drv^out`). */
function isInStore(text: string, storeDir: string): boolean {
  const [place = ""] = text.split("^", 1);
  return (
    place.startsWith(`${storeDir}/`) &&
    isStorePath(place.split("/", storeDir.split("/").length + 1).join("/"), storeDir)
  );
}

const MAX_LINKS = 40;

/** Returns the store path for a word that leads into the store; a word without a slash never counts as a link. */
function linkedWord(text: string, { storeDir, baseDirectory }: ParseContext): string | undefined {
  if (!text.includes("/")) return undefined;
  const target = followLinksToStore(path.resolve(baseDirectory ?? "/", text), storeDir);
  return target !== undefined && isInStore(target, storeDir) ? target : undefined;
}

/** Returns the path in the store that an absolute path is, or to which a link such as `./result` leads; undefined when there is none. */
export function followLinksToStore(link: string, storeDir: string): string | undefined {
  let current = link;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (current.startsWith(`${storeDir}/`)) return current;
    if (fs.lstatSync(current, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
    current = path.resolve(path.dirname(current), fs.readlinkSync(current, "latin1"));
  }
  return undefined;
}

/** The attribute paths at which a command looks for a fragment in a flake's outputs. */
export interface Lookup {
  /** Attribute paths tried for an empty fragment. */
  readonly defaults: readonly string[];
  /** Prefixes put before a fragment, in order; the fragment itself is tried last. */
  readonly prefixes: readonly string[];
  /** False when a function that is found is not called (default true). */
  readonly callResult?: boolean;
}

/** Returns the lookup of packages: `build`, `shell`, `copy`, … */
export function packageLookup(system: string): Lookup {
  return {
    defaults: [`packages.${system}.default`, `defaultPackage.${system}`],
    prefixes: [`packages.${system}.`, `legacyPackages.${system}.`],
  };
}

/** Returns the lookup of programs: `run` prefers apps. */
export function appLookup(system: string): Lookup {
  const packages = packageLookup(system);
  return {
    defaults: [`apps.${system}.default`, `defaultApp.${system}`, ...packages.defaults],
    prefixes: [`apps.${system}.`, ...packages.prefixes],
  };
}

/** Returns the lookup of development shells: `develop` and `print-dev-env` fall back to packages. */
export function shellLookup(system: string): Lookup {
  const packages = packageLookup(system);
  return {
    defaults: [`devShells.${system}.default`, `devShell.${system}`, ...packages.defaults],
    prefixes: [`devShells.${system}.`, ...packages.prefixes],
  };
}

/** Returns the lookup of a flake's formatter. */
export function formatterLookup(system: string): Lookup {
  return { defaults: [`formatter.${system}`], prefixes: [] };
}

/** Returns the lookup of bundlers. */
export function bundlerLookup(system: string): Lookup {
  return { defaults: [`bundlers.${system}.default`, `defaultBundler.${system}`], prefixes: [`bundlers.${system}.`] };
}

/**
 * Returns an installable as messages name it: a store path or an attribute path as it is, a flake's output by the whole reference and the fragment
 * or, where that is empty, the first of the lookup's defaults.
 */
export function showInstallable(installable: Installable, lookup: Lookup): string {
  if (installable.kind !== "flake") return installable.path;
  const { fragment } = installable;
  return `${showFlakeRef(installable.ref)}#${fragment === "" ? (lookup.defaults[0] ?? "") : fragment}`;
}

/** Returns the attribute paths to try for a fragment; one that begins with a dot is used as it is. */
export function candidates(fragment: string, lookup: Lookup): string[] {
  if (fragment === "") return [...lookup.defaults];
  if (fragment.startsWith(".")) return [fragment.slice(1)];
  return [...lookup.prefixes.map((prefix) => `${prefix}${fragment}`), fragment];
}
