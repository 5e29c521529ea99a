/** Names of inputs resolved through flake registries. */
import { FirnError, type RegistryEntry } from "@firn/formats";
import { type Input, sameInput, stringAttribute, withAttributes } from "./input.ts";
import { showInput } from "./input-forms.ts";

/** Origin of a registry's entries; shown by `firn registry list`, but for `own`: the names that only Firn has. */
export type RegistryKind = "flags" | "user" | "system" | "global" | "own";

/** A registry. */
export interface Registry {
  readonly kind: RegistryKind;
  readonly entries: readonly RegistryEntry[];
}

/** A resolved reference: the input and the directory that the registry entry adds. */
export interface Resolved {
  readonly input: Input;
  readonly dir: string | undefined;
}

/**
 * Follows registry entries until the input is one that can be fetched. Fails with `registry` when a name is in none,
 * or when entries go round in a circle.
 */
export function resolveInput(input: Input, registries: readonly Registry[]): Resolved {
  let current = input;
  let dir: string | undefined;
  for (let steps = 0; steps < 100; steps++) {
    const entry = findEntry(current, registries);
    if (entry === undefined) {
      if (current.get("type") === "indirect") {
        throw new FirnError("registry", `cannot find flake '${showInput(current)}' in the flake registries`);
      }
      return { input: current, dir };
    }
    dir = stringAttribute(entry.to, "dir") ?? dir;
    const target = withAttributes(entry.to, { dir: undefined });
    current = entry.exact ? target : overridden(target, entry.from, current);
  }
  throw new FirnError("registry", `cycle detected in flake registry for '${showInput(input)}'`);
}

function findEntry(input: Input, registries: readonly Registry[]): RegistryEntry | undefined {
  for (const registry of registries) {
    for (const entry of registry.entries) {
      const from = withAttributes(entry.from, { dir: undefined });
      if (entry.exact ? sameInput(from, input) : matches(from, input)) return entry;
    }
  }
  return undefined;
}

/** Tells whether an entry matches an input. A name matches with any ref and revision, unless the entry itself names them. */
function matches(from: Input, input: Input): boolean {
  for (const [name, value] of from) if (input.get(name) !== value) return false;
  for (const name of input.keys()) if (!from.has(name) && name !== "ref" && name !== "rev") return false;
  return true;
}

function overridden(target: Input, from: Input, input: Input): Input {
  const ref = from.has("ref") ? undefined : stringAttribute(input, "ref");
  const rev = from.has("rev") ? undefined : stringAttribute(input, "rev");
  if (ref === undefined && rev === undefined) return target;
  return withAttributes(target, { ref: ref ?? (rev === undefined ? stringAttribute(target, "ref") : undefined), rev });
}
