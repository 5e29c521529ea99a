/**
 * Messages between the main thread and the evaluator's worker. Values stay in the worker; the main thread names them by
 * handles and receives plain data only. All strings are byte strings unless said otherwise.
 */
import type { MessagePort } from "node:worker_threads";
import type { ErrorCode, ErrorDetails, SourcePosition, TraceFrame } from "@firn/formats";
import type {
  AddedVariables,
  ContextElement,
  DebugLevel,
  DebugTraceStep,
  Documentation,
  EvalMessage,
  ExpressionSource,
  ImageApplication,
  MetaEntry,
  OutputForm,
  PackageOutput,
  PackageText,
  ShowOptions,
  TypeName,
} from "@firn/language";
import type { ReadAheadRequest } from "./files-ahead.ts";
import type { HostConfig } from "./node-host.ts";
import type { PlacedTree } from "./placed-trees.ts";
import type { Reads } from "./reads.ts";
import type { TreeName } from "./shown-trees.ts";

/** A value that the worker keeps; valid until released or the session ends. */
export type Handle = number;

/** Data that can be converted to a value: attribute sets, lists, strings, numbers, booleans, null, or a value by its handle. */
export type PlainData =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly handle: Handle }
  /** A path value. */
  | { readonly path: string }
  /** A fact about a tree that is read where it lies, by its stand-in. */
  | { readonly fact: TreeFact; readonly of: string }
  /** A string with context. */
  | { readonly string: string; readonly context: readonly ContextElement[] }
  | { readonly list: readonly PlainData[] }
  | { readonly attrs: Readonly<Record<string, PlainData>> };

/** An attribute of a tree that is known once it is in the store. */
export type TreeFact = "outPath" | "narHash" | "lastModified" | "lastModifiedDate";

/** Variables that the worker keeps for the expressions of a repl. */
export type VariablesId = number;

/** The result of a line of a repl. */
export type LineResult =
  | { readonly kind: "defined"; readonly names: readonly string[] }
  | { readonly kind: "value"; readonly value: Handle };

/** A value as the repl shows it; with `failure`, the part printed before the error. */
export interface Shown {
  readonly text: string;
  readonly failure: ErrorData | undefined;
}

/** Automatic arguments (`--arg`, `--argstr`) by name. */
export type AutoArgData = Readonly<Record<string, PlainData>>;

/** Facts about a derivation value. */
export interface DerivationFacts {
  readonly drvPath: string;
  readonly name: string;
  readonly system: string | undefined;
  /** Names of all outputs in their order, with their paths (undefined when only known after building). */
  readonly outputs: readonly { readonly name: string; readonly path: string | undefined }[];
  /** The output that the value itself denotes. */
  readonly outputName: string;
  readonly outputsToInstall: readonly string[];
  /** True when the value does not say which outputs to install, so that the old commands take all. */
  readonly installsAll: boolean;
  readonly mainProgram: string | undefined;
  /** `pname`, if the value has one. */
  readonly pname: string | undefined;
}

/** The type of a forced value, as `builtins.typeOf` names it, or "derivation". */
export type ValueKind = TypeName | "derivation";

