/** Files and expressions as the arguments of `nix-instantiate`, `nix-build` and `nix-shell` (manual: "nix-build"). */
import { join } from "node:path";
import {
  type AutoArgument,
  type AutoArguments,
  type DerivationFacts,
  type Evaluator,
  evaluateAutoArguments,
  fileArgument,
  type ValueRef,
} from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { ExpressionSource } from "@firn/language";
import { existsSync, statSync } from "@firn/store/files";
import type { Flag } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { autoArguments } from "../session/auto-arguments.ts";

/** The expressions that a command line names. */
export interface Expressions {
  /** True when the words are expressions instead of files. */
  readonly texts: boolean;
  /** Files (`-`, `<name>`, URLs), or expressions. */
  readonly words: readonly string[];
  /** Attribute paths to select; empty for the whole values. */
  readonly attrPaths: readonly string[];
  readonly autoArgs: readonly AutoArgument[];
  /** True for shells: functions that take `inNixShell` get `true` for it, and directories are read for `shell.nix` first. */
  readonly shell?: boolean;
}

/** An evaluator with what names of files need. */
export interface ExpressionContext {
  readonly evaluator: Evaluator;
  readonly io: Io;
  /** Returns the path for a URL or `flake:` reference, fetched; undefined when it cannot be had. */
  fetchPath(url: string): Promise<string | undefined>;
  /** Directory from which relative paths start. */
  readonly directory: string;
}

/** The flag of commands that keep what they make. */
export const rootFlag: Flag = {
  name: "add-root",
  labels: ["path"],
  kinds: ["path"],
  description: "Register the result as a root of the collector.",
};

/** Flags of every command that takes expressions. */
export const expressionFlags: readonly Flag[] = [
  ...evaluationFlags,
  { name: "expr", short: "E", description: "Interpret the arguments as Nix expressions." },
  { name: "attr", short: "A", labels: ["path"], kinds: ["attribute-path"], description: "Select an attribute." },
  { name: "indirect", description: "Ignored; roots are always indirect." },
  { name: "dry-run", description: "Show what would be done without doing it." },
];

/** Returns the expressions of a command line; without a word, those of `default`, or of `./default.nix`. */
export function expressionsOf({ flags, positionals }: Invocation, byDefault = "./default.nix"): Expressions {
  const texts = flags.has("expr");
  return {
    texts,
    words: positionals.length === 0 && !texts ? [byDefault] : positionals,
    attrPaths: flags.all("attr").map(([path = ""]) => path),
    autoArgs: autoArguments(flags),
  };
}

/** Yields the source of each word, in order. */
export async function* expressionSources(
  { texts, words, shell = false }: Expressions,
  { evaluator, io, fetchPath, directory }: ExpressionContext,
): AsyncGenerator<ExpressionSource> {
  for (const word of words) {
    if (word === "-") yield { kind: "stdin", text: await io.readStdin(), directory };
    else if (texts) yield { kind: "string", text: word, directory };
    else {
      const path = await fileArgument(word, { evaluator, cwd: directory, fetchPath });
      yield { kind: "file", path: shell ? shellFile(path) : path };
    }
  }
}

/** Returns the file of a shell in a directory, and other paths as they are. Error `not-found`. */
function shellFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  const found = ["shell.nix", "default.nix"].find((name) => existsSync(join(path, name)));
  if (found === undefined) {
    throw new FirnError("not-found", `neither 'shell.nix' nor 'default.nix' found in '${path}'`);
  }
  return join(path, found);
}

/** Yields the values that the attribute paths select in each expression, with the automatic arguments. */
export async function* selectedValues(
  expressions: Expressions,
  context: ExpressionContext,
): AsyncGenerator<{ readonly value: ValueRef; readonly autoArgs: AutoArguments }> {
  const { evaluator, io } = context;
  const { attrPaths } = expressions;
  const given = await evaluateAutoArguments(evaluator, expressions.autoArgs, io);
  const argumentsOf = async (value: ValueRef): Promise<AutoArguments> =>
    expressions.shell === true && (await value.formals())?.inNixShell !== undefined
      ? { inNixShell: true, ...given }
      : given;
  for await (const source of expressionSources(expressions, context)) {
    const root = await evaluator.evaluate(source);
    for (const path of attrPaths.length === 0 ? [""] : attrPaths) {
      const value = await root.select(path, await argumentsOf(root));
      yield { value, autoArgs: await argumentsOf(value) };
    }
  }
}

/** Yields every derivation in the selected values; fails with `type-error` when a value is neither a derivation nor a set or list. */
export async function* derivationsIn(
  expressions: Expressions,
  context: ExpressionContext,
): AsyncGenerator<DerivationFacts> {
  for await (const { value, autoArgs } of selectedValues(expressions, context)) {
    for (const found of await value.packages({ prefix: "", autoArgs, skipFailed: false })) {
      const facts = await found.value.derivation();
      if (facts !== undefined) yield facts;
    }
  }
}
