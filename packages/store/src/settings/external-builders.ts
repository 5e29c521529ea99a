/** The setting `external-builders`: programs that run the builds of certain systems. */
import {
  describeJsonError,
  FirnError,
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  parseJson,
  printJson,
} from "@firn/formats";

/** A program that runs builds, and the systems whose builds it runs. */
export interface ExternalBuilder {
  readonly systems: readonly string[];
  readonly program: string;
  /** The arguments before the name of the file that describes a build. */
  readonly args: readonly string[];
}

const name = "external-builders";

/** Reads the value of the setting, a list of objects in JSON. Error `bad-setting`. */
export function parseExternalBuilders(text: string): ExternalBuilder[] {
  const problem = describeJsonError(text);
  if (problem !== undefined) throw bad(problem);
  return listOf(parseJson(text), (item) => {
    if (!isJsonObject(item)) {
      throw bad(
        `error: Expected JSON value to be of type 'object' but it is of type '${kindOf(item)}': ${printJson(item)}`,
      );
    }
    const member = (key: string): JsonValue => {
      const value = item.get(key);
      if (value !== undefined) return value;
      throw bad(`error: Expected JSON object to contain key '${key}' but it doesn't: ${printJson(item)}`);
    };
    return {
      systems: [...new Set(listOf(member("systems"), string))].sort(),
      program: string(member("program")),
      args: listOf(member("args"), string),
    };
  });
}

/** Returns the text of a value of the setting. */
export function printExternalBuilders(builders: readonly ExternalBuilder[]): string {
  return printJson(builders.map((builder) => new Map<string, JsonValue>(Object.entries(builder))));
}

function bad(problem: string): FirnError {
  return new FirnError("bad-setting", `parsing setting '${name}': ${problem}`);
}

function listOf<T>(value: JsonValue, read: (item: JsonValue) => T): T[] {
  if (!Array.isArray(value)) throw otherType("array", value);
  return value.map(read);
}

function string(value: JsonValue): string {
  if (typeof value !== "string") throw otherType("string", value);
  return value;
}

function otherType(wanted: string, value: JsonValue): FirnError {
  return bad(`[json.exception.type_error.302] type must be ${wanted}, but is ${kindOf(value)}`);
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return isJsonNumber(value) ? "number" : typeof value;
}
