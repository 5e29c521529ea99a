/** The outputs of a flake as a tree of what they are, without building anything (manual: "nix flake show"). */
import { FirnError } from "@firn/formats";
import type { ValueRef } from "../evaluator/value-ref.ts";

/** Options of showing outputs. */
export interface ShowOutputsOptions {
  /** True to look into `legacyPackages`. */
  readonly legacy: boolean;
  /** True to show derivations of other systems too. */
  readonly allSystems: boolean;
  readonly system: string;
}

/** An output, or a set of outputs. */
export type ShownOutput =
  | { readonly kind: "set" }
  | { readonly kind: "omitted"; readonly flag: "all-systems" | "legacy" }
  /** An output that is not known before something is built. */
  | { readonly kind: "imports" }
  /** A set that is searched for packages and is none itself. */
  | { readonly kind: "hidden" }
  | {
      readonly kind: "derivation";
      readonly name: string;
      readonly description: string;
      /** Its purpose in words. */
      readonly purpose: string;
    }
  | { readonly kind: "app"; readonly description: string | undefined }
  | { readonly kind: "template"; readonly description: string }
  | { readonly kind: "nixpkgs-overlay" | "nixos-configuration" | "nixos-module" | "unknown" };

/** A node of the tree, parents before their members. */
export interface ShownNode {
  readonly path: readonly string[];
  /** For each name of the path, true when it is the last among its siblings. */
  readonly last: readonly boolean[];
  readonly output: ShownOutput;
}

/** Outputs whose members are outputs, or sets by system of one output each. */
const sets: readonly string[] = [
  ...["defaultApp", "defaultPackage", "devShell", "formatter"],
  ...["nixosConfigurations", "nixosModules", "overlays", "templates"],
];
/** Outputs by system, then by name. */
const bySystem: readonly string[] = ["apps", "checks", "devShells", "packages"];

/** Yields the outputs of a flake. Errors of evaluation end it, except below `legacyPackages`. */
export async function* showOutputs(outputs: ValueRef, options: ShowOutputsOptions): AsyncGenerator<ShownNode> {
  yield* visit(outputs, { path: [], last: [] }, options);
}

type Place = Pick<ShownNode, "path" | "last">;

async function* visit(value: ValueRef, place: Place, options: ShowOutputsOptions): AsyncGenerator<ShownNode> {
  const { path } = place;
  try {
    const output = await describedUnlessBuilt(value, path, options);
    if (path.length > 0) yield { ...place, output };
    if (output.kind !== "set") return;
  } catch (error) {
    if (!(error instanceof FirnError) || path[0] !== "legacyPackages") throw error;
    yield { ...place, output: { kind: "hidden" } };
    return;
  }
  const names = await value.attributeNames();
  if (names === undefined) throw new FirnError("type-error", `'${path.join(".")}' is not an attribute set`);
  const shown: { readonly name: string; readonly member: ValueRef }[] = [];
  for (const name of names) {
    const member = await value.attribute(name);
    if (member !== undefined && (await hasContent(member, [...path, name]))) shown.push({ name, member });
  }
  for (const [i, { name, member }] of shown.entries()) {
    const inner = { path: [...path, name], last: [...place.last, i === shown.length - 1] };
    yield* visit(member, inner, options);
  }
}

/** Sections whose outputs may be derivations. */
const derivations: readonly string[] = [
  ...["checks", "defaultPackage", "devShell", "devShells", "formatter", "hydraJobs", "legacyPackages", "packages"],
];

async function describedUnlessBuilt(
  value: ValueRef,
  path: readonly string[],
  options: ShowOutputsOptions,
): Promise<ShownOutput> {
  try {
    return await describe(value, path, options);
  } catch (error) {
    const isBuilt = error instanceof FirnError && error.code === "import-from-derivation-disabled";
    if (isBuilt && derivations.includes(path[0] ?? "")) return { kind: "imports" };
    throw error;
  }
}

