/** The search for derivations in a value, as `nix-build` and `nix-env` define it: sets by their marks, lists whole. */
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { Attrs, isList, type Slot, shapeOf, type Value } from "../value/value.ts";
import { type AutoArgs, autoCall } from "./auto-call.ts";
import { force, isDerivation, plainString, typeError } from "./interpret.ts";
import { intern, symbolNames } from "./memory.ts";

/** A derivation with the attribute path at which it was found. */
export interface FoundDerivation {
  readonly attrPath: string;
  readonly name: string;
  readonly value: Attrs;
}

/** Options of the search. */
export interface FindOptions {
  readonly autoArgs: AutoArgs;
  /** Attribute path of the value, before those in it. */
  readonly prefix?: string;
  /** True to leave out derivations whose value fails by `throw` or `assert`. */
  readonly ignoreAssertions: boolean;
}

const combineChannels = intern("_combineChannels");
const nameSymbol = intern("name");
const recurseForDerivations = intern("recurseForDerivations");

/** Names that the search looks at; others cannot be typed as part of an attribute path. */
const searchedName = /^[A-Za-z_][A-Za-z0-9\-_+]*$/;

/**
 * Returns the derivations in a value in the order of their attribute names, each set once. Nested sets are searched when they have
 * `recurseForDerivations = true`, all of them below a set with `_combineChannels`. Fails when the value is neither a derivation nor a
 * set or a list.
 */
export function findDerivations(slot: Slot, options: FindOptions): FoundDerivation[] {
  const search = new Search(options);
  search.visit(slot, options.prefix ?? "");
  return search.found;
}

class Search {
  readonly found: FoundDerivation[] = [];
  private readonly seen = new Set<Attrs>();
  private readonly options: FindOptions;

  constructor(options: FindOptions) {
    this.options = options;
  }

  visit(slot: Slot, attrPath: string): void {
    const value = autoCall(slot, this.options.autoArgs);
    if (this.take(value, attrPath)) return;
    if (value instanceof Attrs) this.visitSet(value, attrPath);
    else if (isList(value)) {
      for (let i = 0; i < value.length; i++) {
        const path = below(attrPath, String(i));
        if (!this.take(value[i]!, path)) this.visit(value[i]!, path);
      }
    } else {
      throw new EvaluationError(
        "type-error",
        "expression does not evaluate to a derivation (or a set or list of those)",
      );
    }
  }

  private visitSet(set: Attrs, attrPath: string): void {
    const combine = set.get(combineChannels) !== undefined;
    const shape = shapeOf(set);
    for (const index of shape.order()) {
      const symbol = shape.keys[index]!;
      const name = symbolNames[symbol]!;
      if (!searchedName.test(name)) continue;
      const path = below(attrPath, name);
      const member = set[index]!;
      try {
        if (combine) this.visit(member, path);
        else if (!this.take(member, path)) {
          const value = force(member);
          if (value instanceof Attrs && recurses(value)) this.visit(value, path);
        }
      } catch (error) {
        throw addFrame(error, set.positionOf(symbol), `while evaluating the attribute '${name}'`);
      }
    }
  }

  /** Adds a derivation; returns false for other values, in which to search on. */
  private take(slot: Slot, attrPath: string): boolean {
    try {
      const value: Value = force(slot);
      if (!(value instanceof Attrs) || !isDerivation(value)) return false;
      if (!this.seen.has(value)) {
        this.seen.add(value);
        this.found.push({ attrPath, name: derivationName(value), value });
      }
      return true;
    } catch (error) {
      const ignored =
        error instanceof EvaluationError && (error.kind === "thrown" || error.kind === "assertion-failed");
      if (this.options.ignoreAssertions && ignored) return true;
      throw error;
    }
  }
}

function derivationName(attrs: Attrs): string {
  const name = attrs.get(nameSymbol);
  if (name === undefined) throw new EvaluationError("type-error", "derivation name missing");
  return plainString(force(name), 0, "while evaluating the 'name' attribute of a derivation");
}

function below(attrPath: string, name: string): string {
  return attrPath === "" ? name : `${attrPath}.${name}`;
}

/** Tells whether a set wants to be searched; fails when its mark is no Boolean. */
function recurses(set: Attrs): boolean {
  const mark = set.get(recurseForDerivations);
  if (mark === undefined) return false;
  const pos = set.positionOf(recurseForDerivations);
  const value = force(mark);
  if (typeof value === "boolean") return value;
  throw addFrame(typeError("a Boolean", value, pos), pos, "while evaluating the attribute `recurseForDerivations`");
}
