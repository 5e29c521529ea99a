/** What builtin builders share. */
import { type Derivation, FirnError } from "@firn/formats";
import type { EventSink, PathFacts, Settings, StoreFiles } from "@firn/store";

/** What a builtin builder works with. Paths are on this machine. */
export interface BuiltinContext {
  readonly store: PathFacts & StoreFiles;
  readonly settings: Settings;
  readonly drvPath: string;
  readonly derivation: Derivation;
  /** The closure of the derivation's inputs: all that the builder may read of the machine. */
  readonly inputPaths: ReadonlySet<string>;
  /** A private directory that is deleted afterwards. */
  readonly directory: string;
  readonly events: EventSink;
  readonly offline: boolean;
  /** Where an output must be made. */
  output(name: string): string;
  /** Adds a line to the build log. */
  log(line: string): void;
}

/** Makes the outputs or throws. */
export type Builtin = (context: BuiltinContext) => Promise<void>;

/** A required attribute of the derivation. */
export function attribute(context: BuiltinContext, name: string): string {
  const value = context.derivation.env.get(name);
  if (value === undefined) throw new FirnError("bad-derivation", `attribute '${name}' missing`);
  return value;
}