/** A request to a session; `op` names the operation, and {@link Responses} has the type of its result. */
export type Request =
  | { readonly op: "parse"; readonly source: ExpressionSource }
  | { readonly op: "evaluate"; readonly source: ExpressionSource; readonly literalSet?: boolean }
  | { readonly op: "computedAttributes"; readonly path: string; readonly sections: readonly string[] }
  | { readonly op: "data"; readonly data: PlainData }
  | { readonly op: "autoCall"; readonly value: Handle; readonly autoArgs: AutoArgData }
  | { readonly op: "select"; readonly value: Handle; readonly path: string; readonly autoArgs: AutoArgData }
  /** Returns one attribute by name, without interpreting dots; null when absent. */
  | { readonly op: "attribute"; readonly value: Handle; readonly name: string }
  | { readonly op: "attrNames"; readonly value: Handle }
  | { readonly op: "length"; readonly value: Handle }
  | { readonly op: "element"; readonly value: Handle; readonly index: number }
  | { readonly op: "call"; readonly callee: Handle; readonly args: readonly PlainData[] }
  | { readonly op: "kind"; readonly value: Handle }
  | { readonly op: "formals"; readonly value: Handle }
  | { readonly op: "argumentName"; readonly value: Handle }
  | { readonly op: "attributePosition"; readonly value: Handle; readonly name: string }
  | { readonly op: "derivation"; readonly value: Handle }
  /** Finds the packages in a value. */
  | {
      readonly op: "packages";
      readonly value: Handle;
      readonly prefix: string;
      readonly autoArgs: AutoArgData;
      readonly skipFailed: boolean;
    }
  /** Returns a fact of a package; null when it has no derivation. */
  | { readonly op: "packageText"; readonly value: Handle; readonly fact: PackageText }
  /** Returns the outputs of a package with their paths, and with `installed` the names of those to install. */
  | { readonly op: "packageOutputs"; readonly value: Handle; readonly paths: boolean; readonly installed: boolean }
  /** Returns the attributes of a package's `meta`, or only the one that is named. */
  | { readonly op: "packageMeta"; readonly value: Handle; readonly only?: string }
  | { readonly op: "string"; readonly value: Handle }
  | { readonly op: "deepForce"; readonly value: Handle }
  | { readonly op: "print"; readonly value: Handle; readonly form: OutputForm }
  | { readonly op: "findFile"; readonly name: string }
  | { readonly op: "forgetFiles" }
  /** Returns an internal builtin, which expressions cannot name. */
  | { readonly op: "internalBuiltin"; readonly name: string }
  /** Returns the application that an image is worth its time for; null when there is none. */
  | { readonly op: "findApplication" }
  /** Makes the value of an application and writes an image of it to a file; returns the image's identity. */
  | { readonly op: "makeImage"; readonly application: ImageApplication; readonly file: string }
  /** Writes lowered code to the cache. */
  | { readonly op: "keepCode" }
  /** Returns the heap as text; null while something is being evaluated. */
  | { readonly op: "dumpHeap"; readonly objects: boolean }
  /** The folded stacks of the calls so far. */
  | { readonly op: "profile" }
  /** Allows a pure evaluation to read at and below a path; `name` is that of the tree, `tree` tells where the files lie that are there. */
  | { readonly op: "allowPath"; readonly path: string; readonly name?: TreeName; readonly tree?: PlacedTree }
  /** Makes variables; relative paths in their expressions start from a directory. */
  | { readonly op: "newVariables"; readonly directory: string }
  | { readonly op: "resetVariables"; readonly variables: VariablesId }
  | { readonly op: "dropVariables"; readonly variables: VariablesId }
  /** Adds the attributes of a set. */
  | { readonly op: "addVariables"; readonly variables: VariablesId; readonly value: Handle }
  /** Enters definitions or an expression; `patient` waits for more text also within a definition. */
  | {
      readonly op: "enterLine";
      readonly variables: VariablesId;
      readonly text: string;
      readonly patient: boolean;
    }
  | { readonly op: "evaluateWith"; readonly variables: VariablesId; readonly text: string }
  /**
   * Returns the attribute names of an expression's value, for completion, without stopping in the debugger. Empty when it is
   * no attribute set.
   */
  | { readonly op: "namesOf"; readonly variables: VariablesId; readonly text: string }
  /** Returns variables and global names. */
  | { readonly op: "variableNames"; readonly variables: VariablesId }
  /** Returns the text of `:t` for a value. */
  | { readonly op: "describe"; readonly value: Handle }
  /** Returns attribute names in the order in which they became known. */
  | { readonly op: "namesAsLoaded"; readonly value: Handle }
  | ({ readonly op: "show"; readonly value: Handle } & ShowOptions)
  /** Returns documentation; null when there is none. */
  | { readonly op: "document"; readonly variables: VariablesId; readonly text: string }
  /** Returns the path that a path or an absolute string denotes. */
  | { readonly op: "pathOf"; readonly value: Handle }
  /** Returns the place of a function's definition: null for other values, a text when it is not in a file. */
  | { readonly op: "functionPlace"; readonly value: Handle }
  /** Returns the steps that led to the debugger's stop, innermost first. */
  | { readonly op: "debugTrace" }
  /** Returns the environments around a step. */
  | { readonly op: "debugLevels"; readonly index: number }
  /** Replaces variables by those in scope at a step. */
  | { readonly op: "debugVariables"; readonly variables: VariablesId; readonly index: number }
  /** Sets whether errors keep a frame for every call. */
  | { readonly op: "setShowTrace"; readonly on: boolean }
  | { readonly op: "release"; readonly values: readonly Handle[] };

