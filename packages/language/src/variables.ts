/** Variables that are added one after the other and the expressions that see them: the environment of a repl. */

import { FirnError } from "@firn/formats";
import { typeError } from "./code/arithmetic.ts";
import { type EvaluatorState, ev, evaluation, force, positionOfValue } from "./code/interpret.ts";
import { compile, lowerParsed } from "./code/load.ts";
import { bindingScope, type Scope } from "./code/scope.ts";
import { addSource, type Source } from "./code/source.ts";
import { attributeDocumentation, type Documentation, documentationOf, lastSelection } from "./documentation.ts";
import { type Address, allocate, heap, isSet, type Slot, type Value } from "./heap/memory.ts";
import { shapeOf, valueAt } from "./heap/set.ts";
import { keyAt, orderedKeys, shapeSize } from "./heap/shape.ts";
import { intern, nameOf } from "./heap/symbol.ts";
import { addHolder } from "./heap/tables.ts";
import { EOF, tokenNames } from "./syntax/lexer.ts";
import { parseDefinitions, parseSource } from "./syntax/parser.ts";
import { EvaluationError, UnexpectedToken } from "./value/evaluation-error.ts";
import { showAttrName } from "./value/print.ts";

/** Limit of variables, that of upstream's environment. */
const capacity = 32768;

/** The result of adding a set to the variables. */
export interface AddedVariables {
  readonly count: number;
  /** The names in byte order as they stand in code; only the first of a large set. */
  readonly first: readonly string[];
}

/** The result of a line: definitions, whose names are variables now, or an expression. */
export type EnteredLine =
  | { readonly kind: "defined"; readonly names: readonly string[] }
  | { readonly kind: "value"; readonly value: Value };

const firstNames = 20;

function newEnvironment(): Address {
  return allocate(capacity + 2);
}

/** Variables of a repl, and the evaluation of lines and expressions that see them. */
export class Variables {
  /** Directory from which relative paths in expressions start. */
  readonly directory: string;
  /** The environment has room for all variables: code that was lowered before refers to it. */
  private env = newEnvironment();
  private count = 0;
  private names = new Map<string, number>();
  /** The scope of the last compiled code; code that is lowered later refers to it, so its names never change. */
  private scope: Scope | undefined;

  constructor(directory: string) {
    this.directory = directory;
    addHolder(this, (variables, marker) => marker.environment(variables.env, capacity));
  }

  /** Forgets all variables. */
  reset(): void {
    this.env = newEnvironment();
    this.count = 0;
    this.names = new Map();
    this.scope = undefined;
  }

  private writable(adding: number): Map<string, number> {
    if (this.count + adding >= capacity) {
      throw new EvaluationError("eval-error", "environment full; cannot add more variables");
    }
    if (this.scope !== undefined) {
      this.names = new Map(this.names);
      this.scope = undefined;
    }
    return this.names;
  }

