/** Flakes for programs: references, lock files, and locking over a fetcher of the caller's. Everything here also runs without Node.js. */
export {
  type Input,
  type InputType,
  inputFromAttributes,
  inputFromUrl,
  isLockedInput,
  type Registry,
  type RegistryKind,
  resolveInput,
  showInput,
} from "@firn/fetch/inputs";
export type { FlakeInput } from "../lock/flake-description.ts";
export {
  allInputs,
  describeChanges,
  type Edge,
  findInput,
  type GraphNode,
  graphToLockFile,
  type InputPath,
  isLockedNode,
  type LockedNode,
  parseInputPath,
  readLockGraph,
  showInputPath,
} from "../lock/graph.ts";
export {
  type FlakeRef,
  flakeRefFromAttributes,
  flakeRefToAttributes,
  parseReference as parseFlakeRef,
  type ReferenceContext,
  resolveReference as resolveFlakeRef,
  sameFlakeRef,
  showFlakeRef,
  splitFragment,
} from "../refs/reference.ts";
export type { FlakeFile, Literal } from "../source/flake-file.ts";
export {
  type FetchedSource,
  type FlakeFetcher,
  type LockedFlake,
  type LockFlakeOptions,
  lockFlake,
} from "./lock-flake.ts";
export { type FlakeTextPlace, readFlakeText } from "./read-flake-text.ts";