/** The result type of each request. */
export interface Responses {
  readonly parse: string;
  readonly computedAttributes: readonly (readonly string[])[];
  readonly evaluate: Handle;
  readonly data: Handle;
  readonly autoCall: Handle;
  readonly select: Handle;
  readonly attribute: Handle | null;
  /** Attribute names; null when the value is no attribute set. */
  readonly attrNames: readonly string[] | null;
  readonly length: number | null;
  readonly element: Handle;
  readonly call: Handle;
  readonly kind: ValueKind;
  /** Formals, from name to true for those with a default; null when the value takes no set pattern. */
  readonly formals: Readonly<Record<string, boolean>> | null;
  readonly argumentName: string | null;
  readonly attributePosition: SourcePosition | null;
  readonly derivation: DerivationFacts | null;
  readonly packages: readonly { readonly value: Handle; readonly attrPath: string; readonly name: string }[];
  readonly packageText: string | null;
  readonly packageOutputs: {
    readonly outputs: readonly PackageOutput[];
    readonly installed: readonly string[] | undefined;
  };
  readonly packageMeta: readonly MetaEntry[];
  readonly string: { readonly text: string; readonly context: readonly ContextElement[] };
  readonly deepForce: null;
  readonly print: string;
  readonly findFile: string;
  readonly forgetFiles: null;
  readonly internalBuiltin: Handle;
  readonly findApplication: ImageApplication | null;
  readonly makeImage: string;
  readonly keepCode: null;
  readonly dumpHeap: string | null;
  readonly profile: string;
  readonly allowPath: null;
  readonly newVariables: VariablesId;
  readonly resetVariables: null;
  readonly dropVariables: null;
  readonly addVariables: AddedVariables;
  readonly enterLine: LineResult;
  readonly evaluateWith: Handle;
  readonly namesOf: readonly string[];
  readonly variableNames: readonly string[];
  readonly describe: string;
  readonly namesAsLoaded: readonly string[];
  readonly show: Shown;
  readonly document: Documentation | null;
  readonly pathOf: string;
  readonly functionPlace: { readonly path: string; readonly line: number } | string | null;
  readonly debugTrace: readonly DebugTraceStep[];
  readonly debugLevels: readonly DebugLevel[];
  readonly debugVariables: null;
  readonly setShowTrace: null;
  readonly release: null;
}

/** An error as plain data; `toError` of client.ts makes a FirnError of it. */
export interface ErrorData extends Pick<ErrorDetails, "hint" | "suggestions" | "exitStatus"> {
  readonly code: ErrorCode;
  readonly message: string;
  readonly position?: SourcePosition;
  readonly trace: readonly TraceFrame[];
}

/** The reason for which the debugger has stopped. */
export type DebuggerStop =
  | { readonly kind: "error"; readonly error: ErrorData; readonly inTry: boolean }
  | { readonly kind: "breakpoint" | "step" | "trace" };

/** Host calls that the worker forwards while it waits. */
export interface ServiceCall {
  readonly id: number;
  readonly method:
    | "addPath"
    | "addText"
    | "writeDerivations"
    | "readDerivation"
    | "realise"
    | "ensurePath"
    | "queryPath"
    | "fetch"
    | "resolveSearchPathUrl"
    | "getFlake"
    | "obtainTree"
    /** The debugger has stopped; the answer is the way to continue. */
    | "stop";
  readonly args: readonly unknown[];
}

/** A message of the worker. */
export type FromWorker =
  /** `reads` is what was read since the last answer, when it is recorded. */
  | { readonly kind: "response"; readonly id: number; readonly value: unknown; readonly reads?: Reads }
  | { readonly kind: "failure"; readonly id: number; readonly error: ErrorData }
  | { readonly kind: "report"; readonly message: EvalMessage }
  | { readonly kind: "service"; readonly call: ServiceCall }
  /** Files to hash in advance; the worker continues meanwhile. */
  | { readonly kind: "readAhead"; readonly request: ReadAheadRequest }
  /** The worker was interrupted and no longer waits for the answer to a service call. */
  | { readonly kind: "abandoned"; readonly id: number };

/** A message to the worker: a request with the number by which it is answered. */
export type ToWorker = { readonly id: number; readonly request: Request };

/**
 * Message of the main thread on the reply port, put there before it wakes the worker: the answer, or a request of its own
 * that must be answered first (`getFlake` reads flake.nix files while the evaluation that called it waits).
 */
export type ServiceReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorData }
  | { readonly nested: ToWorker };

/** The first message to a worker. */
export interface WorkerSetup {
  readonly config: HostConfig;
  /** False when the worker computes paths itself (no store). */
  readonly services: boolean;
  readonly flakes: boolean;
  /** True to record what is read. */
  readonly records?: boolean;
  /** Set where images are made or used. */
  readonly images?: ImageUse;
}

/** The use of images in an evaluation. */
export interface ImageUse {
  /** The image that the evaluation begins with. */
  readonly load?: { readonly file: string; readonly identity: string };
  /** True in an evaluation that only makes an image. */
  readonly makes?: boolean;
  /** Numbers of imports and of attributes from which an application counts as one of packages. */
  readonly from?: { readonly imports: number; readonly attributes: number };
}

/** The data that a worker is started with. */
export interface WorkerInput {
  /** Two cells: the first is 0 while waiting and 1 when replied; the second is 1 when the current evaluation is to stop. */
  readonly signal: SharedArrayBuffer;
  readonly replies: MessagePort;
  /** Directory of the compile cache of this process; undefined when it has none. */
  readonly compileCache: string | undefined;
  /** True to check each access to the heap. */
  readonly checkedHeap: boolean;
}
