/**
 * A repl without a terminal: variables in an evaluator, and the commands that work on them. Texts are byte strings. Every
 * method leaves the variables as they were when it fails.
 */
import { FirnError } from "@firn/formats";
import type { AddedVariables, DebugLevel, DebugTraceStep } from "@firn/language";
import type { EnteredLine, Evaluator, Variables } from "../evaluator/evaluator.ts";
import type { AutoArguments, ShownValue, ValueRef } from "../evaluator/value-ref.ts";

import { fileArgument } from "../installables/file-argument.ts";
import { documentationText } from "./documentation-text.ts";

/** An event while things are loaded. */
export type ReplEvent =
  | { readonly kind: "loading"; readonly what: "file" | "installable" | "flake"; readonly name: string }
  | ({ readonly kind: "added" } & AddedVariables);

/** The surroundings of a repl. */
export interface ReplOptions {
  readonly evaluator: Evaluator;
  /** Directory from which relative paths start. */
  readonly directory: string;
  /** True to accept definitions over several lines, which upstream does not. */
  readonly patient: boolean;
  autoArgs(): Promise<AutoArguments>;
  /** Returns the value of a flake by its reference. */
  loadFlake(reference: string): Promise<ValueRef>;
  /** Returns the path for a URL or `flake:` reference. */
  fetchPath(url: string): Promise<string | undefined>;
  /** Returns the values that are loaded at the start and with `:r`. */
  installables(): Promise<readonly { readonly what: string; readonly value: ValueRef }[]>;
  event(event: ReplEvent): void;
}

/** A repl: variables, loaded files and the commands that work on them. */
export class Repl {
  readonly evaluator: Evaluator;
  private readonly options: ReplOptions;
  private readonly variables: Variables;
  private files: string[] = [];
  private flakes: string[] = [];
  private lastLoaded: ValueRef | undefined;
  /** Values of expressions since the last `releaseValues`. */
  private readonly passing: ValueRef[] = [];

  private constructor(options: ReplOptions, variables: Variables) {
    this.options = options;
    this.evaluator = options.evaluator;
    this.variables = variables;
  }

  static async open(options: ReplOptions): Promise<Repl> {
    const { evaluator, directory } = options;
    return new Repl(options, await evaluator.newVariables(directory));
  }

  async close(): Promise<void> {
    await this.variables.drop();
  }

  /** Returns the steps that led to the debugger's stop, innermost first. */
  trace(): Promise<readonly DebugTraceStep[]> {
    return this.evaluator.debugTrace();
  }

  /** Returns the environments around a step of the trace, innermost first. */
  levels(index: number): Promise<readonly DebugLevel[]> {
    return this.evaluator.debugLevels(index);
  }

  /** Replaces the variables by those in scope at a step of the trace. */
  async select(index: number): Promise<void> {
    await this.variables.takeFromStep(index);
  }

  /**
   * Evaluates an expression; the value is kept until `releaseValues`. Fails with `incomplete-input` when the text ends
   * too soon.
   */
  async evaluate(text: string): Promise<ValueRef> {
    const value = await this.variables.evaluate(text);
    this.passing.push(value);
    return value;
  }

  /** Enters definitions or an expression, whose value is kept until `releaseValues`. */
  async enter(text: string): Promise<EnteredLine> {
    const line = await this.variables.enter(text, { patient: this.options.patient });
    if (line.kind === "value") this.passing.push(line.value);
    return line;
  }

  /** Releases the values of expressions, except the set that was loaded last. */
  async releaseValues(): Promise<void> {
    const values = this.passing.splice(0).filter((value) => value !== this.lastLoaded);
    if (values.length > 0) await this.evaluator.release(values);
  }

  /** Returns a value's text, down to a depth if one is given; `raw` leaves a string as it is. */
  async show(
    value: ValueRef,
    options: { readonly depth?: number; readonly colors: boolean; readonly raw?: boolean },
  ): Promise<ShownValue> {
    return value.show(options);
  }

  /** Describes the type of an expression's value in words. */
  async type(text: string): Promise<string> {
    return (await this.evaluate(text)).describe();
  }

  /** Returns the documentation of an expression, as Markdown; undefined when there is none. */
  async documentation(text: string): Promise<string | undefined> {
    const found = await this.variables.documentation(text);
    return found === undefined ? undefined : documentationText(found);
  }

