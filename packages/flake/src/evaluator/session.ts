/** Requests on one evaluator: a table of values by handle, and the questions of commands about them. */
import { FirnError } from "@firn/formats";
import {
  addHolder,
  allObservers,
  bool,
  callTrace,
  type Debugger,
  type EvalHost,
  Evaluator,
  elementAt,
  elementsOf,
  FlameGraph,
  finalTreeBuiltin,
  type ImageApplication,
  isList,
  isSet,
  isString,
  listLength,
  makeInt64,
  makeList,
  makePath,
  makeString,
  nullValue,
  type Slot,
  showType,
  stringText,
  treeFact,
  trueValue,
  typeName,
  type Value,
  type Variables,
} from "@firn/language";
import { dateText } from "../source/tree-attributes.ts";
import { toShownErrorData } from "./error-data.ts";
import { flakeRefBuiltins, getFlakeBuiltin } from "./flake-builtins.ts";
import { readImage, writeImage } from "./image-file.ts";
import type { HostConfig } from "./node-host.ts";
import type { PlacedTrees } from "./placed-trees.ts";
import type {
  AutoArgData,
  DerivationFacts,
  ErrorData,
  Handle,
  ImageUse,
  PlainData,
  Request,
  Responses,
  TreeFact,
  ValueKind,
  VariablesId,
} from "./protocol.ts";
import type { SyncServices } from "./services.ts";
import type { ShownTrees } from "./shown-trees.ts";

/** Requests with which a job begins, before which values of earlier ones may be freed. */
const evaluating: ReadonlySet<Request["op"]> = new Set([
  "evaluate",
  "select",
  "derivation",
  "enterLine",
  "evaluateWith",
  "packages",
]);

/** Forms that show a value forced and whole. */
const showsAll: ReadonlySet<string> = new Set(["json", "raw"]);

/** Requests whose results are forced. */
const forcing: ReadonlySet<Request["op"]> = new Set(["evaluate", "autoCall", "select", "call"]);

/** Tells whether a value has no parts that may be shown unforced. */
function isPlain(value: Value): boolean {
  return !isSet(value) && !isList(value) && typeName(value) !== "lambda";
}

/** Answers requests on one evaluator and keeps the values that they refer to. Errors are those of evaluation. */
export class EvaluatorSession {
  private readonly evaluator: Evaluator;
  private readonly values = new Map<Handle, Slot>();
  private readonly variables = new Map<VariablesId, Variables>();
  /** The trees that the evaluation reads where they lie. */
  private readonly trees: PlacedTrees;
  private readonly debugger: Debugger | undefined;
  private readonly flameGraph: FlameGraph | undefined;
  /** The work trees whose tracked files the evaluation reads. */
  readonly shownTrees: ShownTrees;
  private nextHandle = 1;
  /** The heap at the start and whether it was replaced by an image's, where images are made or used. */
  private images: { readonly start: ReturnType<Evaluator["startIdentity"]>; readonly loaded: boolean } | undefined;
  /** The values that were forced because a request asked for them. */
  private readonly forced = new Set<Handle>();
  /** True once the image could be seen. */
  private isVisible = false;

  /** Takes the evaluator and `flakes`, which answers `getFlake`; it is absent when flakes are not evaluated. */
  constructor(
    host: EvalHost,
    options: {
      readonly showTrace: boolean;
      readonly whenLong: () => void;
      readonly shownTrees: ShownTrees;
      readonly trees: PlacedTrees;
      readonly flakes?: SyncServices;
      readonly debugger?: Debugger;
      readonly calls?: HostConfig["calls"];
    },
  ) {
    const { flakes } = options;
    const { profile } = options.calls ?? {};
    this.flameGraph = profile === undefined ? undefined : new FlameGraph(profile.frequency);
    const observers = [
      ...(options.calls?.trace === true ? [callTrace((text) => host.report({ kind: "call", text }))] : []),
      ...(this.flameGraph === undefined ? [] : [this.flameGraph]),
    ];
    this.debugger = options.debugger;
    this.shownTrees = options.shownTrees;
    this.trees = options.trees;
    this.trees.onStored = (standIn, storePath) => {
      host.allowPath(storePath);
      this.shownTrees.addSame(standIn, storePath);
      this.evaluator.treeIsStored(standIn, storePath);
    };
    addHolder(this, ({ values }, marker) => {
      for (const slot of values.values()) marker.slot(slot);
    });
    this.evaluator = new Evaluator(host, {
      showTrace: options.showTrace,
      whenLong: options.whenLong,
      ...(options.debugger === undefined ? {} : { debugger: options.debugger }),
      ...(observers.length === 0 ? {} : { calls: allObservers(observers) }),
      extraBuiltins: [
        flakeRefBuiltins(host.mode),
        finalTreeBuiltin,
        getFlakeBuiltin(host.mode, (reference) => this.flake(flakes, reference)),
      ],
    });
  }

