/** The builtins about versions and package names. */
import { compareVersions, parseDrvName, versionComponents } from "@firn/formats";
import { intern } from "../code/memory.ts";
import { makeAttrs, type Value } from "../value/value.ts";
import { type BuiltinTable, plainArgument } from "./arguments.ts";

export const versionBuiltins: BuiltinTable = {
  compareVersions: {
    arity: 2,
    call: (a, b) => {
      const x = plainArgument(a, "while evaluating the first argument passed to builtins.compareVersions");
      const y = plainArgument(b, "while evaluating the second argument passed to builtins.compareVersions");
      return compareVersions(x, y);
    },
  },
  splitVersion: {
    arity: 1,
    call: (a): Value =>
      versionComponents(plainArgument(a, "while evaluating the first argument passed to builtins.splitVersion")),
  },
  parseDrvName: {
    arity: 1,
    call: (a) => {
      const { name, version } = parseDrvName(
        plainArgument(a, "while evaluating the first argument passed to builtins.parseDrvName"),
      );
      return makeAttrs([intern("name"), intern("version")], [name, version], null);
    },
  },
};
