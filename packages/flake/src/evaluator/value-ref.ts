/**
 * Values that live in an evaluator's worker, by reference. All strings are byte strings unless said otherwise. A method that has to
 * force the value fails with the `FirnError` of the evaluation; all fail with `interrupted` or `evaluator-stopped` when the worker has
 * been stopped.
 */
import type { FirnError, SourcePosition } from "@firn/formats";
import type { ContextElement, MetaEntry, OutputForm, PackageOutput, PackageText, ShowOptions } from "@firn/language";
import type { EvaluatorClient } from "./client.ts";
import { fromErrorData } from "./error-data.ts";
import type { DerivationFacts, Handle, PlainData, TreeFact, ValueKind } from "./protocol.ts";

/** An argument of a function: plain data, a value by reference, a path, a string with context, or lists and sets of those. */
export type Argument =
  | null
  | boolean
  | number
  | bigint
  | string
  | ValueRef
  | { readonly path: string }
  | { readonly fact: TreeFact; readonly of: string }
  | { readonly string: string; readonly context: readonly ContextElement[] }
  | { readonly list: readonly Argument[] }
  | { readonly attrs: Readonly<Record<string, Argument>> };

/** Arguments by name for functions that are called on the way to a value (`--arg`, `--argstr`). */
export type AutoArguments = Readonly<Record<string, Argument>>;

/** The text of a value; an error that occurred while printing stands beside the text printed before it. */
export interface ShownValue {
  readonly text: string;
  readonly error: FirnError | undefined;
}

function toData(argument: Argument): PlainData {
  if (argument instanceof ValueRef) return { handle: argument.handle };
  if (typeof argument !== "object" || argument === null) return argument;
  if ("list" in argument) return { list: argument.list.map(toData) };
  if ("attrs" in argument) return { attrs: attributeData(argument.attrs) };
  return argument;
}

function attributeData(attributes: Readonly<Record<string, Argument>>): Record<string, PlainData> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, toData(value)]));
}

/** A value in an evaluator's worker; it is kept until the evaluator closes or releases it. */
export class ValueRef {
  /** The worker's number for it. */
  readonly handle: Handle;
  readonly #client: EvaluatorClient;

  /** Internal: values come from an {@link Evaluator} and from other values. */
  constructor(client: EvaluatorClient, handle: Handle) {
    this.#client = client;
    this.handle = handle;
  }

  #ref(handle: Handle): ValueRef {
    return new ValueRef(this.#client, handle);
  }

  /** Returns the type of the forced value: as `builtins.typeOf` names it, or "derivation". */
  kind(): Promise<ValueKind> {
    return this.#client.request({ op: "kind", value: this.handle });
  }

  /** Returns one attribute by name, without interpreting dots; undefined when the value is no attribute set or lacks it. */
  async attribute(name: string): Promise<ValueRef | undefined> {
    const handle = await this.#client.request({ op: "attribute", value: this.handle, name });
    return handle === null ? undefined : this.#ref(handle);
  }

  /** Returns the attribute at the end of a list of names; undefined when one of them is missing. */
  async attributeAlong(names: readonly string[]): Promise<ValueRef | undefined> {
    let value: ValueRef | undefined = this;
    for (const name of names) value = await value?.attribute(name);
    return value;
  }

