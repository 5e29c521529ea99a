/** The evaluator as its users see it: one object over a host, whose values stay valid as long as it lives. */

import type { SourcePosition } from "@firn/formats";
import { installGlobals } from "./builtins/all.ts";
import { type BuiltinTable, makeBuiltin } from "./builtins/arguments.ts";
import {
  findApplication,
  hearOfApplications,
  type ImageApplication,
  makeApplication,
} from "./builtins/image-application.ts";
import { importFile, resetImports, resolveImportPath } from "./builtins/import.ts";
import { jsonTextOf } from "./builtins/json-writer.ts";
import { findInSearchPath, pathArgument } from "./builtins/paths.ts";
import { toXml, type XmlOptions } from "./builtins/xml.ts";
import { flakeOfTreeFile } from "./code/applications.ts";
import { argumentName } from "./code/argument-name.ts";
import { selectAlong } from "./code/attr-path.ts";
import { type AutoArgs, autoCall } from "./code/auto-call.ts";
import type { CallObserver } from "./code/call-observer.ts";
import { codeScopes } from "./code/code-scopes.ts";
import { computedAttributes } from "./code/computed-attributes.ts";
import type { Debugger } from "./code/debug.ts";
import { deepForce } from "./code/deep-force.ts";
import { disassemble } from "./code/disassemble.ts";
import { dumpHeap } from "./code/dump-heap.ts";
import { codeTable } from "./code/image-tables.ts";
import {
  call,
  coerceCopy,
  coerceToString,
  countStep,
  type EvaluatorState,
  enter,
  evaluation,
  force,
  formalsOf,
  isDerivation,
  isEvaluating,
  isInOrder,
  leave,
  positionOfValue,
} from "./code/interpret.ts";
import { codeStoreFor, compile, evaluateSource } from "./code/load.ts";
import {
  addSource,
  lineAndColumn,
  resolvePosition,
  type Source,
  type SourceOrigin,
  showPosition,
  sourceAt,
} from "./code/source.ts";
import type { Documentation } from "./documentation.ts";
import { type Collected, collectGarbage, startOfEvaluations } from "./heap/collect.ts";
import { type ImageSource, loadImage, type StartIdentity, saveImage, startIdentity } from "./heap/image.ts";
import { heapSize, isLambda, isSet, isString, none, type Slot, type Value } from "./heap/memory.ts";
import { attribute, positionOf, setOf, shapeOf } from "./heap/set.ts";
import { keysOf, orderedKeys } from "./heap/shape.ts";
import { type ContextId, contextIdOf, makeString, stringText } from "./heap/string.ts";
import { intern, nameOf, symbolCount } from "./heap/symbol.ts";
import { addHolder, addTable, ImageMismatch } from "./heap/tables.ts";
import { shownPath } from "./heap/tree-root.ts";
import type { ContextElement, EvalHost } from "./host.ts";
import {
  type FoundPackage,
  findPackages,
  installedOutputs,
  type MetaEntry,
  type PackageOutput,
  type PackageSearch,
  type PackageText,
  packageMeta,
  packageOutputs,
  packageText,
} from "./packages.ts";
import { parseExpressionAt } from "./syntax/parser.ts";
import { parentOf } from "./syntax/path-text.ts";
import { showExpr } from "./syntax/print.ts";
import { contextElements, contextOf, mergeContexts } from "./value/context.ts";
import { EvaluationError, toFirnError } from "./value/evaluation-error.ts";
import { plainPrint, printAmbiguous, printPartly, printValue } from "./value/print.ts";
import { type AddedVariables, type EnteredLine, Variables } from "./variables.ts";

/** Options of an evaluator. */
export interface EvaluatorOptions {
  /** True to keep a frame for every function call in traces. */
  readonly showTrace?: boolean;
  /** Builtins of the embedder (flakes), by their name without `builtins.`. */
  readonly extraBuiltins?: readonly BuiltinTable[];
  /** Called once the number of imported files shows that the evaluation will take seconds. */
  readonly whenLong?: () => void;
  /** Stops at errors and breakpoints; makes evaluation slower. */
  readonly debugger?: Debugger;
  /** Hears of every call; makes evaluation slower. */
  readonly calls?: CallObserver;
}

/** The source of an expression's text. */
export type ExpressionSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "string"; readonly text: string; readonly directory: string }
  | { readonly kind: "stdin"; readonly text: string; readonly directory: string };