  private flake(services: SyncServices | undefined, reference: string): Value {
    if (services?.getFlake === undefined) throw new FirnError("no-flakes", "flakes cannot be evaluated here");
    return this.force(services.getFlake(reference));
  }

  private keep(slot: Slot): Handle {
    const handle = this.nextHandle++;
    this.values.set(handle, slot);
    return handle;
  }

  private slot(handle: Handle): Slot {
    const slot = this.values.get(handle);
    if (slot === undefined) throw new FirnError("bad-handle", `no value has the handle ${handle}`);
    return slot;
  }

  private variablesOf(id: VariablesId): Variables {
    const variables = this.variables.get(id);
    if (variables === undefined) throw new FirnError("bad-handle", `no variables have the number ${id}`);
    return variables;
  }

  private force(handle: Handle): Value {
    return this.evaluator.force(this.slot(handle));
  }

  private attrs(handle: Handle): Value {
    const value = this.force(handle);
    if (isSet(value)) return value;
    throw new FirnError("bad-handle", `the value with the handle ${handle} is no attribute set`);
  }

  private data(data: PlainData): Slot {
    switch (typeof data) {
      case "boolean":
        return bool(data);
      case "number":
      case "bigint":
        return makeInt64(data);
      case "string":
        return makeString(data);
      default:
    }
    if (data === null) return nullValue;
    if ("handle" in data) return this.slot(data.handle);
    if ("path" in data) return makePath(data.path);
    if ("fact" in data) return treeFact(() => this.fact(data.of, data.fact));
    if ("string" in data) return this.evaluator.stringWithContext(data.string, data.context);
    if ("list" in data) return makeList(data.list.map((item) => this.data(item)));
    const members: Record<string, Slot> = {};
    for (const [name, member] of Object.entries(data.attrs)) members[name] = this.data(member);
    return this.evaluator.makeAttrs(members);
  }

  private fact(standIn: string, name: TreeFact): Value {
    const { storePath, narHash, lastModified } = this.trees.facts(standIn);
    switch (name) {
      case "outPath":
        return this.evaluator.stringWithContext(storePath, [{ kind: "opaque", path: storePath }]);
      case "narHash":
        return makeString(narHash);
      case "lastModified":
        return makeInt64(lastModified);
      case "lastModifiedDate":
        return makeString(dateText(lastModified));
    }
  }

  private autoArgs(data: AutoArgData): Map<string, Slot> {
    return new Map(Object.entries(data).map(([name, value]) => [name, this.data(value)]));
  }

  /** Takes an image, if there is one, and hears of applications from now on. Fails when the image does not fit. */
  startImages({ load, makes, from }: ImageUse): void {
    const { evaluator } = this;
    this.images = { start: evaluator.startIdentity(), loaded: load !== undefined };
    evaluator.hearOfApplications(makes === true ? { imports: Infinity, attributes: Infinity } : from);
    if (load !== undefined) readImage(load.file, load.identity, (source) => evaluator.loadImage(source));
  }

  /** Hears that the evaluation reports something. */
  reporting(): void {
    if (this.images?.loaded === true && this.evaluator.isInOrder()) this.isVisible = true;
  }

  /** Answers a request, unless an image that is in use could be seen in the answer. */
  answer(request: Request): Responses[Request["op"]] {
    if (this.images?.loaded !== true) return this.answerNow(request);
    if (request.op === "print" && !showsAll.has(request.form.kind)) {
      // What is not forced is shown so, and with an image more is; the form of `eval` forces the value itself.
      const isForced = request.form.kind === "nix" || this.forced.has(request.value);
      if (!isForced || !isPlain(this.force(request.value))) this.isVisible = true;
    }
    const response = this.isVisible ? null : this.answerNow(request);
    if (forcing.has(request.op)) this.forced.add(response as Handle);
    if (this.isVisible || this.evaluator.imageIsVisible()) throw new FirnError("internal", "an image could be seen");
    return response;
  }

  private makeImage(application: ImageApplication, file: string): string {
    const { evaluator, images } = this;
    if (images === undefined) throw new FirnError("internal", "no images are made");
    evaluator.makeApplication(application);
    if (evaluator.imageIsVisible()) throw new FirnError("internal", "what an image is made of is not always the same");
    return writeImage(file, evaluator.saveImage(images.start));
  }

  /** Returns an error of an answer as data, as it is to be shown. */
  errorData(error: unknown): ErrorData {
    return this.evaluator.run(() => toShownErrorData(error, this.shownTrees));
  }

