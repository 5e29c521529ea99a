/** The contents of a flake.nix except for its outputs. */
import type { FlakeRef } from "../refs/reference.ts";

/** One input as written: a reference, or a `follows`; with overrides for its own inputs. */
export interface FlakeInput {
  readonly ref: FlakeRef | undefined;
  readonly isFlake: boolean;
  /** Path of input names, relative to the flake that declares it. */
  readonly follows: readonly string[] | undefined;
  readonly inputs: ReadonlyMap<string, FlakeInput>;
}

/** A value of `nixConfig`, as settings take it. */
export type FlakeSetting = string | bigint | boolean | readonly string[];

/** A path in `nixConfig`: its setting is the store path of a copy of that file alone, which other changes of the flake leave as it is. */
export interface PathSetting {
  readonly path: string;
}

/** A flake that is fetched and read, with its outputs not yet evaluated. */
export interface FlakeSource {
  readonly originalRef: FlakeRef;
  /** The reference after registries. */
  readonly resolvedRef: FlakeRef;
  readonly lockedRef: FlakeRef;
  /** The tree's store path. */
  readonly storePath: string;
  /** Directory in the tree. */
  readonly dir: string;
  readonly description: string | undefined;
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  /** Attributes of `inputs.self`: how the flake's own tree is fetched. */
  readonly selfAttributes: ReadonlyMap<string, string | bigint | boolean>;
  /** Settings of `nixConfig`, by name. */
  readonly nixConfig: ReadonlyMap<string, FlakeSetting | PathSetting>;
  /** Text of its flake.lock, or undefined when it has none. */
  readonly lockText: string | undefined;
}