/** A text form of values. All forms are byte strings. */
export type OutputForm =
  /** The form of `nix-instantiate --eval`. */
  | { readonly kind: "instantiate" }
  /** The same, but with every set and list written out wherever it occurs. */
  | { readonly kind: "literal" }
  /** The form of `nix eval`: forced, derivations abbreviated. */
  | { readonly kind: "nix" }
  /** JSON; paths are copied to the store, unless `copiesPaths` is false. */
  | { readonly kind: "json"; readonly copiesPaths?: boolean }
  | ({ readonly kind: "xml" } & XmlOptions)
  /** The text of a string-like value alone. */
  | { readonly kind: "raw"; readonly command?: string };

/** Options of `show`. */
export interface ShowOptions {
  /** Number of levels that are printed; all of them when absent. */
  readonly depth?: number;
  readonly colors: boolean;
  /** True to leave a string at the top as it is. */
  readonly raw?: boolean;
}

/** The bytes of values from which on freeing some is worth its time; a NixOS system takes a third of that. */
const worthCollecting = 1024 ** 3;

addTable(codeTable);

addTable({
  save(to) {
    const { copiedPaths } = evaluation();
    to.texts("copied paths", [...copiedPaths.keys()]);
    to.cells("values of copied paths", [...copiedPaths.values()]);
  },
  load(from) {
    const { copiedPaths } = evaluation();
    const values = from.cells("values of copied paths");
    from.texts("copied paths").forEach((path, i) => {
      copiedPaths.set(path, values[i]! as Value);
    });
  },
});

/** Parses and evaluates over one host. Errors of evaluations are thrown as `FirnError`. */
export class Evaluator {
  readonly host: EvalHost;
  /** The set `builtins`. */
  readonly builtins: Value;
  private readonly evaluation: EvaluatorState;
  private readonly extraBuiltins: readonly BuiltinTable[];
  /** The size of the heap in bytes from which on it is tidied. */
  private collectFrom: number;

  constructor(host: EvalHost, options: EvaluatorOptions = {}) {
    this.host = host;
    const { mode } = host;
    this.evaluation = {
      host,
      parser: {
        pipes: mode.experimentalFeatures.includes("pipe-operators"),
        pure: mode.pure,
        homeDirectory: () => host.homeDirectory(),
        warn: (message) => host.report({ kind: "warning", text: message }),
        lint: (name, message, pos) => {
          const level = mode.lints[name];
          if (level === "ignore") return;
          if (level === "fatal") throw new EvaluationError("parse-error", `${message(true)} (lint-${name})`, pos);
          const position = resolvePosition(pos);
          const text = `${message(false)} (lint-${name})`;
          host.report({ kind: "warning", text, ...(position === undefined ? {} : { position }) });
        },
      },
      globals: [],
      copiedPaths: new Map(),
      treeRoots: [],
      code: undefined,
      heapLimit: { start: heapSize(), bytes: host.mode.maxMemory },
      showTrace: options.showTrace ?? false,
      depth: 0,
      whenLong: () => options.whenLong?.(),
      ...(options.debugger === undefined ? {} : { debugger: options.debugger }),
      ...(options.calls === undefined ? {} : { calls: options.calls }),
    };
    this.extraBuiltins = options.extraBuiltins ?? [];
    startOfEvaluations();
    addHolder(this.evaluation, ({ globals, copiedPaths }, marker) => {
      for (const slot of globals) marker.slot(slot);
      for (const value of copiedPaths.values()) marker.slot(value);
    });
    this.collectFrom = this.smallestCollected();
    this.builtins = installGlobals(this.evaluation.globals, host, this.extraBuiltins);
    this.evaluation.code = codeStoreFor(this.evaluation);
  }

  /** Returns an internal builtin of the language or of the embedder, which expressions cannot name; undefined when there is none. */
  internalBuiltin(name: string): Value | undefined {
    if (name === "flakeOfTree") return this.run(() => importFile(flakeOfTreeFile));
    for (const table of this.extraBuiltins) {
      const definition = table[name];
      if (definition !== undefined) return makeBuiltin(name, definition);
    }
    return undefined;
  }

  /** Runs `work` as this evaluator; evaluation errors are thrown as FirnError. */
  run<T>(work: () => T): T {
    const entered = enter(this.evaluation);
    try {
      return work();
    } catch (error) {
      throw toFirnError(error);
    } finally {
      leave(entered);
    }
  }

  /**
   * Frees the memory of values that nothing reaches: no evaluator, no variables, and no holder that `addHolder` was told of. A value that
   * is only in a variable of the program must not be used after it. Does nothing and returns undefined while something is being
   * evaluated, and where code for the debugger or for observers of calls was made.
   */
  collect(): Collected | undefined {
    if (isEvaluating()) return undefined;
    const scopes = codeScopes();
    const result = scopes === undefined ? undefined : collectGarbage(scopes);
    const { start, bytes } = this.evaluation.heapLimit;
    this.evaluation.heapLimit = { start: Math.min(start, heapSize()), bytes };
    return result;
  }

