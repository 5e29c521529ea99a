/** The attributes of a set literal that are no literals, and would have to be evaluated to be known. */
import type { AttrsExpr, Expr } from "../syntax/ast.ts";

/** Sets around an expression that their own attributes refer to, innermost first. */
interface Scope {
  readonly attrs: AttrsExpr;
  readonly up: Scope | undefined;
}

const constants = new Set(["true", "false", "null"]);

/**
 * Returns the paths of attributes and elements of lists (by their index) below the named attributes of a set that are expressions to be computed,
 * as the reference takes them for it: no constants, sets, lists or functions, nor variables that stand for constants.
 */
export function computedAttributes(root: Expr, sections: readonly string[]): string[][] {
  const found: string[][] = [];
  const visit = (expr: Expr, path: readonly string[], scope: Scope | undefined): void => {
    if (isComputed(expr, scope)) {
      found.push([...path]);
    } else if (expr.kind === "attrs") {
      const inner = expr.recursive ? { attrs: expr, up: scope } : scope;
      for (const [name, definition] of expr.attrs) {
        if (path.length === 0 && !sections.includes(name)) continue;
        if (definition.kind === "plain") visit(definition.value, [...path, name], inner);
        // What is inherited has its value already where it is a constant.
        else if (definition.kind === "inherited-from" || isComputedName(name, scope)) found.push([...path, name]);
      }
    } else if (expr.kind === "list") {
      for (const [index, element] of expr.elements.entries()) visit(element, [...path, String(index)], scope);
    }
  };
  visit(root, [], undefined);
  return found;
}

function isComputed(expr: Expr, scope: Scope | undefined): boolean {
  switch (expr.kind) {
    case "int":
    case "float":
    case "string":
    case "path":
    case "list":
    case "lambda":
      return false;
    case "attrs":
      return expr.dynamic.length > 0;
    case "variable":
      return isComputedName(expr.name, scope);
    default:
      return true;
  }
}

function isComputedName(name: string, scope: Scope | undefined): boolean {
  for (let level = scope; level !== undefined; level = level.up) {
    const definition = level.attrs.attrs.get(name);
    if (definition === undefined) continue;
    if (definition.kind !== "plain") return true;
    // A variable has the value of what it stands for only where that is a constant; a set or list is made later.
    return !["int", "float", "string", "path"].includes(definition.value.kind);
  }
  return !constants.has(name);
}
