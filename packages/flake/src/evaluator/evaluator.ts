/** An evaluator in a worker thread: what it is asked for, without the messages that go there and back. */
import type { AddedVariables, DebugLevel, DebugTraceStep, Documentation, ExpressionSource } from "@firn/language";
import { EvaluatorClient, type EvaluatorClientOptions } from "./client.ts";
import type { VariablesId } from "./protocol.ts";
import { ValueRef } from "./value-ref.ts";

/** What a line of a repl was: definitions with their names, or an expression with its value. */
export type EnteredLine =
  | { readonly kind: "defined"; readonly names: readonly string[] }
  | { readonly kind: "value"; readonly value: ValueRef };

/** A running evaluator; close it when done. All strings are byte strings. Errors are those of {@link ValueRef}. */
export class Evaluator {
  readonly #client: EvaluatorClient;

  constructor(options: EvaluatorClientOptions) {
    this.#client = new EvaluatorClient(options);
  }

  /** The value of a file or of a text, unforced. With `literalSet` it must be a set that is written out, as flake.nix is. */
  async evaluate(source: ExpressionSource, options: { readonly literalSet?: boolean } = {}): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "evaluate", source, ...options }));
  }

  /** The syntax tree of a file or of a text, printed as Nix. */
  parse(source: ExpressionSource): Promise<string> {
    return this.#client.request({ op: "parse", source });
  }

  /** The path of `<name>` by the search path. */
  findFile(name: string): Promise<string> {
    return this.#client.request({ op: "findFile", name });
  }

  /** Has files read again when they are next asked for. */
  async forgetFiles(): Promise<void> {
    await this.#client.request({ op: "forgetFiles" });
  }

  /** A builtin that expressions cannot name. */
  async internalBuiltin(name: string): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "internalBuiltin", name }));
  }

  /** Lets a pure evaluation read at and below a path. */
  async allowPath(path: string): Promise<void> {
    await this.#client.request({ op: "allowPath", path });
  }

  /** Fresh variables for the expressions of a repl; relative paths in those start from a directory. */
  async newVariables(directory: string): Promise<Variables> {
    return new Variables(this.#client, await this.#client.request({ op: "newVariables", directory }));
  }

  /** Decides whether errors keep a frame for every call. */
  async setShowTrace(on: boolean): Promise<void> {
    await this.#client.request({ op: "setShowTrace", on });
  }

  /** The steps that led to the debugger's stop, innermost first. */
  debugTrace(): Promise<readonly DebugTraceStep[]> {
    return this.#client.request({ op: "debugTrace" });
  }

  /** The environments around a step of the debugger's trace, innermost first. */
  debugLevels(index: number): Promise<readonly DebugLevel[]> {
    return this.#client.request({ op: "debugLevels", index });
  }

  /** Lets go of values that nobody asks for again. */
  async release(values: readonly ValueRef[]): Promise<void> {
    if (values.length > 0) await this.#client.request({ op: "release", values: values.map(({ handle }) => handle) });
  }

  /** Stops what is being evaluated: requests that are under way fail with `interrupted`, later ones are answered. */
  pause(): void {
    this.#client.pause();
  }

  /** Stops whatever is being evaluated; every request, now and later, fails with `interrupted`. */
  interrupt(): Promise<void> {
    return this.#client.interrupt();
  }

  /** Ends the evaluator and its thread; what was lowered is kept for the next one. */
  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Variables that an evaluator keeps for the expressions of a repl. */
export class Variables {
  readonly #client: EvaluatorClient;
  readonly #id: VariablesId;

  /** Variables come from {@link Evaluator.newVariables}. */
  constructor(client: EvaluatorClient, id: VariablesId) {
    this.#client = client;
    this.#id = id;
  }

  /** The value of an expression. Fails with `incomplete-input` when the text ends too soon. */
  async evaluate(text: string): Promise<ValueRef> {
    return new ValueRef(this.#client, await this.#client.request({ op: "evaluateWith", variables: this.#id, text }));
  }

  /** Takes definitions or an expression; `patient` waits for more text also within a definition. */
  async enter(text: string, options: { readonly patient: boolean }): Promise<EnteredLine> {
    const line = await this.#client.request({ op: "enterLine", variables: this.#id, text, ...options });
    return line.kind === "value" ? { kind: "value", value: new ValueRef(this.#client, line.value) } : line;
  }

  /** Adds the attributes of a set. */
  add(value: ValueRef): Promise<AddedVariables> {
    return this.#client.request({ op: "addVariables", variables: this.#id, value: value.handle });
  }

  /** Takes the variables that can be seen from a step of the debugger's trace instead. */
  async takeFromStep(index: number): Promise<void> {
    await this.#client.request({ op: "debugVariables", variables: this.#id, index });
  }

  /** Attribute names of an expression's value, for completion: the debugger does not stop. None when it is no set. */
  attributeNames(text: string): Promise<readonly string[]> {
    return this.#client.request({ op: "namesOf", variables: this.#id, text });
  }

  /** Names of variables and globals. */
  names(): Promise<readonly string[]> {
    return this.#client.request({ op: "variableNames", variables: this.#id });
  }

  /** What is documented about an expression; undefined when nothing is. */
  async documentation(text: string): Promise<Documentation | undefined> {
    return (await this.#client.request({ op: "document", variables: this.#id, text })) ?? undefined;
  }

  /** Forgets all variables. */
  async reset(): Promise<void> {
    await this.#client.request({ op: "resetVariables", variables: this.#id });
  }

  /** Lets go of them. */
  async drop(): Promise<void> {
    await this.#client.request({ op: "dropVariables", variables: this.#id });
  }
}
