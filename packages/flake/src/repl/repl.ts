/**
 * A repl without a terminal: variables in an evaluator, and what the commands do with them. Texts are byte strings.
 * Every method leaves the variables as they were when it fails.
 */
import { FirnError, textOf } from "@firn/formats";
import type { AddedVariables, DebugLevel, DebugTraceStep } from "@firn/language";
import type { EvaluatorClient } from "../evaluator/client.ts";
import { fromErrorData } from "../evaluator/error-data.ts";
import type { AutoArgData, Handle, LineResult, VariablesId } from "../evaluator/protocol.ts";

import { documentationText } from "./documentation-text.ts";

/** What happens while things are loaded. */
export type ReplEvent =
  | { readonly kind: "loading"; readonly what: "file" | "installable" | "flake"; readonly name: string }
  | ({ readonly kind: "added" } & AddedVariables);

/** What a repl stands on. */
export interface ReplOptions {
  readonly client: EvaluatorClient;
  /** Where relative paths start. */
  readonly directory: string;
  /** Takes definitions over several lines, which upstream does not. */
  readonly patient: boolean;
  autoArgs(): Promise<AutoArgData>;
  /** The value of a flake's reference. */
  loadFlake(reference: string): Promise<Handle>;
  /** The path that a URL or `flake:` stands for. */
  fetchPath(url: string): Promise<string | undefined>;
  /** Values that are loaded at the start and with `:r`. */
  installables(): Promise<readonly { readonly what: string; readonly value: Handle }[]>;
  event(event: ReplEvent): void;
}

/** A value's text; an error that came up on the way stands beside what was printed before it. */
export interface ShownValue {
  readonly text: string;
  readonly error: FirnError | undefined;
}

export class Repl {
  readonly client: EvaluatorClient;
  private readonly options: ReplOptions;
  private readonly variables: VariablesId;
  private files: string[] = [];
  private flakes: string[] = [];
  private lastLoaded: Handle | undefined;
  /** Values of expressions that nobody asks for again. */
  private readonly passing: Handle[] = [];

  private constructor(options: ReplOptions, variables: VariablesId) {
    this.options = options;
    this.client = options.client;
    this.variables = variables;
  }

  static async open(options: ReplOptions): Promise<Repl> {
    const { client, directory } = options;
    return new Repl(options, await client.request({ op: "newVariables", directory }));
  }

  async close(): Promise<void> {
    await this.client.request({ op: "dropVariables", variables: this.variables });
  }

  /** The steps that led to the debugger's stop, innermost first. */
  trace(): Promise<readonly DebugTraceStep[]> {
    return this.client.request({ op: "debugTrace" });
  }

  /** The environments around a step of the trace, innermost first. */
  levels(index: number): Promise<readonly DebugLevel[]> {
    return this.client.request({ op: "debugLevels", index });
  }

  /** Takes the variables that can be seen from a step of the trace. */
  async select(index: number): Promise<void> {
    await this.client.request({ op: "debugVariables", variables: this.variables, index });
  }

  /**
   * Evaluates an expression; the value is kept until `releaseValues`. Fails with `incomplete-input` when the text ends
   * too soon.
   */
  async evaluate(text: string): Promise<Handle> {
    const value = await this.client.request({ op: "evaluateWith", variables: this.variables, text });
    this.passing.push(value);
    return value;
  }

  /** Takes definitions or an expression, whose value is kept until `releaseValues`. */
  async enter(text: string): Promise<LineResult> {
    const { variables } = this;
    const line = await this.client.request({ op: "enterLine", variables, text, patient: this.options.patient });
    if (line.kind === "value") this.passing.push(line.value);
    return line;
  }

  /** Lets go of the values of expressions, except the set that was loaded last. */
  async releaseValues(): Promise<void> {
    const values = this.passing.splice(0).filter((value) => value !== this.lastLoaded);
    if (values.length > 0) await this.client.request({ op: "release", values });
  }

  /** A value's text, down to a depth if one is given; `raw` leaves a string as it is. */
  async show(
    value: Handle,
    options: { readonly depth?: number; readonly colors: boolean; readonly raw?: boolean },
  ): Promise<ShownValue> {
    const { text, failure } = await this.client.request({ op: "show", value, ...options });
    return { text, error: failure === undefined ? undefined : fromErrorData(failure) };
  }

  /** What sort of value an expression has, in words. */
  async type(text: string): Promise<string> {
    return this.client.request({ op: "describe", value: await this.evaluate(text) });
  }

  /** What is documented about an expression, as Markdown; undefined when nothing is. */
  async documentation(text: string): Promise<string | undefined> {
    const found = await this.client.request({ op: "document", variables: this.variables, text });
    return found === null ? undefined : documentationText(found);
  }

