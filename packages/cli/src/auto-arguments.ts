/** Automatic arguments of functions: `--arg`, `--argstr`, `--arg-from-file` and `--arg-from-stdin`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { AutoArgData, EvaluatorClient, PlainData } from "@firn/flake";
import { byteStringOf } from "@firn/formats";
import type { ParsedFlags } from "./grammar/invocation.ts";
import type { Io } from "./io.ts";

/** An argument as the command line has it: the text of an expression or a string, or the path of a file. */
export interface AutoArgument {
  readonly name: string;
  readonly text: string;
  readonly kind: "expression" | "string" | "file" | "stdin";
}

/** The arguments among the flags, in order: a later one replaces an earlier one of the same name. */
export function autoArguments(flags: ParsedFlags): AutoArgument[] {
  const kinds = { arg: "expression", argstr: "string", "arg-from-file": "file", "arg-from-stdin": "stdin" } as const;
  return flags.ordered("arg", "argstr", "arg-from-file", "arg-from-stdin").map(({ name: flag, values }) => {
    const [name = "", text = ""] = values;
    return { name, text, kind: kinds[flag as keyof typeof kinds] };
  });
}

/** The arguments as an evaluation takes them; expressions are evaluated when they are used. */
export async function autoArgData(
  client: EvaluatorClient,
  autoArgs: readonly AutoArgument[],
  io: Io,
): Promise<AutoArgData> {
  const result: Record<string, PlainData> = {};
  for (const { name, text, kind } of autoArgs) {
    const key = byteStringOf(name);
    switch (kind) {
      case "string":
        result[key] = byteStringOf(text);
        break;
      case "stdin":
        result[key] = await io.readStdin();
        break;
      case "file":
        result[key] = readFileSync(resolve(io.cwd, text), "latin1");
        break;
      case "expression": {
        const source = { kind: "string" as const, text: byteStringOf(text), directory: byteStringOf(io.cwd) };
        result[key] = { handle: await client.request({ op: "evaluate", source }) };
      }
    }
  }
  return result;
}