  /** Returns the sorted attribute names; undefined when the value is no attribute set. */
  async attributeNames(): Promise<readonly string[] | undefined> {
    return (await this.#client.request({ op: "attrNames", value: this.handle })) ?? undefined;
  }

  /** Returns attribute names in the order in which they became known. */
  namesAsLoaded(): Promise<readonly string[]> {
    return this.#client.request({ op: "namesAsLoaded", value: this.handle });
  }

  /** Selects along an attribute path, calling functions on the way with automatic arguments (manual: "nix-build", `-A`). */
  async select(path: string, autoArgs: AutoArguments): Promise<ValueRef> {
    const data = attributeData(autoArgs);
    return this.#ref(await this.#client.request({ op: "select", value: this.handle, path, autoArgs: data }));
  }

  /** Returns the value itself, or its result when it is a function that automatic arguments satisfy. */
  async autoCall(autoArgs: AutoArguments): Promise<ValueRef> {
    const data = attributeData(autoArgs);
    return this.#ref(await this.#client.request({ op: "autoCall", value: this.handle, autoArgs: data }));
  }

  /** Calls the value. */
  async call(...args: readonly Argument[]): Promise<ValueRef> {
    return this.#ref(await this.#client.request({ op: "call", callee: this.handle, args: args.map(toData) }));
  }

  /** Returns the elements of a list, unforced; empty when the value is no list. */
  async elements(): Promise<ValueRef[]> {
    const length = (await this.#client.request({ op: "length", value: this.handle })) ?? 0;
    const elements: ValueRef[] = [];
    for (let index = 0; index < length; index++)
      elements.push(this.#ref(await this.#client.request({ op: "element", value: this.handle, index })));
    return elements;
  }

  /**
   * Returns the formals of a function's set pattern by name: true for arguments with a default. Undefined when there is no
   * such pattern.
   */
  async formals(): Promise<Readonly<Record<string, boolean>> | undefined> {
    return (await this.#client.request({ op: "formals", value: this.handle })) ?? undefined;
  }

  /** Returns the name of a function's argument; undefined for other values and for set patterns. */
  async argumentName(): Promise<string | undefined> {
    return (await this.#client.request({ op: "argumentName", value: this.handle })) ?? undefined;
  }

  /** Returns the place at which an attribute is defined; undefined when it is not known. */
  async attributePosition(name: string): Promise<SourcePosition | undefined> {
    return (await this.#client.request({ op: "attributePosition", value: this.handle, name })) ?? undefined;
  }

  /** Returns the facts of a derivation; undefined when the value is none. */
  async derivation(): Promise<DerivationFacts | undefined> {
    return (await this.#client.request({ op: "derivation", value: this.handle })) ?? undefined;
  }

  /** Finds the packages in the value; with `skipFailed` those whose evaluation throws are left out. */
  async packages(options: {
    readonly prefix: string;
    readonly autoArgs: AutoArguments;
    readonly skipFailed: boolean;
  }): Promise<{ readonly value: ValueRef; readonly attrPath: string; readonly name: string }[]> {
    const autoArgs = attributeData(options.autoArgs);
    const found = await this.#client.request({ op: "packages", value: this.handle, ...options, autoArgs });
    return found.map((item) => ({ ...item, value: this.#ref(item.value) }));
  }

  /** Returns a fact of a package; undefined when it has no derivation. */
  async packageText(fact: PackageText): Promise<string | undefined> {
    return (await this.#client.request({ op: "packageText", value: this.handle, fact })) ?? undefined;
  }

  /** Returns the outputs of a package with their paths, and with `installed` the names of those to install (all when undefined). */
  packageOutputs(options: { readonly paths: boolean; readonly installed: boolean }): Promise<{
    readonly outputs: readonly PackageOutput[];
    readonly installed: readonly string[] | undefined;
  }> {
    return this.#client.request({ op: "packageOutputs", value: this.handle, ...options });
  }

  /** Returns the attributes of a package's `meta`, or only the one that is named. */
  packageMeta(only?: string): Promise<readonly MetaEntry[]> {
    return this.#client.request({ op: "packageMeta", value: this.handle, ...(only === undefined ? {} : { only }) });
  }

  /** Returns the text of a string or a path, with its context. */
  string(): Promise<{ readonly text: string; readonly context: readonly ContextElement[] }> {
    return this.#client.request({ op: "string", value: this.handle });
  }

  /** Tells whether the value is `true`. */
  async isTrue(): Promise<boolean> {
    return (await this.print({ kind: "json" })) === "true";
  }

  /** Forces the value with everything in it. */
  async deepForce(): Promise<void> {
    await this.#client.request({ op: "deepForce", value: this.handle });
  }

  /** Prints the value in one of the forms of `nix eval` and `nix-instantiate`. */
  print(form: OutputForm): Promise<string> {
    return this.#client.request({ op: "print", value: this.handle, form });
  }

  /** Prints the value as the repl shows it. */
  async show(options: ShowOptions): Promise<ShownValue> {
    const { text, failure } = await this.#client.request({ op: "show", value: this.handle, ...options });
    return { text, error: failure === undefined ? undefined : fromErrorData(failure) };
  }

  /** Describes the type of the value in words. */
  describe(): Promise<string> {
    return this.#client.request({ op: "describe", value: this.handle });
  }

  /** Returns the path that a path or an absolute string denotes. */
  pathOf(): Promise<string> {
    return this.#client.request({ op: "pathOf", value: this.handle });
  }

  /** Returns the place of a function's definition: a text when it is not in a file, undefined for other values. */
  async functionPlace(): Promise<{ readonly path: string; readonly line: number } | string | undefined> {
    return (await this.#client.request({ op: "functionPlace", value: this.handle })) ?? undefined;
  }
}
