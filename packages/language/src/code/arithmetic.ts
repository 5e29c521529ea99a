/** Arithmetic on forced values, as the operators and the builtins do it. */
import { isFloat, type Value } from "../heap/memory.ts";
import {
  differenceOf,
  integerOf,
  isNumber,
  makeFloat,
  makeInteger,
  makeLargeInteger,
  numberOf,
  productOf,
  sumOf,
} from "../heap/number.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { showValue } from "../value/print.ts";
import { showType } from "../value/type.ts";

/** Makes the error of a value of another type than the one that is wanted. */
export function typeError(wanted: string, value: Value, pos = 0): EvaluationError {
  return new EvaluationError("type-error", `expected ${wanted} but found ${showType(value)}: ${showValue(value)}`, pos);
}

function operandError(value: Value, float: boolean, text: string): EvaluationError {
  const error = typeError(float ? "a float" : "an integer", value);
  error.addFrame(0, text);
  return error;
}

/** Checks both operands of an arithmetic builtin; true when the result is a float. */
function arithmeticOperands(a: Value, b: Value, operation: string): boolean {
  const float = isFloat(a) || isFloat(b);
  if (!isNumber(a)) throw operandError(a, float, `while evaluating the first argument of the ${operation}`);
  if (!isNumber(b)) throw operandError(b, float, `while evaluating the second argument of the ${operation}`);
  return float;
}

/** Makes the error of a result that does not fit. */
export function overflow(verb: string, a: Value, symbol: string, b: Value): EvaluationError {
  return new EvaluationError("eval-error", `integer overflow in ${verb} ${integerOf(a)} ${symbol} ${integerOf(b)}`);
}

export function addNumbers(a: Value, b: Value): Value {
  if ((a & b & 1) === 1) return makeInteger((a >> 1) + (b >> 1));
  if (arithmeticOperands(a, b, "addition")) return makeFloat(numberOf(a) + numberOf(b));
  return sumOf(a, b) ?? fail("adding", a, "+", b);
}

function fail(verb: string, a: Value, symbol: string, b: Value): never {
  throw overflow(verb, a, symbol, b);
}

export function subtract(a: Value, b: Value): Value {
  if ((a & b & 1) === 1) return makeInteger((a >> 1) - (b >> 1));
  if (arithmeticOperands(a, b, "subtraction")) return makeFloat(numberOf(a) - numberOf(b));
  return differenceOf(a, b) ?? fail("subtracting", a, "-", b);
}

export function multiply(a: Value, b: Value): Value {
  if ((a & b & 1) === 1) return productOf(a, b)!;
  if (arithmeticOperands(a, b, "multiplication")) return makeFloat(numberOf(a) * numberOf(b));
  return productOf(a, b) ?? fail("multiplying", a, "*", b);
}

export function divide(a: Value, b: Value): Value {
  if (!isNumber(b)) throw operandError(b, true, "while evaluating the second operand of the division");
  if (numberOf(b) === 0) throw new EvaluationError("eval-error", "division by zero");
  const float = isFloat(a) || isFloat(b);
  if (!isNumber(a)) throw operandError(a, float, "while evaluating the first operand of the division");
  if (float) return makeFloat(numberOf(a) / numberOf(b));
  if ((a & b & 1) === 1) {
    const quotient = Math.trunc((a >> 1) / (b >> 1));
    return makeInteger(quotient === 0 ? 0 : quotient);
  }
  return makeLargeInteger(BigInt(integerOf(a)) / BigInt(integerOf(b))) ?? fail("dividing", a, "/", b);
}