  /** Returns the source position of the value of an expression: a path, a function, a package. Line 0 is unknown. */
  async sourcePlace(text: string): Promise<{ readonly path: string; readonly line: number }> {
    const value = await this.evaluate(text);
    const kind = await value.kind();
    if (kind === "path" || kind === "string") {
      return { path: await value.pathOf(), line: 0 };
    }
    const place = await value.functionPlace();
    if (typeof place === "string") throw new FirnError("no-source", `'${place}' cannot be shown in an editor`);
    if (place !== undefined) return place;
    const position = await this.packagePosition(value);
    if (position === undefined) {
      throw new FirnError("no-source", `package '${text}' has no source location information`);
    }
    const found = /^(.*):(\d+)$/s.exec(position);
    if (found === null) {
      throw new FirnError("no-source", `cannot parse 'meta.position' attribute '${position}'`);
    }
    return { path: found[1] ?? "", line: Number(found[2]) };
  }

  private async packagePosition(value: ValueRef): Promise<string | undefined> {
    try {
      const meta = await value.attribute("meta");
      const position = meta === undefined ? undefined : await meta.attribute("position");
      return position === undefined ? undefined : (await position.string()).text;
    } catch (error) {
      // A package without a place and one whose place cannot be evaluated are the same to who asks.
      if (error instanceof FirnError && error.code !== "interrupted") return undefined;
      throw error;
    }
  }

  /** Calls a function, given as an expression, with a value. */
  async apply(text: string, value: ValueRef): Promise<ValueRef> {
    const callee = await this.evaluate(text);
    return callee.call(value);
  }

  /** Adds the attributes of a set to the variables. */
  async add(value: ValueRef): Promise<void> {
    const added = await this.variables.add(value);
    this.lastLoaded = value;
    this.options.event({ kind: "added", ...added });
  }

  /** Loads a file (`path`, `<name>` or a URL) and adds the attributes of its value. */
  async loadFile(path: string): Promise<void> {
    await this.evaluator.forgetFiles();
    await this.load(path);
  }

  private async load(path: string): Promise<void> {
    this.files = [...this.files.filter((known) => known !== path), path];
    const { evaluator, options } = this;
    const file = await fileArgument(path, { evaluator, cwd: options.directory, fetchPath: options.fetchPath });
    const value = await this.evaluator.evaluate({ kind: "file", path: file });
    const autoArgs = await this.options.autoArgs();
    await this.add(await value.autoCall(autoArgs));
  }

  /** Loads a flake and adds its attributes. */
  async loadFlake(reference: string): Promise<void> {
    if (reference === "") {
      throw new FirnError(
        "usage",
        "cannot use ':load-flake' without a path specified. (Use '.' for the current working directory.)",
      );
    }
    this.flakes = [...this.flakes.filter((known) => known !== reference), reference];
    await this.add(await this.options.loadFlake(reference));
  }

  /** Loads the files and installables given at the start. */
  async start(files: readonly string[]): Promise<void> {
    this.files = [...files];
    await this.loadAll();
  }

  private async loadAll(): Promise<void> {
    const { files } = this;
    this.files = [];
    for (const name of files) {
      this.options.event({ kind: "loading", what: "file", name });
      await this.load(name);
    }
    for (const { what, value } of await this.options.installables()) {
      this.options.event({ kind: "loading", what: "installable", name: what });
      await this.add(value);
    }
  }

  /** Forgets all variables and loads everything again. */
  async reload(): Promise<void> {
    await this.evaluator.forgetFiles();
    await this.variables.reset();
    await this.loadAll();
    const { flakes } = this;
    this.flakes = [];
    for (const name of flakes) {
      this.options.event({ kind: "loading", what: "flake", name });
      await this.loadFlake(name);
    }
  }

  /** Returns the names that were added last. */
  async lastLoadedNames(): Promise<readonly string[]> {
    if (this.lastLoaded === undefined) throw new FirnError("usage", "nothing has been loaded yet");
    return this.lastLoaded.namesAsLoaded();
  }

  /** Returns the store path of a derivation value. */
  async derivationPath(value: ValueRef): Promise<string> {
    if ((await value.kind()) !== "derivation") {
      throw new FirnError("not-a-derivation", "expression does not evaluate to a derivation, so I can't build it");
    }
    if ((await value.attribute("name")) === undefined) {
      throw new FirnError("not-a-derivation", "derivation name missing");
    }
    const path = await value.attribute("drvPath");
    if (path === undefined) {
      throw new FirnError(
        "not-a-derivation",
        "expression did not evaluate to a valid derivation (no 'drvPath' attribute)",
      );
    }
    return (await path.string()).text;
  }

  /** Returns the attribute names of an expression's value; empty when it is no attribute set. */
  attributeNames(text: string): Promise<readonly string[]> {
    return this.variables.attributeNames(text);
  }

  /** Returns the names of variables and globals. */
  variableNames(): Promise<readonly string[]> {
    return this.variables.names();
  }
}
