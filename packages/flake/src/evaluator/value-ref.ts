/**
 * Values that live in an evaluator's worker, by reference. All strings are byte strings unless said otherwise. A method that has to
 * force the value fails with the `FirnError` of the evaluation; all fail with `interrupted` or `evaluator-stopped` when the worker has
 * been stopped.
 */
import type { FirnError } from "@firn/formats";
import type { ContextElement, OutputForm, ShowOptions } from "@firn/language";
import type { EvaluatorClient } from "./client.ts";
import { fromErrorData } from "./error-data.ts";
import type { DerivationFacts, Handle, PlainData, ValueKind } from "./protocol.ts";

/** What a function can be called with: plain data, a value by reference, a path, a string with context, or lists and sets of those. */
export type Argument =
  | null
  | boolean
  | number
  | bigint
  | string
  | ValueRef
  | { readonly path: string }
  | { readonly string: string; readonly context: readonly ContextElement[] }
  | { readonly list: readonly Argument[] }
  | { readonly attrs: Readonly<Record<string, Argument>> };

/** Arguments by name for functions that are called on the way to a value (`--arg`, `--argstr`). */
export type AutoArguments = Readonly<Record<string, Argument>>;

/** A value's text; an error that came up on the way stands beside what was printed before it. */
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

/** A value in an evaluator's worker; it is kept until the evaluator closes or lets go of it. */
export class ValueRef {
  /** The worker's number for it. */
  readonly handle: Handle;
  readonly #client: EvaluatorClient;

  /** Values come from an {@link Evaluator} and from other values. */
  constructor(client: EvaluatorClient, handle: Handle) {
    this.#client = client;
    this.handle = handle;
  }

  #ref(handle: Handle): ValueRef {
    return new ValueRef(this.#client, handle);
  }

  /** The sort of the forced value: as `builtins.typeOf` names it, or "derivation". */
  kind(): Promise<ValueKind> {
    return this.#client.request({ op: "kind", value: this.handle });
  }

  /** One attribute by name, without interpreting dots; undefined when the value is no set or lacks it. */
  async attribute(name: string): Promise<ValueRef | undefined> {
    const handle = await this.#client.request({ op: "attribute", value: this.handle, name });
    return handle === null ? undefined : this.#ref(handle);
  }

  /** The attribute at the end of a list of names; undefined when one of them is missing. */
  async attributeAlong(names: readonly string[]): Promise<ValueRef | undefined> {
    let value: ValueRef | undefined = this;
    for (const name of names) value = await value?.attribute(name);
    return value;
  }

  /** The sorted attribute names; undefined when the value is no set. */
  async attributeNames(): Promise<readonly string[] | undefined> {
    return (await this.#client.request({ op: "attrNames", value: this.handle })) ?? undefined;
  }

  /** Attribute names in the order in which they became known. */
  namesAsLoaded(): Promise<readonly string[]> {
    return this.#client.request({ op: "namesAsLoaded", value: this.handle });
  }

  /** Selects along an attribute path, calling functions on the way with automatic arguments (manual: "nix-build", `-A`). */
  async select(path: string, autoArgs: AutoArguments): Promise<ValueRef> {
    const data = attributeData(autoArgs);
    return this.#ref(await this.#client.request({ op: "select", value: this.handle, path, autoArgs: data }));
  }

  /** The value itself, or what it gives when it is a function that automatic arguments suffice for. */
  async autoCall(autoArgs: AutoArguments): Promise<ValueRef> {
    const data = attributeData(autoArgs);
    return this.#ref(await this.#client.request({ op: "autoCall", value: this.handle, autoArgs: data }));
  }

  /** Calls the value. */
  async call(...args: readonly Argument[]): Promise<ValueRef> {
    return this.#ref(await this.#client.request({ op: "call", callee: this.handle, args: args.map(toData) }));
  }

  /** The elements of a list, unforced; none when the value is no list. */
  async elements(): Promise<ValueRef[]> {
    const length = (await this.#client.request({ op: "length", value: this.handle })) ?? 0;
    const elements: ValueRef[] = [];
    for (let index = 0; index < length; index++)
      elements.push(this.#ref(await this.#client.request({ op: "element", value: this.handle, index })));
    return elements;
  }

  /** What a function's set pattern takes, by name: true for arguments with a default. Undefined when there is no such pattern. */
  async formals(): Promise<Readonly<Record<string, boolean>> | undefined> {
    return (await this.#client.request({ op: "formals", value: this.handle })) ?? undefined;
  }

  /** What is known of a derivation; undefined when the value is none. */
  async derivation(): Promise<DerivationFacts | undefined> {
    return (await this.#client.request({ op: "derivation", value: this.handle })) ?? undefined;
  }

  /** The text of a string or a path, with its context. */
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

  /** The value in one of the forms of `nix eval` and `nix-instantiate`. */
  print(form: OutputForm): Promise<string> {
    return this.#client.request({ op: "print", value: this.handle, form });
  }

  /** The value as the repl shows it. */
  async show(options: ShowOptions): Promise<ShownValue> {
    const { text, failure } = await this.#client.request({ op: "show", value: this.handle, ...options });
    return { text, error: failure === undefined ? undefined : fromErrorData(failure) };
  }

  /** What sort of value it is, in words. */
  describe(): Promise<string> {
    return this.#client.request({ op: "describe", value: this.handle });
  }

  /** The path that a path or an absolute string stands for. */
  pathOf(): Promise<string> {
    return this.#client.request({ op: "pathOf", value: this.handle });
  }

  /** Where a function is defined: a text where that is no file, undefined for other values. */
  async functionPlace(): Promise<{ readonly path: string; readonly line: number } | string | undefined> {
    return (await this.#client.request({ op: "functionPlace", value: this.handle })) ?? undefined;
  }
}