  private answerNow(request: Request): Responses[Request["op"]] {
    const { evaluator } = this;
    if (evaluating.has(request.op)) evaluator.tidy();
    switch (request.op) {
      case "parse":
        return evaluator.parse(request.source);
      case "evaluate":
        if (request.literalSet === true && request.source.kind === "file") {
          return this.keep(evaluator.evaluateLiteralSet(request.source.path));
        }
        return this.keep(evaluator.evaluate(request.source));
      case "computedAttributes":
        return evaluator.computedAttributes(request.path, request.sections);
      case "data":
        return this.keep(this.data(request.data));
      case "autoCall":
        return this.keep(evaluator.autoCall(this.slot(request.value), this.autoArgs(request.autoArgs)));
      case "select":
        return this.keep(evaluator.select(this.slot(request.value), request.path, this.autoArgs(request.autoArgs)));
      case "attribute": {
        const value = this.force(request.value);
        const slot = isSet(value) ? evaluator.attribute(value, request.name) : undefined;
        return slot === undefined ? null : this.keep(slot);
      }
      case "attrNames": {
        const value = this.force(request.value);
        return isSet(value) ? evaluator.attrNames(value) : null;
      }
      case "length": {
        const value = this.force(request.value);
        return isList(value) ? listLength(value) : null;
      }
      case "element": {
        const value = this.force(request.value);
        const inside = isList(value) && request.index >= 0 && request.index < listLength(value);
        const slot = inside ? elementAt(value, request.index) : undefined;
        if (slot === undefined) throw new FirnError("bad-index", `there is no list element ${request.index}`);
        return this.keep(slot);
      }
      case "call": {
        const args = request.args.map((arg) => this.data(arg));
        return this.keep(evaluator.call(this.slot(request.callee), ...args));
      }
      case "kind":
        return this.kind(this.force(request.value));
      case "formals": {
        const formals = evaluator.formals(this.force(request.value));
        return formals === undefined ? null : formals;
      }
      case "argumentName":
        return evaluator.argumentName(this.force(request.value)) ?? null;
      case "attributePosition": {
        const value = this.force(request.value);
        return isSet(value) ? (evaluator.attributePosition(value, request.name) ?? null) : null;
      }
      case "derivation": {
        const value = this.force(request.value);
        return evaluator.isDerivation(value) ? this.derivation(value) : null;
      }
      case "packages": {
        const { prefix, skipFailed } = request;
        const search = { prefix, skipFailed, autoArgs: this.autoArgs(request.autoArgs) };
        const found = evaluator.packages(this.slot(request.value), search);
        return found.map(({ attrs, attrPath, name }) => ({ value: this.keep(attrs), attrPath, name }));
      }
      case "packageText":
        return evaluator.packageText(this.attrs(request.value), request.fact) ?? null;
      case "packageOutputs":
        return evaluator.packageOutputs(this.attrs(request.value), request);
      case "packageMeta":
        return evaluator.packageMeta(this.attrs(request.value), request.only);
      case "string":
        return evaluator.stringOf(this.slot(request.value));
      case "deepForce":
        evaluator.deepForce(this.slot(request.value));
        return null;
      case "print":
        return evaluator.print(this.slot(request.value), request.form);
      case "findFile":
        return evaluator.findFile(request.name);
      case "forgetFiles":
        evaluator.forgetFiles();
        return null;
      case "internalBuiltin": {
        const builtin = evaluator.internalBuiltin(request.name);
        if (builtin === undefined) throw new FirnError("bad-builtin", `there is no builtin '${request.name}'`);
        return this.keep(builtin);
      }
      case "profile":
        return this.flameGraph?.text() ?? "";
      case "dumpHeap":
        return evaluator.dumpHeap(request) ?? null;
      case "findApplication":
        return evaluator.findApplication() ?? null;
      case "makeImage":
        return this.makeImage(request.application, request.file);
      case "keepCode":
        evaluator.keepCode();
        return null;
      case "allowPath":
        evaluator.host.allowPath(request.path);
        if (request.tree !== undefined) {
          this.trees.add(request.path, request.tree);
          evaluator.addTree(request.path, () => this.trees.facts(request.path).storePath);
        }
        if (request.name !== undefined) this.shownTrees.add(request.path, request.name);
        return null;
      case "newVariables":
        this.variables.set(this.nextHandle, evaluator.newVariables(request.directory));
        return this.nextHandle++;
      case "resetVariables":
        this.variablesOf(request.variables).reset();
        return null;
      case "dropVariables":
        this.variables.delete(request.variables);
        return null;
      case "addVariables":
        return evaluator.addVariables(this.variablesOf(request.variables), this.slot(request.value));
      case "enterLine": {
        const line = evaluator.enterLine(this.variablesOf(request.variables), request.text, request.patient);
        return line.kind === "defined" ? line : { kind: "value", value: this.keep(line.value) };
      }
      case "evaluateWith":
        return this.keep(evaluator.evaluateWith(this.variablesOf(request.variables), request.text));
      case "namesOf": {
        const names = (): string[] => {
          const value = evaluator.evaluateWith(this.variablesOf(request.variables), request.text);
          return isSet(value) ? evaluator.attrNames(value) : [];
        };
        return this.debugger === undefined ? names() : this.debugger.quietly(names);
      }
      case "variableNames":
        return [...new Set([...this.variablesOf(request.variables).all(), ...evaluator.globalNames()])];
      case "describe":
        return showType(this.force(request.value));
      case "namesAsLoaded": {
        const value = this.force(request.value);
        return isSet(value) ? evaluator.attrNames(value, true) : [];
      }
      case "show": {
        const { text, error } = evaluator.show(this.slot(request.value), request);
        return { text, failure: error === undefined ? undefined : this.errorData(error) };
      }
      case "document":
        return evaluator.document(this.variablesOf(request.variables), request.text) ?? null;
      case "pathOf":
        return evaluator.pathOf(this.slot(request.value), "while evaluating the filename to edit");
      case "functionPlace":
        return evaluator.functionPlace(this.slot(request.value)) ?? null;
      case "debugTrace":
        return this.debugger?.trace() ?? [];
      case "debugLevels":
        return this.debugger?.levels(request.index) ?? [];
      case "debugVariables":
        this.variablesOf(request.variables).assign(this.debugger?.variables(request.index) ?? new Map());
        return null;
      case "setShowTrace":
        evaluator.setShowTrace(request.on);
        return null;
      case "release":
        for (const handle of request.values) this.values.delete(handle);
        return null;
    }
  }

