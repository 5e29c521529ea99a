/** Turns text into a value: parses, lowers, runs. */

import { none, type Value } from "../heap/memory.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import { type ParseResult, type ParserOptions, parseSource, positionOf } from "../syntax/parser.ts";
import { parentOf } from "../syntax/path-text.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { addRoot, hasUnknownCode } from "./code-scopes.ts";
import { CodeStore } from "./code-store.ts";
import { type Env, type EvaluatorState, ev, evaluation, force } from "./interpret.ts";
import { type LowerContext, lower } from "./lower.ts";
import { allocateCode, ints } from "./memory.ts";
import { addObservedSite, marked } from "./observed.ts";
import type { Scope } from "./scope.ts";
import { addSource, type Source } from "./source.ts";

/** Variables around a text that is not at top level: `scopedImport`, the repl. */
export interface Surroundings {
  readonly scope: Scope;
  readonly env: Env;
}

/** Lowers a source; undefined variables are errors at once, though most of the lowering happens later. */
export function compile(source: Source, owner: EvaluatorState, scope: Scope | null): number {
  return lowerParsed(parseSource(source, owner.parser), { source, owner, scope });
}

/** Lowers a tree that is parsed already. */
export function lowerParsed(
  { expr, free }: ParseResult,
  at: { readonly source: Source; readonly owner: EvaluatorState; readonly scope: Scope | null },
  changes?: LowerContext["changes"],
): number {
  const { source, owner, scope } = at;
  const isGlobal = globalNames(owner);
  const bound = (name: string) => isGlobal(name) || inScope(scope, name);
  const observed = owner.debugger !== undefined && source.origin !== "internal";
  const watched = owner.calls !== undefined && source.origin !== "internal";
  const context = { source, parser: owner.parser, isGlobal, lazy: free.every(bound), observed, watched };
  if (observed || watched) hasUnknownCode();
  const root = addRoot(lower(expr, changes === undefined ? context : { ...context, changes }, scope), scope);
  if (!observed || source.origin !== "file") return root;
  const text = `while evaluating the file '${marked(source.name)}':`;
  const node = allocateCode(3);
  ints[node] = 50;
  ints[node + 1] = addObservedSite({ text, pos: positionOf(expr), scope, onlyErrors: false });
  ints[node + 2] = root;
  return node;
}

/** Returns a function that tells which names are global in an evaluation. */
export function globalNames(owner: EvaluatorState): (name: string) => boolean {
  return (name) => (owner.globals[intern(name)] ?? none) !== none;
}

/** Returns the store of lowered code for an evaluation; undefined when the host keeps none, or parsing has to report on every literal. */
export function codeStoreFor(owner: EvaluatorState): CodeStore | undefined {
  const { codeCache, mode } = owner.host;
  if (codeCache === undefined || owner.debugger !== undefined || owner.calls !== undefined) return undefined;
  if (Object.values(mode.lints).some((level) => level !== "ignore")) return undefined;
  const names = owner.globals.flatMap((slot, symbol) => (slot === none ? [] : [nameOf(symbol)])).sort();
  return new CodeStore({
    cache: codeCache,
    key: [owner.parser.pipes, owner.parser.pure, ...names].join(" "),
    parser: owner.parser,
    isGlobal: globalNames(owner),
    compile(source, changes) {
      let cacheable = true;
      const parser: ParserOptions = {
        ...owner.parser,
        warn(message) {
          cacheable = false;
          owner.parser.warn(message);
        },
      };
      const root = lowerParsed(parseSource(source, parser), { source, owner, scope: null }, changes);
      return { root, cacheable };
    },
  });
}

/** Returns the code of an imported file; it may come from the host's cache. Fails when the text is wrong. */
export function fileCode(path: string, mustBeSet = false): number {
  const owner = evaluation();
  if (owner.code !== undefined && !mustBeSet) return owner.code.root(path);
  const source = addSource("file", path, parentOf(path), owner.host.readFile(path));
  if (mustBeSet) checkLiteralSet(source, owner);
  return compile(source, owner, null);
}

/** Checks that the text is an attribute set literal, as flake.nix must be. */
function checkLiteralSet(source: Source, owner: EvaluatorState): void {
  if (parseSource(source, owner.parser).expr.kind === "attrs") return;
  throw new EvaluationError("eval-error", `file '${source.name}' must be an attribute set`);
}

function inScope(scope: Scope | null, name: string): boolean {
  for (let s = scope; s !== null; s = s.up) if (s.names?.has(name)) return true;
  return false;
}

/** Evaluates a source. */
export function evaluateSource(source: Source, surroundings?: Surroundings): Value {
  const owner = evaluation();
  const root = compile(source, owner, surroundings?.scope ?? null);
  return force(ev(root, surroundings?.env ?? 0));
}
