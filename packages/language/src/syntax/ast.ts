/** The syntax tree. It is short-lived: lowering turns it into flat code and drops it. Positions are global integers. */

export type Expr =
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; value: string }
  /** A path; `literal` is its text in the source, `value` the path that it means there. */
  | { readonly kind: "path"; readonly value: string; readonly literal: string }
  | { readonly kind: "variable"; readonly name: string; readonly pos: number }
  | SelectExpr
  | { readonly kind: "has"; readonly base: Expr; readonly path: readonly AttrName[]; readonly pos: number }
  | AttrsExpr
  | { readonly kind: "list"; readonly elements: readonly Expr[]; readonly pos: number }
  | LambdaExpr
  | CallExpr
  | { readonly kind: "let"; readonly attrs: AttrsExpr; readonly body: Expr }
  | { readonly kind: "with"; readonly scope: Expr; readonly body: Expr; readonly pos: number }
  | { readonly kind: "if"; readonly condition: Expr; readonly yes: Expr; readonly no: Expr; readonly pos: number }
  | { readonly kind: "assert"; readonly condition: Expr; readonly body: Expr; readonly pos: number }
  | { readonly kind: "not"; readonly operand: Expr; readonly pos: number }
  | BinaryExpr
  /** `a + b` and interpolation: `forceString` is set for the latter. */
  | ConcatExpr
  | { readonly kind: "position"; readonly pos: number };

interface SelectExpr {
  readonly kind: "select";
  readonly base: Expr;
  readonly path: readonly AttrName[];
  readonly fallback: Expr | undefined;
  readonly pos: number;
}

interface ConcatExpr {
  readonly kind: "concat";
  readonly forceString: boolean;
  readonly parts: readonly { readonly pos: number; readonly expr: Expr }[];
  readonly pos: number;
}

export interface CallExpr {
  readonly kind: "call";
  readonly callee: Expr;
  readonly args: Expr[];
  readonly pos: number;
}

export type BinaryOperator = "==" | "!=" | "&&" | "||" | "->" | "//" | "++";

interface BinaryExpr {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly pos: number;
}

/** A static name, or an expression that computes one. */
export type AttrName = string | Expr;

export interface Formal {
  readonly name: string;
  readonly fallback: Expr | undefined;
  readonly pos: number;
}

export interface LambdaExpr {
  readonly kind: "lambda";
  readonly argument: string | undefined;
  /** The formals of a set pattern; undefined for `x: …`. */
  readonly formals: readonly Formal[] | undefined;
  readonly ellipsis: boolean;
  readonly body: Expr;
  readonly pos: number;
  /** Offsets of the body in its source, so that it can be lowered later. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

export type AttrDefinition =
  | {
      readonly kind: "plain";
      value: Expr;
      readonly pos: number;
      /** Offsets of the value in its source; equal when it was merged from several places. */
      start: number;
      end: number;
    }
  | { readonly kind: "inherited"; readonly pos: number }
  /** `from` indexes `inheritFrom` of the set. */
  | { readonly kind: "inherited-from"; from: number; readonly pos: number };

interface DynamicAttr {
  readonly name: Expr;
  readonly value: Expr;
  readonly pos: number;
}

export interface AttrsExpr {
  readonly kind: "attrs";
  recursive: boolean;
  readonly attrs: Map<string, AttrDefinition>;
  readonly dynamic: DynamicAttr[];
  readonly inheritFrom: Expr[];
  pos: number;
}

export function emptyAttrs(pos: number): AttrsExpr {
  return { kind: "attrs", recursive: false, attrs: new Map(), dynamic: [], inheritFrom: [], pos };
}
