/** Reads the text of a flake.nix in this process, with the language alone: no file, no store, no thread. */
import { byteStringOf } from "@firn/formats";
import {
  addHolder,
  createMemoryHost,
  Evaluator,
  elementsOf,
  isList,
  isSet,
  type OutputForm,
  type Slot,
  typeName,
} from "@firn/language";
import type { FlakeFile } from "../source/flake-file.ts";
import { type FlakeValue, literalSections, readFlakeValue } from "../source/flake-value.ts";

/** The path and name of a flake.nix. */
export interface FlakeTextPlace {
  /** Its absolute path, from which relative path literals in it start. Default: `/source/flake.nix`. */
  readonly path?: string;
  /** The flake's reference, for errors. */
  readonly shown?: string;
}

/** Reads the text of a flake.nix. Fails with `bad-flake` when it is none, and with the errors of the language. */
export function readFlakeText(text: string, { path, shown }: FlakeTextPlace = {}): Promise<FlakeFile> {
  const file = byteStringOf(path ?? "/source/flake.nix");
  const evaluator = new Evaluator(createMemoryHost({ files: { [file]: byteStringOf(text) } }));
  const root = new LocalValue(evaluator, evaluator.evaluateLiteralSet(file));
  return readFlakeValue(root, shown ?? file, evaluator.computedAttributes(file, literalSections));
}

/** A value of an evaluator in this thread. */
class LocalValue implements FlakeValue {
  readonly #evaluator: Evaluator;
  readonly #slot: Slot;

  constructor(evaluator: Evaluator, slot: Slot) {
    this.#evaluator = evaluator;
    this.#slot = slot;
    addHolder(this, (value, marker) => marker.slot(value.#slot));
  }

  async kind(): Promise<string> {
    return typeName(this.#evaluator.force(this.#slot));
  }

  async attribute(name: string): Promise<FlakeValue | undefined> {
    const value = this.#evaluator.force(this.#slot);
    const slot = isSet(value) ? this.#evaluator.attribute(value, name) : undefined;
    return slot === undefined ? undefined : new LocalValue(this.#evaluator, slot);
  }

  async attributeNames(): Promise<readonly string[] | undefined> {
    const value = this.#evaluator.force(this.#slot);
    return isSet(value) ? this.#evaluator.attrNames(value) : undefined;
  }

  async elements(): Promise<readonly FlakeValue[]> {
    const value = this.#evaluator.force(this.#slot);
    return isList(value) ? elementsOf(value).map((slot) => new LocalValue(this.#evaluator, slot)) : [];
  }

  async formals(): Promise<Readonly<Record<string, boolean>> | undefined> {
    return this.#evaluator.formals(this.#evaluator.force(this.#slot));
  }

  async string(): Promise<{ readonly text: string }> {
    return this.#evaluator.stringOf(this.#slot);
  }

  async print(form: OutputForm): Promise<string> {
    return this.#evaluator.print(this.#slot, form);
  }
}
