/** Static scopes: the run-time place of each variable, as (depth, slot). */

/** One run-time environment, as known at lowering time. `names` is null for `with`, whose position is kept for errors. */
export interface Scope {
  readonly up: Scope | null;
  readonly names: ReadonlyMap<string, number> | null;
  readonly withPosition: number;
  /** Number of slots of the environment, when it has more than names. */
  readonly room?: number;
}

export function bindingScope(up: Scope | null, names: ReadonlyMap<string, number>, room?: number): Scope {
  return { up, names, withPosition: 0, ...(room === undefined ? {} : { room }) };
}

export function withScope(up: Scope | null, position: number): Scope {
  return { up, names: null, withPosition: position };
}

interface Place {
  readonly depth: number;
  readonly slot: number;
}

/** The binding of a name, or the `with` scopes that may have it (innermost first). */
export type Resolution =
  | { readonly kind: "bound"; readonly place: Place }
  | { readonly kind: "free"; readonly withs: readonly { readonly depth: number; readonly position: number }[] };

export function resolve(scope: Scope | null, name: string): Resolution {
  let depth = 0;
  let withs: { depth: number; position: number }[] | undefined;
  for (let s = scope; s !== null; s = s.up) {
    if (s.names === null) {
      withs ??= [];
      withs.push({ depth, position: s.withPosition });
    } else {
      const slot = s.names.get(name);
      if (slot !== undefined) return { kind: "bound", place: { depth, slot } };
    }
    depth++;
  }
  return { kind: "free", withs: withs ?? [] };
}
