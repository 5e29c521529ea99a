/** Places in code that the debugger observes, by the number that their nodes carry. */
import type { AttrName, Expr } from "../syntax/ast.ts";
import { positionOf } from "../syntax/parser.ts";
import { showExpr } from "../syntax/print.ts";
import type { Scope } from "./scope.ts";

export type { Scope } from "./scope.ts";

export interface ObservedSite {
  /** Text of the step in the trace, coloured. */
  readonly text: string;
  readonly pos: number;
  readonly scope: Scope | null;
  /** True for a place that is no step of the trace, but where an error can occur. */
  readonly onlyErrors: boolean;
  /** True when errors that occur in such a step belong to the step itself. */
  readonly failsItself?: boolean;
}

export const observedSites: ObservedSite[] = [];

/** Adds a place and returns its number. */
export function addObservedSite(site: ObservedSite): number {
  return observedSites.push(site) - 1;
}

/** Marks a word of a message as the reference does. */
export function marked(text: string): string {
  return `\x1b[35;1m${text}\x1b[0m`;
}

/** Returns the site with which an expression is observed; undefined when it is not. */
export function siteOf(expr: Expr, scope: Scope | null): ObservedSite | undefined {
  switch (expr.kind) {
    case "call":
      return { text: "while calling a function", pos: expr.pos, scope, onlyErrors: false };
    case "let":
      return { text: `while evaluating a '${marked("let")}' expression`, pos: 0, scope, onlyErrors: false };
    case "select": {
      const path = expr.path.map(showName).join(".");
      const text = `while evaluating the attribute '${marked(path)}'`;
      return { text, pos: expr.pos, scope, onlyErrors: false, failsItself: true };
    }
    case "concat":
    case "assert":
    case "variable":
    case "if":
      return { text: "", pos: positionOf(expr), scope, onlyErrors: true };
    case "int":
    case "float":
    case "string":
    case "path":
    case "has":
    case "attrs":
    case "list":
    case "lambda":
    case "with":
    case "not":
    case "binary":
    case "position":
      return undefined;
  }
}

function showName(name: AttrName): string {
  return typeof name === "string" ? name : `"\${${showExpr(name)}}"`;
}
