/**
 * Applications of the functions that files evaluate to. An evaluation finds the one that took long, such as `import nixpkgs { … }`; an image
 * holds the value of one, which the first application of that function to equal arguments takes.
 */
import { FirnError } from "@firn/formats";
import { lambdaClosure, lambdaNode } from "../heap/function.ts";
import { isLambda, isSet, none, type Slot, type Value } from "../heap/memory.ts";
import { attribute, namesOf } from "../heap/set.ts";
import { shapeSize } from "../heap/shape.ts";
import { intern } from "../heap/symbol.ts";
import { addTable } from "../heap/tables.ts";
import { peekSlot } from "../heap/thunk.ts";
import type { EvalHost } from "../host.ts";
import { EvaluationError } from "../value/evaluation-error.ts";
import { type ApplicationHooks, callDepth, type Env, evaluation, restoreCallDepth } from "./interpret.ts";
import { allocateCode, ints } from "./memory.ts";
import { op } from "./opcodes.ts";
import { PerEvaluation } from "./per-evaluation.ts";

/** A function of an image with the arguments for which it has a value. */
export interface KnownApplication {
  /** The file that evaluates to the function; empty where it is an attribute of something. */
  readonly file: string;
  /** The call as part of arguments; empty for the application itself. */
  readonly call: string;
  readonly node: number;
  readonly env: Env;
  /** The arguments, as text. */
  readonly argument: string;
  /** The number of attributes that the arguments have. */
  readonly size: number;
  readonly result: Slot;
  /** True once it was taken: a second application of the same gives another value. */
  taken: boolean;
}

/** An application that the evaluation has made. */
export interface NotedApplication {
  readonly file: string;
  readonly argument: Value;
  readonly result: Value;
  /** The number of files that were imported meanwhile. */
  readonly imports: number;
  /** True for a flake, the files of which are imported when its outputs are looked at. */
  readonly isFlake: boolean;
}

const inputsSymbol = intern("inputs");

/** The name by which the function that makes flakes of trees is imported; no path begins so. */
export const flakeOfTreeFile = "\xc2\xabinternal\xc2\xbb/flake-of-tree.nix";

/** The bit of a set pattern's flags that says that its applications are heard of. */
const hookedFlag = 4;

/** Number of polls for interrupts after which arguments are given up: some hundred thousand calls. */
const mostPolls = 100;
/** Returns a host that reads and adds to the store what is evaluated, and nothing else: what is looked at in passing must leave no trace. */
function readingHost(host: EvalHost): EvalHost {
  const refuse = (): never => {
    throw new FirnError("interrupted", "this is more than looking at arguments");
  };
  let polls = 0;
  return {
    ...host,
    report: refuse,
    fetch: refuse,
    runProgram: refuse,
    realiseContext: refuse,
    ensurePath: refuse,
    readDerivation: refuse,
    currentTime: refuse,
    resolveSearchPathEntry: refuse,
    interrupted: () => ++polls > mostPolls || host.interrupted?.() === true,
  };
}

/** The applications of one evaluation. */
export class Applications implements ApplicationHooks {
  /** The functions that files evaluate to, by their nodes. */
  private readonly functions = new Map<number, { readonly file: string; readonly env: Env }>();
  readonly noted: NotedApplication[] = [];
  /** Those of the image; the first one is what the image is for, the others are of its arguments. */
  readonly known: KnownApplication[] = [];
  /** Set when something happened that may be seen to be another way than without the image. */
  isVisible = false;
  /** Set when a place of the arguments was asked for, which an image does not have. */
  askedForPlace = false;
  isWatching = false;
  /** Compares arguments with those of an image; set where images are used. */
  describe: ((argument: Slot) => string | undefined) | undefined;
  /** Returns the number of files that were imported. */
  imports: () => number = () => 0;
  /**
   * Numbers from which an application is noted: of the files that it imports, and of the attributes that its value has. A set of packages has many, and
   * what is edited has few.
   */
  from = { imports: 50, attributes: 256 };

