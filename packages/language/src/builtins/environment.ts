/** The builtins on environment variables. */
import { host } from "../code/interpret.ts";
import { emptyString } from "../heap/memory.ts";
import { makeString } from "../heap/string.ts";
import { type BuiltinTable, plainArgument } from "./arguments.ts";

export const environmentBuiltins: BuiltinTable = {
  getEnv: {
    arity: 1,
    call: (a) => {
      const name = plainArgument(a, "while evaluating the first argument passed to builtins.getEnv");
      const { pure, restricted } = host().mode;
      return pure || restricted ? emptyString : makeString(host().environment(name));
    },
  },
};