  /**
   * Frees memory as `collect` does, when the values take much more than they did after the last time. For the start of requests that
   * evaluate: a short program never comes to it.
   */
  tidy(): void {
    if (4 * heapSize() < this.collectFrom) return;
    this.collect();
    this.collectFrom = Math.max(this.smallestCollected(), 8 * heapSize());
  }

  /** Returns the heap as text: sizes by kind of object, and with `objects` each object. Undefined where `collect` does nothing. */
  dumpHeap(options: { readonly objects: boolean }): string | undefined {
    const scopes = isEvaluating() ? undefined : codeScopes();
    return scopes === undefined ? undefined : dumpHeap(scopes, options);
  }

  private smallestCollected(): number {
    const { maxMemory } = this.host.mode;
    return maxMemory === 0 ? worthCollecting : Math.min(worthCollecting, maxMemory / 2);
  }

  private source(from: ExpressionSource): Source {
    switch (from.kind) {
      case "file":
        return addSource("file", from.path, parentOf(from.path), this.host.readFile(from.path));
      case "string":
      case "stdin": {
        const origin: SourceOrigin = from.kind;
        return addSource(origin, `\xc2\xab${from.kind}\xc2\xbb`, from.directory, from.text);
      }
    }
  }

  /** Returns the syntax tree in the notation of `--parse`. Undefined variables are errors. */
  parse(from: ExpressionSource): string {
    return this.run(() => {
      const source = this.source(from);
      compile(source, this.evaluation, null);
      return showExpr(parseExpressionAt(source, this.evaluation.parser, 0));
    });
  }

  /**
   * Returns the lowered code of an expression, a node a line with its operands, for people who work on the evaluator. Undefined variables
   * are errors.
   */
  disassemble(from: ExpressionSource): string {
    return this.run(() => disassemble(compile(this.source(from), this.evaluation, null)));
  }

  /** Evaluates an expression to weak head normal form. */
  evaluate(from: ExpressionSource): Value {
    return this.run(() => {
      if (from.kind !== "file") return evaluateSource(this.source(from));
      return evaluateSource(this.source({ kind: "file", path: resolveImportPath(from.path) }));
    });
  }

  /** Evaluates a file that must be a literal attribute set (flake.nix). */
  evaluateLiteralSet(path: string): Value {
    return this.run(() => importFile(path, true));
  }

  /**
   * Returns the paths of what is computed, and no literal, below the named attributes of a file that is a set literal; elements of lists by
   * their index.
   */
  computedAttributes(path: string, sections: readonly string[]): string[][] {
    return this.run(() => {
      const source = this.source({ kind: "file", path });
      return computedAttributes(parseExpressionAt(source, this.evaluation.parser, 0), sections);
    });
  }

  /**
   * Adds a tree that is read where it lies: paths begin with a stand-in of the length of its store path, which no text may have otherwise.
   * `storePath` returns that path once something shows it, and is called again after it has failed.
   */
  addTree(standIn: string, storePath: () => string): void {
    const { treeRoots } = this.evaluation;
    if (treeRoots.some((root) => root.standIn === standIn)) return;
    treeRoots.push({ standIn, compute: storePath, storePath: undefined });
  }

  /** Tells the store path of a tree that was added. */
  treeIsStored(standIn: string, storePath: string): void {
    for (const root of this.evaluation.treeRoots) if (root.standIn === standIn) root.storePath = storePath;
  }

  force(slot: Slot): Value {
    return this.run(() => force(slot));
  }

  deepForce(slot: Slot): Value {
    return this.run(() => deepForce(slot));
  }

  call(callee: Slot, ...args: readonly Slot[]): Value {
    return this.run(() => args.reduce<Value>((f, arg) => call(f, arg, 0), force(callee)));
  }

  /** Calls a function with the arguments that its formals name; returns other values unchanged. */
  autoCall(slot: Slot, args: AutoArgs): Value {
    return this.run(() => autoCall(slot, args));
  }

  /** Selects along a path such as `a.b.0`; functions on the way are called with `args`. */
  select(root: Slot, path: string, args: AutoArgs): Slot {
    return this.run(() => selectAlong(root, path, args));
  }

  attribute(attrs: Value, name: string): Slot | undefined {
    const slot = attribute(attrs, intern(name));
    return slot === none ? undefined : slot;
  }

