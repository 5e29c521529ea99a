/** Automatic arguments of functions: `--arg`, `--argstr`, `--arg-from-file` and `--arg-from-stdin`. */
import type { AutoArgument } from "@firn/flake";
import type { ParsedFlags } from "../grammar/invocation.ts";

/** Returns the arguments among the flags, in order: a later one replaces an earlier one of the same name. */
export function autoArguments(flags: ParsedFlags): AutoArgument[] {
  const kinds = { arg: "expression", argstr: "string", "arg-from-file": "file", "arg-from-stdin": "stdin" } as const;
  return flags.ordered("arg", "argstr", "arg-from-file", "arg-from-stdin").map(({ name: flag, values }) => {
    const [name = "", text = ""] = values;
    return { name, text, kind: kinds[flag as keyof typeof kinds] };
  });
}
