/** JSON in both directions. */
import { type BuiltinTable, nameArgument } from "./arguments.ts";
import { readJson } from "./json-reader.ts";
import { JsonWriter } from "./json-writer.ts";

export const jsonBuiltins: BuiltinTable = {
  toJSON: {
    arity: 1,
    call: (a) => {
      const writer = new JsonWriter(true);
      writer.write(a, 0);
      return writer.value();
    },
  },
  fromJSON: {
    arity: 1,
    call: (a) => readJson(nameArgument(a, "while evaluating the first argument passed to builtins.fromJSON")),
  },
};