  private kind(value: Value): ValueKind {
    return isSet(value) && this.evaluator.isDerivation(value) ? "derivation" : typeName(value);
  }

  private text(attrs: Value, name: string): string | undefined {
    const slot = this.evaluator.attribute(attrs, name);
    if (slot === undefined) return undefined;
    const value = this.evaluator.force(slot);
    return isString(value) ? stringText(value) : undefined;
  }

  private texts(attrs: Value, name: string): string[] | undefined {
    const slot = this.evaluator.attribute(attrs, name);
    if (slot === undefined) return undefined;
    const value = this.evaluator.force(slot);
    if (!isList(value)) return undefined;
    return elementsOf(value).map((item) => this.evaluator.stringOf(item).text);
  }

  private derivation(attrs: Value): DerivationFacts {
    const drvSlot = this.evaluator.attribute(attrs, "drvPath");
    if (drvSlot === undefined) {
      throw new FirnError("not-a-derivation", "derivation does not contain a 'drvPath' attribute");
    }
    const drvPath = this.evaluator.stringOf(drvSlot).text;
    const { storeDir } = this.evaluator.host;
    if (drvPath.startsWith(`${storeDir}/`) && !drvPath.endsWith(".drv")) {
      const name = drvPath.slice(storeDir.length + 1);
      throw new FirnError("bad-store-path", `store path '${name}' is not a valid derivation path`);
    }
    const names = this.texts(attrs, "outputs") ?? ["out"];
    const outputs = names.map((name) => {
      const slot = this.evaluator.attribute(attrs, name);
      const value = slot === undefined ? undefined : this.evaluator.force(slot);
      const path = value !== undefined && isSet(value) ? this.text(value, "outPath") : undefined;
      return { name, path: path ?? (names.length === 1 ? this.text(attrs, "outPath") : undefined) };
    });
    const outputName = this.text(attrs, "outputName") ?? "out";
    const metaSlot = this.evaluator.attribute(attrs, "meta");
    const metaValue = metaSlot === undefined ? nullValue : this.evaluator.force(metaSlot);
    const meta = isSet(metaValue) ? metaValue : undefined;
    const wanted = meta !== undefined ? this.texts(meta, "outputsToInstall") : undefined;
    const specified = this.evaluator.attribute(attrs, "outputSpecified");
    const only = specified !== undefined && this.evaluator.force(specified) === trueValue;
    return {
      drvPath,
      name: this.text(attrs, "name") ?? "",
      system: this.text(attrs, "system"),
      outputs,
      outputName,
      outputsToInstall: only ? [outputName] : (wanted ?? (names.includes("out") ? ["out"] : names.slice(0, 1))),
      installsAll: !only && wanted === undefined,
      mainProgram: meta !== undefined ? this.text(meta, "mainProgram") : undefined,
      pname: this.text(attrs, "pname"),
    };
  }
}
