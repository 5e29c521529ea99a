/** From text to a value: parse, lower, run. */

import { textOf } from "@firn/formats";
import { type ParseResult, parseSource, positionOf } from "../syntax/parser.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import type { Env, Value } from "../value/value.ts";
import { type Evaluation, ev, evaluation } from "./interpret.ts";
import { lower } from "./lower.ts";
import { allocate, intern, ints } from "./memory.ts";
import { addObservedSite, marked } from "./observed.ts";
import type { Scope } from "./scope.ts";
import type { Source } from "./source.ts";

/** Variables around a text that is not at the top: `scopedImport`, the repl. */
export interface Surroundings {
  readonly scope: Scope;
  readonly env: Env;
}

/** Lowers a source; undefined variables are errors now, though most of the lowering happens later. */
export function compile(source: Source, owner: Evaluation, scope: Scope | null): number {
  return compileParsed(parseSource(source, owner.parser), { source, owner, scope });
}

/** The same for a tree that is there already. */
export function compileParsed(
  { expr, free }: ParseResult,
  { source, owner, scope }: { readonly source: Source; readonly owner: Evaluation; readonly scope: Scope | null },
): number {
  const isGlobal = (name: string) => owner.globals[intern(name)] !== undefined;
  const bound = (name: string) => isGlobal(name) || inScope(scope, name);
  const observed = owner.debugger !== undefined && source.origin !== "internal";
  const root = lower(expr, { source, parser: owner.parser, isGlobal, lazy: free.every(bound), observed }, scope);
  if (!observed || source.origin !== "file") return root;
  const text = `while evaluating the file '${marked(textOf(source.name))}':`;
  const at = allocate(3);
  ints[at] = 50;
  ints[at + 1] = addObservedSite({ text, pos: positionOf(expr), scope, onlyErrors: false });
  ints[at + 2] = root;
  return at;
}

function inScope(scope: Scope | null, name: string): boolean {
  for (let s = scope; s !== null; s = s.up) if (s.names?.has(name)) return true;
  return false;
}

/** Evaluates a source; with `mustBeSet` it must be a literal attribute set, as flake.nix must. */
export function evaluateSource(source: Source, surroundings?: Surroundings, mustBeSet = false): Value {
  const owner = evaluation();
  if (mustBeSet && parseSource(source, owner.parser).expr.kind !== "attrs") {
    throw new EvaluationError("eval-error", `file '${source.name}' must be an attribute set`);
  }
  const root = compile(source, owner, surroundings?.scope ?? null);
  return ev(root, surroundings?.env ?? null);
}