  /** Returns the place at which an attribute is defined; undefined when it is not known. */
  attributePosition(attrs: Value, name: string): SourcePosition | undefined {
    return this.run(() => resolvePosition(positionOf(attrs, intern(name))));
  }

  /** Returns the name of a function's argument; undefined for other values and for set patterns. */
  argumentName(value: Value): string | undefined {
    if (!isLambda(value) || formalsOf(value) !== undefined) return undefined;
    return this.run(() => argumentName(value));
  }

  /** Returns names in byte order, or in the order in which they became known to the evaluator. */
  attrNames(attrs: Value, asKnown = false): string[] {
    const shape = shapeOf(attrs);
    return (asKnown ? keysOf(shape) : orderedKeys(shape)).map(nameOf);
  }

  makeAttrs(members: Readonly<Record<string, Slot>>): Value {
    return setOf(members);
  }

  /** Makes a string that refers to store paths. */
  stringWithContext(text: string, elements: readonly ContextElement[]): Value {
    let context: ContextId = 0;
    for (const element of elements) context = mergeContexts(context, contextOf(element));
    return makeString(text, context);
  }

  /** Returns the formals of a function with a set pattern: name → has a default. */
  formals(value: Value): Record<string, boolean> | undefined {
    const formals = formalsOf(value);
    if (formals === undefined) return undefined;
    return Object.fromEntries(formals.map((formal) => [nameOf(formal.symbol), formal.optional]));
  }

  /** Returns the path of `<name>` in the host's search path. */
  findFile(name: string): string {
    return this.run(() => findInSearchPath(this.host.searchPath, name));
  }

  isDerivation(value: Value): boolean {
    return isSet(value) && this.run(() => isDerivation(value));
  }

  /** Returns the text of a string-like value with its context. */
  stringOf(slot: Slot): { text: string; context: ContextElement[] } {
    return this.run(() => {
      const value = coerceToString(slot, coerceCopy, "while evaluating a value that is expected to be a string", 0);
      return { text: stringText(value), context: contextElements(contextIdOf(value)) };
    });
  }

  /** Writes a value; the forms force what they need. */
  print(slot: Slot, form: OutputForm): string {
    return this.run(() => this.printed(slot, form));
  }

  private printed(slot: Slot, form: OutputForm): string {
    switch (form.kind) {
      case "instantiate":
        return printAmbiguous(slot);
      case "literal":
        return printAmbiguous(slot, null);
      case "nix":
        return printValue(slot, {
          ...plainPrint,
          showErrors: true,
          force,
          derivationPath: (attrs) => derivationPathOf(attrs),
        });
      case "json":
        return jsonTextOf(slot, form.copiesPaths ?? true);
      case "xml":
        return toXml(slot, form).text;
      case "raw":
        return stringText(
          coerceToString(slot, coerceCopy, `while generating the ${form.command ?? "eval command"} output`, 0),
        );
    }
  }

  /** Finds the packages in a value. */
  packages(slot: Slot, search: PackageSearch): FoundPackage[] {
    return this.run(() => findPackages(slot, search));
  }

  /** Returns a fact of a package; undefined when it has no derivation. */
  packageText(attrs: Value, fact: PackageText): string | undefined {
    return this.run(() => packageText(attrs, fact));
  }

  /** Returns the outputs of a package, with `installed` only those to install. */
  packageOutputs(
    attrs: Value,
    options: { readonly paths: boolean; readonly installed: boolean },
  ): { readonly outputs: readonly PackageOutput[]; readonly installed: readonly string[] | undefined } {
    return this.run(() => ({
      outputs: packageOutputs(attrs, options.paths),
      installed: options.installed ? installedOutputs(attrs) : undefined,
    }));
  }

  /** Returns the attributes of a package's `meta`, or only the one that is named. */
  packageMeta(attrs: Value, only?: string): MetaEntry[] {
    return this.run(() => packageMeta(attrs, only));
  }

  /**
   * Hears of applications from now on, for images: of those that import so many files and have so many attributes, by default what packages have.
   * Nothing may have been imported yet.
   */
  hearOfApplications(from?: { readonly imports: number; readonly attributes: number }): void {
    this.run(() => hearOfApplications(from));
  }

  /** Returns the application that an image is worth its time for, if there is one. */
  findApplication(): ImageApplication | undefined {
    return this.run(findApplication);
  }

  /** Makes the value of an application, for an image. Fails as it does. */
  makeApplication(application: ImageApplication): void {
    this.run(() => makeApplication(application));
  }

  /** Tells whether the evaluation may be seen to have used an image, or what an image would be made of is not the same each time. */
  imageIsVisible(): boolean {
    const { applications } = this.evaluation;
    return applications !== undefined && (applications.isVisible || applications.askedForPlace);
  }

