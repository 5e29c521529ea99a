/** The builtins for arithmetic and comparison. */
import { addNumbers, divide, multiply, subtract } from "../code/arithmetic.ts";
import { force, less } from "../code/interpret.ts";
import { bool, isFloat, type Slot, type Value } from "../heap/memory.ts";
import { highBits, integerOf, integerOfBits, lowBits, makeLargeInteger, numberOf } from "../heap/number.ts";
import { formatFloat } from "../value/text.ts";
import { type BuiltinTable, fail, integerArgument, numberArgument } from "./arguments.ts";

const two63 = 2 ** 63;

/** Makes a builtin that combines the bits of two integers, 32 at a time. */
function bits(name: string, combine: (x: number, y: number) => number) {
  const first = `while evaluating the first argument passed to builtins.${name}`;
  const second = `while evaluating the second argument passed to builtins.${name}`;
  return {
    arity: 2,
    strict: true,
    call: (a: Slot, b: Slot): Value => {
      const x = integerArgument(a, first);
      const y = integerArgument(b, second);
      return integerOfBits(combine(lowBits(x), lowBits(y)), combine(highBits(x), highBits(y)));
    },
  };
}

function rounding(name: string, round: (x: number) => number) {
  return {
    arity: 1,
    call: (a: Slot): Value => {
      const argument = numberArgument(a, `while evaluating the first argument passed to builtins.${name}`);
      const bug = "Due to a bug (see https://github.com/NixOS/nix/issues/12899)";
      const later = "\n\tFuture Nix versions might implement the correct behavior.";
      const rounded = round(numberOf(argument));
      if (!(rounded >= -two63 && rounded < two63)) {
        if (isFloat(argument)) {
          throw fail(`NixFloat argument ${formatFloat(numberOf(argument))} is not in the range of NixInt`);
        }
        throw fail(
          `${bug} the NixInt argument ${integerOf(argument)} caused undefined behavior in previous Nix versions.${later}`,
        );
      }
      const result = makeLargeInteger(BigInt(rounded))!;
      if (!isFloat(argument) && integerOf(result) !== integerOf(argument)) {
        throw fail(
          `${bug} a loss of precision occurred in previous Nix versions because the NixInt argument ${integerOf(argument)} was rounded to ${integerOf(result)}.${later}`,
        );
      }
      return result;
    },
  };
}

/** Forces both operands from left to right, then computes. */
function binary(compute: (a: Value, b: Value) => Value) {
  return {
    arity: 2,
    strict: true,
    call: (a: Slot, b: Slot): Value => {
      const x = force(a);
      return compute(x, force(b));
    },
  };
}

export const numberBuiltins: BuiltinTable = {
  add: binary(addNumbers),
  sub: binary(subtract),
  mul: binary(multiply),
  div: binary(divide),
  lessThan: binary((a, b) => bool(less(a, b))),
  bitAnd: bits("bitAnd", (x, y) => x & y),
  bitOr: bits("bitOr", (x, y) => x | y),
  bitXor: bits("bitXor", (x, y) => x ^ y),
  ceil: rounding("ceil", Math.ceil),
  floor: rounding("floor", Math.floor),
};
