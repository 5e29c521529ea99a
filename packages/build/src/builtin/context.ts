/** Types and functions that builtin builders share. */
import { type Derivation, FirnError } from "@firn/formats";
import type { EventSink, PathFacts, Settings, StoreFiles } from "@firn/store";

/** The surroundings of a builtin builder. Paths are on this machine. */
export interface BuiltinContext {
  readonly store: PathFacts & StoreFiles;
  readonly settings: Settings;
  readonly drvPath: string;
  readonly derivation: Derivation;
  /** The attributes, in which placeholders of outputs are their paths. */
  readonly env: ReadonlyMap<string, string>;
  /** The closure of the derivation's inputs: the only paths of the machine that the builder may read. */
  readonly inputPaths: ReadonlySet<string>;
  /** A private directory that is deleted afterwards. */
  readonly directory: string;
  readonly events: EventSink;
  readonly offline: boolean;
  /** Returns the path at which an output must be made. */
  output(name: string): string;
  /** Adds a line to the build log. */
  log(line: string): void;
}

/** A builtin builder: makes the outputs or throws. */
export type Builtin = (context: BuiltinContext) => Promise<void>;

/** Returns a required attribute of the derivation; error `bad-derivation` when it is missing. */
export function attribute(context: BuiltinContext, name: string): string {
  const value = context.env.get(name);
  if (value === undefined) throw new FirnError("bad-derivation", `attribute '${name}' missing`);
  return value;
}