  /** Tells whether a message now would stand in an order that an image can change. */
  isInOrder(): boolean {
    return isInOrder();
  }

  /** Returns the identity of the heap, for images; nothing may have been evaluated yet. */
  startIdentity(): StartIdentity {
    return startIdentity();
  }

  /**
   * Returns all values that are reached, with the tables around them, as the pieces of an image. Frees all other values first. Throws
   * `ImageMismatch` when there is something that an image cannot hold.
   */
  saveImage(start: StartIdentity): Uint8Array[] {
    if (this.collect() === undefined) throw new ImageMismatch("not all values are known");
    return this.run(() => saveImage(start));
  }

  /**
   * Takes the values of an image, before anything is evaluated. Throws `ImageMismatch` when it does not fit; after any error nothing can be evaluated
   * in this process.
   */
  loadImage(source: ImageSource): void {
    const { codeCache } = this.host;
    if (codeCache === undefined) throw new ImageMismatch("no lowered code is kept");
    this.run(() => loadImage(source, startIdentity(), codeCache.decode));
    this.evaluation.code?.startAnew();
  }

  /** Makes variables for expressions of a repl; relative paths start from `directory`. */
  newVariables(directory: string): Variables {
    return new Variables(directory);
  }

  /** Adds a set's attributes to variables. */
  addVariables(variables: Variables, slot: Slot): AddedVariables {
    return this.run(() => variables.addAll(slot));
  }

  /** Enters a line of a repl: definitions become variables, an expression is evaluated. */
  enterLine(variables: Variables, text: string, patient: boolean): EnteredLine {
    return this.run(() => variables.enter(text, patient));
  }

  /** Evaluates an expression that sees variables. Fails with `incomplete-input` when the text ends too soon. */
  evaluateWith(variables: Variables, text: string): Value {
    return this.run(() => variables.evaluate(text));
  }

  /** Returns the documentation of an expression's value, or of the attribute that it selects. */
  document(variables: Variables, text: string): Documentation | undefined {
    return this.run(() => variables.document(text));
  }

  /** Returns the path that a path or a string with an absolute path denotes; `text` names its use in errors. */
  pathOf(slot: Slot, text: string): string {
    return this.run(() => shownPath(pathArgument(slot, text).path));
  }

  /** Returns the place of a function in its file; undefined for other values, a text for a place that is no file. */
  functionPlace(slot: Slot): { readonly path: string; readonly line: number } | string | undefined {
    const value = this.force(slot);
    if (!isLambda(value)) return undefined;
    const pos = positionOfValue(value);
    const source = sourceAt(pos);
    if (source?.origin !== "file") return showPosition(pos);
    return { path: shownPath(source.name), line: lineAndColumn(pos).line };
  }

  /** Returns the names that expressions see without any variables: `builtins`, `map`, `__add`, … */
  globalNames(): string[] {
    const { globals } = this.evaluation;
    const names: string[] = [];
    for (let symbol = 0; symbol < symbolCount(); symbol++) {
      if ((globals[symbol] ?? none) !== none) names.push(nameOf(symbol));
    }
    return names;
  }

  /** Returns a value as the repl shows it, down to a depth; an error comes with the text printed before it. */
  show(slot: Slot, options: ShowOptions): { readonly text: string; readonly error?: unknown } {
    return this.run(() => {
      const value = force(slot);
      if (options.raw === true && isString(value)) return { text: stringText(value) };
      const { text, error } = printPartly(value, {
        ...plainPrint,
        indent: 2,
        force: (inner) => {
          countStep();
          return force(inner);
        },
        derivationPath: (attrs) => derivationPathOf(attrs),
        maxDepth: options.depth ?? Number.POSITIVE_INFINITY,
        colors: options.colors,
        showErrors: true,
      });
      return error === undefined ? { text } : { text, error: toFirnError(error) };
    });
  }

  /** Sets whether errors keep a frame for every call from now on. */
  setShowTrace(on: boolean): void {
    this.evaluation.showTrace = on;
  }

  /** Writes lowered code to the host's code cache, if that is worth the time. */
  keepCode(): void {
    this.evaluation.code?.keep();
  }

  /** Forgets files, so that they are read again on their next import. */
  forgetFiles(): void {
    resetImports(this.evaluation);
  }
}

function derivationPathOf(attrs: Value): string | undefined {
  if (!isDerivation(attrs)) return undefined;
  const slot = attribute(attrs, intern("drvPath"));
  if (slot === none) return "";
  return stringText(coerceToString(slot, 0, "while evaluating the drvPath of a derivation", 0));
}
