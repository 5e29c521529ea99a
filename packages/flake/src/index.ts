/** Flakes, and where the language meets store, builders and fetchers. */

export { Evaluation, type EvaluationOptions, type Found, type Root } from "./evaluation.ts";
export { EvaluatorClient, type EvaluatorClientOptions } from "./evaluator/client.ts";
export { createFileHost, type FileHostOptions } from "./evaluator/file-host.ts";
export { hostConfig } from "./evaluator/host-config.ts";
export { createNodeHost, type HostConfig } from "./evaluator/node-host.ts";
export { createOfflineServices, hashTree } from "./evaluator/offline-services.ts";
export type {
  AutoArgData,
  DebuggerStop,
  DerivationFacts,
  Handle,
  PlainData,
  Request,
  Responses,
  ValueKind,
} from "./evaluator/protocol.ts";
export type { AddPathServiceRequest, HostServices, SyncServices } from "./evaluator/services.ts";
export * from "./installables/parse.ts";
export { allInputs, type GraphNode, isLockedNode, parseInputPath, showInputPath } from "./lock/graph.ts";
export { defaultLockOptions, type LockedFlake, type LockOptions, lockFlake } from "./lock/lock-flake.ts";
export * from "./refs/flake-ref.ts";
export { parseReplLine, type ReplCommand, replCommandWords } from "./repl/command.ts";
export { type Completions, completeLine } from "./repl/completion.ts";
export { Repl, type ReplEvent, type ReplOptions, type ShownValue } from "./repl/repl.ts";
export { type Builder, makeBuilder } from "./source/builder.ts";
export {
  archiveAccess,
  type DebianWorld,
  debianFlake,
  debianIndex,
  debianSetDirectory,
} from "./source/debian-flake.ts";
export { makeFetchContext, userRegistryPath } from "./source/fetch-world.ts";
export { fetchRef, loadFlake, resolveFlakeRef } from "./source/flake-source.ts";
export { makeHostServices } from "./source/host-services.ts";