  private current(): Scope {
    this.scope ??= bindingScope(null, this.names, capacity);
    return this.scope;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** Returns the names of all variables, without those of the language. */
  all(): string[] {
    return [...this.names.keys()];
  }

  add(name: string, slot: Slot): void {
    const names = this.writable(0);
    this.push(names, name, slot);
  }

  private push(names: Map<string, number>, name: string, slot: Slot): void {
    this.count++;
    heap[this.env + this.count] = slot;
    names.set(name, this.count);
  }

  /** Replaces all variables by those around a stop of the debugger. */
  assign(slots: ReadonlyMap<string, Slot>): void {
    this.reset();
    for (const [name, slot] of slots) this.add(name, slot);
  }

  /** Adds the attributes of a set. */
  addAll(slot: Slot): AddedVariables {
    const value = force(slot);
    if (!isSet(value)) throw notASet(value);
    const shape = shapeOf(value);
    const names = this.writable(shapeSize(shape));
    const count = shapeSize(shape);
    for (let i = 0; i < count; i++) this.push(names, nameOf(keyAt(shape, i)), valueAt(value, i));
    const first = orderedKeys(shape)
      .slice(0, firstNames)
      .map((symbol) => showAttrName(nameOf(symbol)));
    return { count, first };
  }

  /**
   * Enters a line: definitions or an expression. Fails with `incomplete-input` when more text could make it valid; with
   * `patient` this holds for definitions too, which upstream only accepts whole.
   */
  enter(text: string, patient = false): EnteredLine {
    const owner = evaluation();
    const found = this.definitions(text, owner, patient);
    if (found === undefined) return { kind: "value", value: this.evaluate(text) };
    const { source, attrs, free } = found;
    const expr = { ...attrs, dynamic: [] };
    if (attrs.attrs.size > 0) {
      const root = lowerParsed({ expr, free }, { source, owner, scope: this.current() });
      const set = ev(root, this.env);
      const shape = shapeOf(set);
      for (let i = 0; i < shapeSize(shape); i++) this.add(nameOf(keyAt(shape, i)), valueAt(set, i));
    }
    return { kind: "defined", names: [...attrs.attrs.keys()] };
  }

  private definitions(text: string, owner: EvaluatorState, patient: boolean) {
    const source = this.source(text);
    const first = attempt(() => parseDefinitions(source, owner.parser));
    if (first.error === undefined) return { source, ...first.result };
    // A last semicolon may be left out; messages show the text as it was.
    const closed = { ...source, text: `${text};` };
    const second = attempt(() => parseDefinitions(closed, owner.parser));
    if (second.error === undefined) return { source: closed, ...second.result };
    if (endsTooSoon(second.error)) throw incomplete(second.error);
    if (patient && endsTooSoon(first.error) && !wantsName(first.error)) {
      throw incomplete(first.error);
    }
    return undefined;
  }

  /** Evaluates an expression. Fails with `incomplete-input` when its text ends too soon. */
  evaluate(text: string): Value {
    let root: number;
    try {
      root = compile(this.source(text), evaluation(), this.current());
    } catch (error) {
      if (endsTooSoon(error)) throw incomplete(error);
      throw error;
    }
    return ev(root, this.env);
  }

  /** Returns the documentation of an expression's value, else of the attribute that it selects. */
  document(text: string): Documentation | undefined {
    const owner = evaluation();
    const source = this.source(text);
    let attribute: Documentation | undefined;
    const parsed = attempt(() => parseSource(source, owner.parser));
    const selection = parsed.error === undefined ? lastSelection(parsed.result.expr) : undefined;
    if (parsed.error === undefined && selection !== undefined) {
      const { free } = parsed.result;
      const base = lowerParsed({ expr: selection.base, free }, { source, owner, scope: this.current() });
      attribute = attributeDocumentation(ev(base, this.env), intern(selection.name));
    }
    return documentationOf(this.evaluate(text)) ?? attribute;
  }

  private source(text: string): Source {
    return addSource("string", "\xc2\xabstring\xc2\xbb", this.directory, text);
  }
}

function notASet(value: Value): EvaluationError {
  const pos = positionOfValue(value);
  const error = typeError("a set", value);
  error.addFrame(pos, "while evaluating an attribute set to be merged in the global scope");
  return error;
}

/** Tells whether a text is the beginning of a longer one. */
function endsTooSoon(error: unknown): error is UnexpectedToken {
  return error instanceof UnexpectedToken && error.token === tokenNames[EOF];
}

/** Tells whether a text ends after a name, which may as well be an expression. */
function wantsName({ expected }: UnexpectedToken): boolean {
  return expected.includes("'.'") && expected.includes("'='");
}

function incomplete(error: EvaluationError): FirnError {
  return new FirnError("incomplete-input", error.message);
}

/** Returns the result of parsing, or the syntax error; other errors pass. */
function attempt<T>(parse: () => T): { result: T; error: undefined } | { error: EvaluationError } {
  try {
    return { result: parse(), error: undefined };
  } catch (error) {
    if (error instanceof EvaluationError && error.kind === "parse-error") return { error };
    throw error;
  }
}