  /** Where the thing that an expression stands for is written: a path, a function, a package. Line 0 is unknown. */
  async sourcePlace(text: string): Promise<{ readonly path: string; readonly line: number }> {
    const { client } = this;
    const value = await this.evaluate(text);
    const kind = await client.request({ op: "kind", value });
    if (kind === "path" || kind === "string") {
      return { path: await client.request({ op: "pathOf", value }), line: 0 };
    }
    const place = await client.request({ op: "functionPlace", value });
    if (typeof place === "string") throw new FirnError("no-source", `'${textOf(place)}' cannot be shown in an editor`);
    if (place !== null) return place;
    const position = await this.packagePosition(value);
    if (position === undefined) {
      throw new FirnError("no-source", `package '${textOf(text)}' has no source location information`);
    }
    const found = /^(.*):(\d+)$/s.exec(position);
    if (found === null) {
      throw new FirnError("no-source", `cannot parse 'meta.position' attribute '${textOf(position)}'`);
    }
    return { path: found[1] ?? "", line: Number(found[2]) };
  }

  private async packagePosition(value: Handle): Promise<string | undefined> {
    const { client } = this;
    try {
      const meta = await client.request({ op: "attribute", value, name: "meta" });
      const position = meta === null ? null : await client.request({ op: "attribute", value: meta, name: "position" });
      return position === null ? undefined : (await client.request({ op: "string", value: position })).text;
    } catch (error) {
      // A package without a place and one whose place cannot be evaluated are the same to who asks.
      if (error instanceof FirnError && error.code !== "interrupted") return undefined;
      throw error;
    }
  }

  /** Calls a function, given as an expression, with a value. */
  async apply(text: string, value: Handle): Promise<Handle> {
    const callee = await this.evaluate(text);
    return this.client.request({ op: "call", callee, args: [{ handle: value }] });
  }

  /** Adds the attributes of a set to the variables. */
  async add(value: Handle): Promise<void> {
    const added = await this.client.request({ op: "addVariables", variables: this.variables, value });
    this.lastLoaded = value;
    this.options.event({ kind: "added", ...added });
  }

  /** Loads a file (`path`, `<name>` or a URL) and adds what it evaluates to. */
  async loadFile(path: string): Promise<void> {
    await this.client.request({ op: "forgetFiles" });
    await this.load(path);
  }

  private async load(path: string): Promise<void> {
    this.files = [...this.files.filter((known) => known !== path), path];
    const file = await this.lookup(path);
    const value = await this.client.request({ op: "evaluate", source: { kind: "file", path: file } });
    const autoArgs = await this.options.autoArgs();
    await this.add(await this.client.request({ op: "autoCall", value, autoArgs }));
  }

  private async lookup(path: string): Promise<string> {
    if (/^(?:https?|file|ftp|s3|channel|git|flake):/.test(path)) {
      const found = await this.options.fetchPath(path);
      if (found !== undefined) return found;
    }
    if (path.length > 2 && path.startsWith("<") && path.endsWith(">")) {
      return this.client.request({ op: "findFile", name: path.slice(1, -1) });
    }
    return absolutePath(this.options.directory, path);
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

  /** Loads what was given at the start. */
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
    await this.client.request({ op: "forgetFiles" });
    await this.client.request({ op: "resetVariables", variables: this.variables });
    await this.loadAll();
    const { flakes } = this;
    this.flakes = [];
    for (const name of flakes) {
      this.options.event({ kind: "loading", what: "flake", name });
      await this.loadFlake(name);
    }
  }

  /** The names that were added last. */
  async lastLoadedNames(): Promise<readonly string[]> {
    if (this.lastLoaded === undefined) throw new FirnError("usage", "nothing has been loaded yet");
    return this.client.request({ op: "namesAsLoaded", value: this.lastLoaded });
  }

  /** The store path of the derivation that a value is. */
  async derivationPath(value: Handle): Promise<string> {
    const { client } = this;
    if ((await client.request({ op: "kind", value })) !== "derivation") {
      throw new FirnError("not-a-derivation", "expression does not evaluate to a derivation, so I can't build it");
    }
    if ((await client.request({ op: "attribute", value, name: "name" })) === null) {
      throw new FirnError("not-a-derivation", "derivation name missing");
    }
    const path = await client.request({ op: "attribute", value, name: "drvPath" });
    if (path === null) {
      throw new FirnError(
        "not-a-derivation",
        "expression did not evaluate to a valid derivation (no 'drvPath' attribute)",
      );
    }
    return (await client.request({ op: "string", value: path })).text;
  }

  /** Attribute names of what an expression evaluates to; none when that is no set. */
  attributeNames(text: string): Promise<readonly string[]> {
    return this.client.request({ op: "namesOf", variables: this.variables, text });
  }

  /** Names of variables and globals. */
  variableNames(): Promise<readonly string[]> {
    return this.client.request({ op: "variableNames", variables: this.variables });
  }
}

function absolutePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
