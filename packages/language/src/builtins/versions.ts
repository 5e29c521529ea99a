/** The builtins about versions and package names. */
import { compareVersions, parseDrvName, versionComponents } from "@firn/formats";
import { makeList } from "../heap/list.ts";
import { makeInteger } from "../heap/number.ts";
import { setOf } from "../heap/set.ts";
import { makeString } from "../heap/string.ts";
import { type BuiltinTable, plainArgument } from "./arguments.ts";

export const versionBuiltins: BuiltinTable = {
  compareVersions: {
    arity: 2,
    call: (a, b) => {
      const x = plainArgument(a, "while evaluating the first argument passed to builtins.compareVersions");
      const y = plainArgument(b, "while evaluating the second argument passed to builtins.compareVersions");
      return makeInteger(compareVersions(x, y));
    },
  },
  splitVersion: {
    arity: 1,
    call: (a) => {
      const version = plainArgument(a, "while evaluating the first argument passed to builtins.splitVersion");
      return makeList(versionComponents(version).map((part) => makeString(part)));
    },
  },
  parseDrvName: {
    arity: 1,
    call: (a) => {
      const { name, version } = parseDrvName(
        plainArgument(a, "while evaluating the first argument passed to builtins.parseDrvName"),
      );
      return setOf({ name: makeString(name), version: makeString(version) });
    },
  },
};
