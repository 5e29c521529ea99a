/** Prints a syntax tree as `nix-instantiate --parse` does, and names as identifiers where they need no quotes. */
import { formatFloat, quoteString } from "../value/text.ts";
import type { AttrName, AttrsExpr, Expr, LambdaExpr } from "./ast.ts";

const reserved = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

/** Returns a name as it appears in code: quoted when it is no identifier. */
export function showIdentifier(name: string): string {
  if (name === "") return '""';
  if (reserved.has(name)) return `"${name}"`;
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) ? name : quoteString(name);
}

export function showAttrPath(path: readonly AttrName[]): string {
  return path.map((name) => (typeof name === "string" ? showIdentifier(name) : `"\${${showExpr(name)}}"`)).join(".");
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function showBindings(attrs: AttrsExpr): string {
  const names = [...attrs.attrs.keys()].sort(byText);
  let out = "";
  const inherited = names.filter((name) => attrs.attrs.get(name)!.kind === "inherited");
  if (inherited.length > 0) out += `inherit ${inherited.map(showIdentifier).join(" ")}; `;
  attrs.inheritFrom.forEach((from, index) => {
    const taken = names.filter((name) => {
      const definition = attrs.attrs.get(name)!;
      return definition.kind === "inherited-from" && definition.from === index;
    });
    if (taken.length > 0) out += `inherit (${showExpr(from)}) ${taken.map(showIdentifier).join(" ")}; `;
  });
  for (const name of names) {
    const definition = attrs.attrs.get(name)!;
    if (definition.kind === "plain") out += `${showIdentifier(name)} = ${showExpr(definition.value)}; `;
  }
  for (const { name, value } of attrs.dynamic) out += `"\${${showExpr(name)}}" = ${showExpr(value)}; `;
  return out;
}

function showLambda(lambda: LambdaExpr): string {
  let out = "(";
  if (lambda.formals !== undefined) {
    const parts = [...lambda.formals]
      .sort((a, b) => byText(a.name, b.name))
      .map((formal) => {
        const name = showIdentifier(formal.name);
        return formal.fallback === undefined ? name : `${name} ? ${showExpr(formal.fallback)}`;
      });
    if (lambda.ellipsis) parts.push("...");
    out += `{ ${parts.join(", ")} }`;
    if (lambda.argument !== undefined) out += " @ ";
  }
  if (lambda.argument !== undefined) out += showIdentifier(lambda.argument);
  return `${out}: ${showExpr(lambda.body)})`;
}

/** Concatenates texts. Joining an array would copy them, level after level; adding strings does not. */
function inRow(exprs: readonly Expr[], separator: string): string {
  let out = "";
  for (let i = 0; i < exprs.length; i++) out += i === 0 ? showExpr(exprs[i]!) : separator + showExpr(exprs[i]!);
  return out;
}

export function showExpr(expr: Expr): string {
  switch (expr.kind) {
    case "int":
      return String(expr.value);
    case "float":
      return formatFloat(expr.value);
    case "string":
      return quoteString(expr.value);
    case "path":
      return expr.value;
    case "variable":
      return showIdentifier(expr.name);
    case "select": {
      const fallback = expr.fallback === undefined ? "" : ` or (${showExpr(expr.fallback)})`;
      return `(${showExpr(expr.base)}).${showAttrPath(expr.path)}${fallback}`;
    }
    case "has":
      return `((${showExpr(expr.base)}) ? ${showAttrPath(expr.path)})`;
    case "attrs":
      return `${expr.recursive ? "rec " : ""}{ ${showBindings(expr)}}`;
    case "list":
      return expr.elements.length === 0 ? "[ ]" : `[ (${inRow(expr.elements, ") (")}) ]`;
    case "lambda":
      return showLambda(expr);
    case "call":
      return `(${showExpr(expr.callee)} ${inRow(expr.args, " ")})`;
    case "let":
      return `(let ${showBindings(expr.attrs)}in ${showExpr(expr.body)})`;
    case "with":
      return `(with ${showExpr(expr.scope)}; ${showExpr(expr.body)})`;
    case "if":
      return `(if ${showExpr(expr.condition)} then ${showExpr(expr.yes)} else ${showExpr(expr.no)})`;
    case "assert":
      return `assert ${showExpr(expr.condition)}; ${showExpr(expr.body)}`;
    case "not":
      return `(! ${showExpr(expr.operand)})`;
    case "binary":
      return `(${showExpr(expr.left)} ${expr.operator} ${showExpr(expr.right)})`;
    case "concat":
      return `(${inRow(
        expr.parts.map((part) => part.expr),
        " + ",
      )})`;
    case "position":
      return "__curPos";
  }
}
