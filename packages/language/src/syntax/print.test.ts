import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addSource } from "../code/source.ts";
import { type AttrDefinition, type AttrsExpr, type BinaryOperator, type Expr, emptyAttrs, type Formal } from "./ast.ts";
import { parseSource } from "./parser.ts";
import { showExpr } from "./print.ts";

const options = {
  pipes: false,
  pure: false,
  homeDirectory: () => "/home",
  lint: () => undefined,
  warn: () => undefined,
};

function parse(text: string): Expr {
  return parseSource(addSource("string", "test", "/", text), options).expr;
}

/** A tree without what printing does not keep: positions, offsets, the order of names. */
function bare(value: unknown): unknown {
  if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(bare);
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (["pos", "start", "end", "bodyStart", "bodyEnd", "literal"].includes(key) || member === undefined) continue;
    kept[key] = key === "formals" && Array.isArray(member) ? bare(sorted(member as Formal[])) : bare(member);
  }
  return kept;
}

function sorted(formals: readonly Formal[]): Formal[] {
  return [...formals].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const keywords = ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or", "__curPos"];
const identifier = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_'-]{0,5}$/).filter((name) => !keywords.includes(name));
const attributeName = fc.oneof({ weight: 4, arbitrary: identifier }, fc.stringMatching(/^[\x01-\xff]{0,4}$/));
const path = fc.stringMatching(/^(\/[a-z0-9_.+-]{1,4}[a-z]){1,3}$/);
const plain = { pos: 0, start: 0, end: 0 };
const operators: readonly BinaryOperator[] = ["==", "!=", "&&", "||", "->", "//", "++"];

/** Trees whose printed form is code again; the reference's printer leaves out brackets around `assert`. */
const { tree } = fc.letrec<{ tree: Expr }>((tie) => {
  const node = tie("tree");
  const attrPath = fc.array(attributeName, { minLength: 1, maxLength: 3 });
  const definitions = (dynamic: boolean) =>
    fc
      .record({
        own: fc.uniqueArray(fc.tuple(attributeName, node), { maxLength: 3, selector: ([name]) => name }),
        inherited: fc.uniqueArray(identifier, { maxLength: 2 }),
        from: fc.option(fc.tuple(node, fc.uniqueArray(attributeName, { minLength: 1, maxLength: 2 })), {
          nil: undefined,
        }),
        computed: dynamic ? fc.array(fc.tuple(node, node), { maxLength: 1 }) : fc.constant([]),
        recursive: fc.boolean(),
      })
      .map(({ own, inherited, from, computed, recursive }): AttrsExpr => {
        const attrs = new Map<string, AttrDefinition>();
        for (const [name, value] of own) attrs.set(name, { kind: "plain", value, ...plain });
        for (const name of inherited) if (!attrs.has(name)) attrs.set(name, { kind: "inherited", pos: 0 });
        const made: AttrsExpr = { ...emptyAttrs(0), attrs, recursive: dynamic && recursive };
        const names = (from?.[1] ?? []).filter((name) => !attrs.has(name));
        if (from !== undefined && names.length > 0) {
          made.inheritFrom.push(from[0]);
          for (const name of names) attrs.set(name, { kind: "inherited-from", from: 0, pos: 0 });
        }
        for (const [expr, value] of computed) {
          const name: Expr = { kind: "concat", forceString: true, parts: [{ pos: 0, expr }], pos: 0 };
          made.dynamic.push({ name, value, pos: 0 });
        }
        return made;
      });
  const formals = fc
    .uniqueArray(fc.tuple(identifier, fc.option(node, { nil: undefined })), {
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((list): Formal[] => list.map(([name, fallback]) => ({ name, fallback, pos: 0 })));
  return {
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.nat().map((value): Expr => ({ kind: "int", value })),
      fc.nat(10000).map((value): Expr => ({ kind: "float", value: value + 0.5 })),
      fc.stringMatching(/^[\x01-\xff]{0,6}$/).map((value): Expr => ({ kind: "string", value })),
      path.map((value): Expr => ({ kind: "path", value, literal: value })),
      identifier.map((name): Expr => ({ kind: "variable", name, pos: 0 })),
      fc.constant<Expr>({ kind: "position", pos: 0 }),
      fc
        .tuple(node, attrPath, fc.option(node, { nil: undefined }))
        .map(([base, names, fallback]): Expr => ({ kind: "select", base, path: names, fallback, pos: 0 })),
      fc.tuple(node, attrPath).map(([base, names]): Expr => ({ kind: "has", base, path: names, pos: 0 })),
      definitions(true),
      fc.array(node, { maxLength: 3 }).map((elements): Expr => ({ kind: "list", elements, pos: 0 })),
      fc
        .tuple(identifier, node)
        .map(([argument, body]): Expr => lambda({ argument, formals: undefined, ellipsis: false }, body)),
      fc
        .tuple(formals, fc.option(identifier, { nil: undefined }), fc.boolean(), node)
        .map(([list, name, ellipsis, body]): Expr => {
          const argument = list.some((formal) => formal.name === name) ? undefined : name;
          return lambda({ argument, formals: list, ellipsis }, body);
        }),
      fc
        .tuple(node, fc.array(node, { minLength: 1, maxLength: 3 }))
        .filter(([callee]) => callee.kind !== "call")
        .map(([callee, args]): Expr => ({ kind: "call", callee, args, pos: 0 })),
      fc.tuple(definitions(false), node).map(([attrs, body]): Expr => ({ kind: "let", attrs, body })),
      fc.tuple(node, node).map(([scope, body]): Expr => ({ kind: "with", scope, body, pos: 0 })),
      fc.tuple(node, node, node).map(([condition, yes, no]): Expr => ({ kind: "if", condition, yes, no, pos: 0 })),
      node.map((operand): Expr => ({ kind: "not", operand, pos: 0 })),
      fc
        .tuple(fc.constantFrom(...operators), node, node)
        .map(([operator, left, right]): Expr => ({ kind: "binary", operator, left, right, pos: 0 })),
      fc.tuple(node, node).map(([left, right]): Expr => {
        const parts = [left, right].map((expr) => ({ pos: 0, expr }));
        return { kind: "concat", forceString: false, parts, pos: 0 };
      }),
    ),
  };
});

function lambda(
  head: { argument: string | undefined; formals: readonly Formal[] | undefined; ellipsis: boolean },
  body: Expr,
): Expr {
  return { kind: "lambda", ...head, body, pos: 0, bodyStart: 0, bodyEnd: 0 };
}

describe("printing a syntax tree", () => {
  it("gives code that parses to the same tree", () => {
    fc.assert(
      fc.property(tree, (expr) => {
        const text = showExpr(expr);
        expect(bare(parse(text)), text).toEqual(bare(expr));
      }),
      { numRuns: 2000 },
    );
  });

  it("prints what it printed once more the same", () => {
    fc.assert(
      fc.property(tree, (expr) => {
        const text = showExpr(expr);
        expect(showExpr(parse(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
