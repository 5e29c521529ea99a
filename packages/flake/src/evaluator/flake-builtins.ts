/** Builtins for flake references; they need the fetchers' schemes, so they are here and not in the language. */
import type { FlakeAttributes } from "@firn/formats";
import {
  attrsArgument,
  type BuiltinTable,
  type EvalMode,
  fail,
  fetchedValue,
  forceValue,
  integerOf,
  isBoolean,
  isInteger,
  isString,
  makeString,
  membersOf,
  plainArgument,
  type Slot,
  setOf,
  showType,
  stringText,
  trueValue,
  type Value,
} from "@firn/language";
import {
  flakeRefFromAttributes,
  flakeRefToAttributes,
  parseReference,
  showFlakeRef,
  splitFragment,
} from "../refs/reference.ts";

type FlakeValue = FlakeAttributes extends ReadonlyMap<string, infer V> ? V : never;

function flakeValue(name: string, slot: Slot): FlakeValue {
  const value = forceValue(slot);
  if (isString(value)) return stringText(value);
  if (isBoolean(value)) return value === trueValue;
  if (isInteger(value)) {
    const integer = integerOf(value);
    if (integer < 0) throw fail(`negative value given for flake ref attr ${name}: ${integer}`);
    return BigInt(integer);
  }
  throw fail(
    `flake reference attribute sets may only contain integers, Booleans, and strings, but attribute '${name}' is ${showType(value)}`,
  );
}

/** Fails unless the feature `flakes` is enabled. */
function requireFlakes(mode: EvalMode): void {
  if (mode.experimentalFeatures.includes("flakes")) return;
  throw fail("experimental Nix feature 'flakes' is disabled; add '--extra-experimental-features flakes' to enable it");
}

/** Makes `builtins.parseFlakeRef` and `flakeRefToString`. */
export const flakeRefBuiltins = (mode: EvalMode): BuiltinTable => ({
  parseFlakeRef: {
    arity: 1,
    call: (a) => {
      requireFlakes(mode);
      const text = plainArgument(a, "while evaluating the argument passed to builtins.parseFlakeRef");
      const [reference, fragment] = splitFragment(text);
      if (fragment !== "") throw fail(`unexpected fragment '${fragment}' in flake reference '${text}'`);
      const attributes = flakeRefToAttributes(parseReference(reference, { keepsRelativeUrls: true }));
      const members: Record<string, Slot> = {};
      for (const [name, value] of attributes) members[name] = fetchedValue(value);
      return setOf(members);
    },
  },
  flakeRefToString: {
    arity: 1,
    call: (a) => {
      requireFlakes(mode);
      const attrs = attrsArgument(a, "while evaluating the argument passed to builtins.flakeRefToString");
      const attributes = new Map<string, FlakeValue>();
      for (const [name, slot] of membersOf(attrs)) attributes.set(name, flakeValue(name, slot));
      return makeString(showFlakeRef(flakeRefFromAttributes(attributes)));
    },
  },
});

/** Makes `builtins.getFlake`: it fetches, locks in memory and calls a flake; pure evaluation requires a locked reference. */
export function getFlakeBuiltin(mode: EvalMode, getFlake: (reference: string) => Value): BuiltinTable {
  return {
    getFlake: {
      arity: 1,
      call: (a) => {
        requireFlakes(mode);
        return getFlake(plainArgument(a, "while evaluating the argument passed to builtins.getFlake"));
      },
    },
  };
}