async function describe(value: ValueRef, path: readonly string[], options: ShowOutputsOptions): Promise<ShownOutput> {
  const [section = "", system] = path;
  const depth = path.length;
  if (depth === 0 || (depth === 1 && sets.includes(section)) || (depth < 3 && bySystem.includes(section))) {
    return { kind: "set" };
  }
  const isPackage =
    (depth === 2 && ["defaultPackage", "devShell", "formatter"].includes(section)) ||
    (depth === 3 && ["checks", "devShells", "packages"].includes(section));
  if (isPackage) {
    if (!options.allSystems && system !== options.system) return { kind: "omitted", flag: "all-systems" };
    const derivation = await derivationOf(value, path);
    if (derivation !== undefined) return derivation;
    return { kind: "hidden" };
  }
  if (section === "hydraJobs") return (await derivationOf(value, path)) ?? { kind: "set" };
  if (section === "legacyPackages") {
    if (depth === 1) return { kind: "set" };
    if (!options.legacy) return { kind: "omitted", flag: "legacy" };
    if (!options.allSystems && system !== options.system) return { kind: "omitted", flag: "all-systems" };
    const derivation = await derivationOf(value, path);
    return derivation ?? (depth === 2 ? { kind: "set" } : { kind: "hidden" });
  }
  if ((depth === 2 && section === "defaultApp") || (depth === 3 && section === "apps")) return app(value, path);
  if ((depth === 1 && section === "defaultTemplate") || (depth === 2 && section === "templates")) {
    const description = await (await attributeOf(value, [...path, "description"])).string();
    return { kind: "template", description: description.text };
  }
  const one = depth === 1 ? section : undefined;
  const two = depth === 2 ? section : undefined;
  if (one === "overlay" || two === "overlays") return { kind: "nixpkgs-overlay" };
  if (two === "nixosConfigurations") return { kind: "nixos-configuration" };
  if (one === "nixosModule" || two === "nixosModules") return { kind: "nixos-module" };
  return { kind: "unknown" };
}

/** Returns the attribute at the end of a path; `value` is the set that has it. */
async function attributeOf(value: ValueRef, path: readonly string[]): Promise<ValueRef> {
  const found = await value.attribute(path.at(-1) ?? "");
  if (found !== undefined) return found;
  throw new FirnError("missing-attribute", `attribute '${path.join(".")}' does not exist`);
}

async function derivationOf(value: ValueRef, path: readonly string[]): Promise<ShownOutput | undefined> {
  if ((await value.kind()) !== "derivation") return undefined;
  const { text: name } = await (await attributeOf(value, [...path, "name"])).string();
  const [section] = path;
  const purpose =
    section === "devShell" || section === "devShells"
      ? "development environment"
      : section === "checks" || section === "hydraJobs"
        ? "derivation"
        : "package";
  return { kind: "derivation", name, purpose, description: (await descriptionOf(value)) ?? "" };
}

async function app(value: ValueRef, path: readonly string[]): Promise<ShownOutput> {
  const type = await value.attribute("type");
  if (type !== undefined && (await type.kind()) !== "string") {
    const text = `'${[...path, "type"].join(".")}' is not a string but ${await type.describe()}`;
    throw new FirnError("type-error", text);
  }
  if (type === undefined || (await type.string()).text !== "app") {
    throw new FirnError("type-error", "not an app definition");
  }
  return { kind: "app", description: await descriptionOf(value) };
}

async function descriptionOf(value: ValueRef): Promise<string | undefined> {
  const description = await value.attributeAlong(["meta", "description"]);
  return description === undefined ? undefined : (await description.string()).text;
}

/** Tells whether something is to be shown of an output; sets by system that hold nothing are left out. */
async function hasContent(value: ValueRef, path: readonly string[]): Promise<boolean> {
  const [section = ""] = path;
  const looked =
    (path.length < 3 && [...bySystem, "legacyPackages"].includes(section)) ||
    (path.length === 1 && ["formatter", "nixosConfigurations", "nixosModules", "overlays"].includes(section));
  if (!looked) return true;
  try {
    for (const name of (await value.attributeNames()) ?? []) {
      const member = await value.attribute(name);
      if (member !== undefined && (await hasContent(member, [...path, name]))) return true;
    }
    return false;
  } catch (error) {
    // What is wrong with it is told when it is shown.
    if (error instanceof FirnError) return true;
    throw error;
  }
}
