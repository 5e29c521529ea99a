/** The scopes of all lowered code, found by a walk from its roots: they tell the collector the sizes of environments. */
import type { Scopes } from "../heap/collect.ts";
import type { Slot } from "../heap/memory.ts";
import { addTable, type Marker } from "../heap/tables.ts";
import { cell, layouts } from "./layout.ts";
import { codeSize, ints } from "./memory.ts";
import { op } from "./opcodes.ts";
import type { Scope } from "./scope.ts";

/** The roots of all code of the process, and the scopes that they were lowered in. */
const roots: number[] = [];
const rootScopes: (Scope | null)[] = [];

/** Adds the root of lowered code. */
export function addRoot(root: number, scope: Scope | null): number {
  roots.push(root);
  rootScopes.push(scope);
  return root;
}

/** Returns the roots and their scopes. */
export function allRoots(): { readonly roots: readonly number[]; readonly scopes: readonly (Scope | null)[] } {
  return { roots, scopes: rootScopes };
}

/** Code that the walk does not know: of the debugger, or of an observer of calls. */
let unknownCode = false;

export function hasUnknownCode(): void {
  unknownCode = true;
}

/** Scopes by number; 0 is the one without variables. */
class CodeScopes implements Scopes {
  /** The number of the scope of each node + 1. */
  private readonly scopes = new Int32Array(codeSize());
  private readonly sizes: number[] = [0];
  private readonly outer: number[] = [0];
  /** The nodes of functions of one argument by the scopes of their bodies; 0 for others. */
  private readonly lambdas: number[] = [0];
  private readonly ofScope = new Map<Scope, number>();
  /** Nodes that are yet to be looked at, and their scopes. */
  private readonly nodes: number[] = [];
  private readonly nodeScopes: number[] = [];
  /** Cells with values, and inline caches of shapes. */
  readonly values: number[] = [];
  readonly caches: number[] = [];

  constructor() {
    for (let i = 0; i < roots.length; i++) this.add(roots[i]!, this.numberOf(rootScopes[i]!));
    for (let node = this.nodes.pop(); node !== undefined; node = this.nodes.pop())
      this.walk(node, this.nodeScopes.pop()!);
  }

  scopeOf(node: number): number | undefined {
    const found = this.scopes[node];
    return found === undefined || found === 0 ? undefined : found - 1;
  }

  sizeOf(scope: number): number {
    return this.sizes[scope]!;
  }

  outerOf(scope: number): number {
    return this.outer[scope]!;
  }

  lambdaOf(scope: number): number {
    return this.lambdas[scope]!;
  }

  private newScope(size: number, outer: number, lambda = 0): number {
    this.sizes.push(size);
    this.lambdas.push(lambda);
    return this.outer.push(outer) - 1;
  }

  private numberOf(scope: Scope | null): number {
    if (scope === null) return 0;
    let number = this.ofScope.get(scope);
    if (number === undefined) {
      number = this.newScope(scope.room ?? scope.names?.size ?? 1, this.numberOf(scope.up));
      this.ofScope.set(scope, number);
    }
    return number;
  }

  private add(node: number, scope: number): void {
    if (this.scopes[node] !== 0) return;
    this.scopes[node] = scope + 1;
    this.nodes.push(node);
    this.nodeScopes.push(scope);
  }

  /** Adds nodes that stand in `count` cells from `from` on, `step` cells apart; 0 is none. */
  private addAll(from: number, count: number, scope: number, step = 1): void {
    for (let i = 0; i < count; i++) if (ints[from + i * step] !== 0) this.add(ints[from + i * step]!, scope);
  }

  private walk(node: number, scope: number): void {
    switch (ints[node]) {
      case op.LAMBDA: {
        const arity = ints[node + 2]!;
        this.add(ints[node + 1]!, this.newScope(arity, scope, arity === 1 ? node : 0));
        return;
      }
      case op.PATTERN: {
        const formals = ints[node + 5]!;
        const inner = this.newScope(formals + (ints[node + 6]! & 1), scope);
        this.add(ints[node + 1]!, inner);
        this.addAll(node + 9, formals, inner, 3);
        return;
      }
      case op.LET: {
        const inner = this.newScope(ints[node + 2]!, scope);
        this.add(ints[node + 1]!, inner);
        this.addAll(node + 3, ints[node + 2]!, inner);
        return;
      }
      case op.WITH: {
        this.add(ints[node + 1]!, scope);
        this.add(ints[node + 2]!, this.newScope(1, scope));
        return;
      }
      case op.REC_ATTRS: {
        this.recursive(node, scope);
        return;
      }
      case op.DYNAMIC: {
        const base = ints[node + 1]!;
        let inner = scope;
        if (ints[node + 2] === 1 && ints[base] === op.REC_ATTRS) inner = this.recursive(base, scope);
        else this.add(base, scope);
        this.addAll(node + 5, ints[node + 3]!, inner, 3);
        this.addAll(node + 6, ints[node + 3]!, inner, 3);
        return;
      }
      case op.FROM_ATTRS: {
        const values = ints[node + 2]!;
        const sources = ints[node + 3]!;
        this.addAll(node + 4, sources + values, this.newScope(sources, scope));
        return;
      }
      default:
        this.plain(node, scope);
    }
  }

  /** Looks at a recursive set; returns the scope of its members. */
  private recursive(node: number, scope: number): number {
    const members = ints[node + 3]!;
    const inner = this.newScope(members, scope);
    this.addAll(node + 5 + ints[node + 2]!, members, inner);
    return inner;
  }

  /** Looks at a node whose parts see what it sees. */
  private plain(node: number, scope: number): void {
    const layout = layouts[ints[node]!];
    if (layout === undefined) return;
    let at = node + 1;
    for (const kind of layout.fixed) this.cell(at++, kind, scope);
    for (const { count, kinds } of layout.tails) {
      for (let i = ints[node + count]!; i > 0; i--) for (const kind of kinds) this.cell(at++, kind, scope);
    }
  }

  private cell(at: number, kind: number, scope: number): void {
    const value = ints[at]!;
    switch (kind) {
      case cell.node:
        this.add(value, scope);
        return;
      case cell.optionalNode:
        if (value !== 0) this.add(value, scope);
        return;
      case cell.key:
        if (value < 0) this.add(~value, scope);
        return;
      case cell.constant:
        if ((value & 7) !== 0) this.values.push(at);
        return;
      case cell.memo:
        if (value !== 0) this.values.push(at);
        return;
      case cell.shape:
        if (value !== -1) this.caches.push(at);
        return;
      default:
    }
  }
}

let current: CodeScopes | undefined;

/** The scopes of code, with the functions whose bodies they are. */
export interface FunctionScopes extends Scopes {
  /** Returns the node of the function of one argument whose body has a scope; 0 for other scopes. */
  lambdaOf(scope: number): number;
}

/** Returns the scopes of all code, undefined when there is code that has none. */
export function codeScopes(): FunctionScopes | undefined {
  if (unknownCode) return undefined;
  current = new CodeScopes();
  return current;
}

addTable({
  mark(marker: Marker) {
    for (const at of current?.values ?? []) marker.slot(ints[at]! as Slot);
  },
  sweep(kept) {
    for (const at of current?.caches ?? []) if (!kept.has(ints[at]!)) ints[at] = -1;
    current = undefined;
  },
});
