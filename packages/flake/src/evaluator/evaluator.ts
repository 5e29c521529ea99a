/** An evaluator in a worker thread: its requests as methods, without the messages between the threads. */
import type { AddedVariables, DebugLevel, DebugTraceStep, Documentation, ExpressionSource } from "@firn/language";
import { EvaluatorClient, type EvaluatorClientOptions } from "./client.ts";
import type { PlacedTree } from "./placed-trees.ts";
import type { VariablesId } from "./protocol.ts";
import type { TreeName } from "./shown-trees.ts";
import { ValueRef } from "./value-ref.ts";

/** The result of a line of a repl: definitions with their names, or an expression with its value. */
export type EnteredLine =
  | { readonly kind: "defined"; readonly names: readonly string[] }
  | { readonly kind: "value"; readonly value: ValueRef };

/** A running evaluator; close it when done. All strings are byte strings. Errors are those of {@link ValueRef}. */
export class Evaluator {
  readonly #client: EvaluatorClient;

  constructor(options: EvaluatorClientOptions) {
    this.#client = new EvaluatorClient(options);
  }

  /**
   * Evaluates a file or a text and returns its value, unforced. With `literalSet` it must be an attribute set literal, as
   * flake.nix is.
   */
  async evaluate(source: ExpressionSource, options: { readonly literalSet?: boolean } = {}): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "evaluate", source, ...options }));
  }

  /** Returns the paths of what is computed below the named attributes of a file that is a set literal. */
  computedAttributes(path: string, sections: readonly string[]): Promise<readonly (readonly string[])[]> {
    return this.#client.request({ op: "computedAttributes", path, sections });
  }

  /** Returns the syntax tree of a file or of a text, printed as Nix. */
  parse(source: ExpressionSource): Promise<string> {
    return this.#client.request({ op: "parse", source });
  }

  /** Returns the path of `<name>` by the search path. */
  findFile(name: string): Promise<string> {
    return this.#client.request({ op: "findFile", name });
  }

  /** Forgets files, so that they are read again at their next use. */
  async forgetFiles(): Promise<void> {
    await this.#client.request({ op: "forgetFiles" });
  }

  /** Returns an internal builtin, which expressions cannot name. */
  async internalBuiltin(name: string): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "internalBuiltin", name }));
  }

  /**
   * Lets a pure evaluation read at and below a path, whose tree has the name `name` in errors; with `tree` it stands for the store path of
   * that.
   */
  async allowPath(
    path: string,
    { name, tree }: { readonly name?: TreeName | undefined; readonly tree?: PlacedTree | undefined } = {},
  ): Promise<void> {
    const named = name === undefined ? {} : { name };
    await this.#client.request({ op: "allowPath", path, ...named, ...(tree === undefined ? {} : { tree }) });
  }

  /** Makes variables for the expressions of a repl; relative paths in those start from a directory. */
  async newVariables(directory: string): Promise<Variables> {
    return new Variables(this.#client, await this.#client.request({ op: "newVariables", directory }));
  }

  /** Sets whether errors keep a frame for every call. */
  async setShowTrace(on: boolean): Promise<void> {
    await this.#client.request({ op: "setShowTrace", on });
  }

  /** Returns the steps that led to the debugger's stop, innermost first. */
  debugTrace(): Promise<readonly DebugTraceStep[]> {
    return this.#client.request({ op: "debugTrace" });
  }

  /** Returns the environments around a step of the debugger's trace, innermost first. */
  debugLevels(index: number): Promise<readonly DebugLevel[]> {
    return this.#client.request({ op: "debugLevels", index });
  }

  /** Returns the heap as text: sizes by kind of object, and with `objects` each object. Undefined while something is being evaluated. */
  async dumpHeap(options: { readonly objects: boolean }): Promise<string | undefined> {
    return (await this.#client.request({ op: "dumpHeap", ...options })) ?? undefined;
  }

  /** Releases values that are no longer used. */
  async release(values: readonly ValueRef[]): Promise<void> {
    if (values.length > 0) await this.#client.request({ op: "release", values: values.map(({ handle }) => handle) });
  }

  /** Stops the current evaluation: requests in progress fail with `interrupted`, later ones are answered. */
  pause(): void {
    this.#client.pause();
  }

  /** Stops the evaluation for good; every request, now and later, fails with `interrupted`. */
  interrupt(): Promise<void> {
    return this.#client.interrupt();
  }

  /** Ends the evaluator and its thread; lowered code is kept for the next one. */
  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Variables that an evaluator keeps for the expressions of a repl. */
export class Variables {
  readonly #client: EvaluatorClient;
  readonly #id: VariablesId;

  /** Internal: variables come from {@link Evaluator.newVariables}. */
  constructor(client: EvaluatorClient, id: VariablesId) {
    this.#client = client;
    this.#id = id;
  }

  /** Evaluates an expression and returns its value. Fails with `incomplete-input` when the text ends too soon. */
  async evaluate(text: string): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "evaluateWith", variables: this.#id, text }));
  }

  /** Enters definitions or an expression; `patient` waits for more text also within a definition. */
  async enter(text: string, options: { readonly patient: boolean }): Promise<EnteredLine> {
    const line = await this.#client.request({ op: "enterLine", variables: this.#id, text, ...options });
    return line.kind === "value" ? { kind: "value", value: new ValueRef(this.#client, line.value) } : line;
  }

  /** Adds the attributes of a set. */
  add(value: ValueRef): Promise<AddedVariables> {
    return this.#client.request({ op: "addVariables", variables: this.#id, value: value.handle });
  }

  /** Replaces the variables by those in scope at a step of the debugger's trace. */
  async takeFromStep(index: number): Promise<void> {
    await this.#client.request({ op: "debugVariables", variables: this.#id, index });
  }

  /**
   * Returns the attribute names of an expression's value, for completion, without stopping in the debugger. Empty when it is
   * no attribute set.
   */
  attributeNames(text: string): Promise<readonly string[]> {
    return this.#client.request({ op: "namesOf", variables: this.#id, text });
  }

  /** Returns the names of variables and globals. */
  names(): Promise<readonly string[]> {
    return this.#client.request({ op: "variableNames", variables: this.#id });
  }

  /** Returns the documentation of an expression; undefined when there is none. */
  async documentation(text: string): Promise<Documentation | undefined> {
    return (await this.#client.request({ op: "document", variables: this.#id, text })) ?? undefined;
  }

  /** Forgets all variables. */
  async reset(): Promise<void> {
    await this.#client.request({ op: "resetVariables", variables: this.#id });
  }

  /** Releases the variables in the worker. */
  async drop(): Promise<void> {
    await this.#client.request({ op: "dropVariables", variables: this.#id });
  }
}