  /** Takes an application of an image. */
  load(application: Omit<KnownApplication, "taken" | "size">): void {
    const { file, node, env, argument } = application;
    this.isWatching = true;
    const data = JSON.parse(argument) as { readonly attrs?: readonly unknown[] } | null;
    this.known.push({ ...application, size: data?.attrs?.length ?? 0, taken: false });
    if (file !== "") this.functions.set(node, { file, env });
  }

  /** Hears that a file was imported. */
  imported(file: string, value: Value): void {
    if (!isLambda(value) || this.from.imports === Number.POSITIVE_INFINITY) return;
    const node = lambdaNode(value);
    if (this.functions.has(node)) return;
    if (hook(node)) this.functions.set(node, { file, env: lambdaClosure(value) });
  }

  apply(node: number, env: Env, argument: Slot, run: () => Value): Value {
    const taken = this.take(node, env, argument);
    if (taken !== undefined) return taken;
    const found = this.functions.get(node);
    if (found === undefined || found.env !== env) return run();
    const before = this.imports();
    const result = run();
    const imports = this.imports() - before;
    const value = peekSlot(argument);
    // What the image has imported is not counted.
    if (!isSet(value) || !isSet(result)) return result;
    const isFlake = found.file === flakeOfTreeFile;
    const isLong = imports >= this.from.imports || this.known.some((application) => application.node === node);
    // A flake with inputs depends on more than data.
    const isNoted = isFlake
      ? attribute(value, inputsSymbol) === none
      : isLong && shapeSize(namesOf(result)) >= this.from.attributes;
    if (isNoted) this.noted.push({ file: found.file, argument: value, result, imports, isFlake });
    return result;
  }

  tryOut(work: () => void): boolean {
    const state = evaluation();
    const { host } = state;
    const depth = callDepth();
    state.host = readingHost(host);
    try {
      work();
      return true;
    } catch (error) {
      restoreCallDepth(depth);
      // A value that has failed meanwhile stays so, for another reason than it would have had.
      if (!(error instanceof EvaluationError) || error.origin === undefined) this.isVisible = true;
      return false;
    } finally {
      state.host = host;
    }
  }

  /** Returns what the image has for an application. */
  private take(node: number, env: Env, argument: Slot): Value | undefined {
    for (const application of this.known) {
      if (application.taken || application.node !== node || application.env !== env) continue;
      const value = peekSlot(argument);
      if (isSet(value) && shapeSize(namesOf(value)) !== application.size) continue;
      if (this.describe?.(argument) !== application.argument) continue;
      application.taken = true;
      return peekSlot(application.result);
    }
    return undefined;
  }
}

/** Lets the applications of a function be heard of; returns false for one of several arguments. */
export function hook(node: number): boolean {
  if (ints[node] === op.PATTERN) {
    ints[node + 6] = ints[node + 6]! | hookedFlag;
    return true;
  }
  if (ints[node + 2] !== 1) return false;
  const body = ints[node + 1]!;
  if (ints[body] === op.HOOKED) return true;
  const hooked = allocateCode(3);
  ints[hooked] = op.HOOKED;
  ints[hooked + 1] = body;
  ints[hooked + 2] = node;
  ints[node + 1] = hooked;
  return true;
}

const states = new PerEvaluation<Applications>(
  () => new Applications(),
  ({ noted, known }, marker) => {
    for (const { argument, result } of noted) {
      marker.slot(argument);
      marker.slot(result);
    }
    for (const { result } of known) marker.slot(result);
  },
);

/** Returns the applications of the running evaluation. */
export function applications(): Applications {
  return states.get();
}

addTable({
  save(to) {
    const { known } = applications();
    to.cells(
      "applications",
      known.flatMap(({ node, env, result }) => [node, env, result]),
    );
    to.texts(
      "texts of applications",
      known.flatMap(({ file, call, argument }) => [file, call, argument]),
    );
  },
  load(from) {
    const cells = from.cells("applications");
    const texts = from.texts("texts of applications");
    for (let i = 0; i < cells.length; i += 3) {
      const [node = 0, env = 0, result = 0] = cells.subarray(i);
      const [file = "", call = "", argument = ""] = texts.slice(i, i + 3);
      applications().load({ file, call, node, env, argument, result: result as Slot });
    }
  },
});
