/** Flakes, and where the language meets store, builders and fetchers. */
export { EvaluatorClient, type EvaluatorClientOptions } from "./evaluator/client.ts";
export { createNodeHost, type HostConfig } from "./evaluator/node-host.ts";
export { createOfflineServices, hashTree } from "./evaluator/offline-services.ts";
export type {
  AutoArgData,
  DerivationFacts,
  Handle,
  PlainData,
  Request,
  Responses,
  ValueKind,
} from "./evaluator/protocol.ts";
export type { AddPathServiceRequest, HostServices, SyncServices } from "./evaluator/services.ts";
export { type Builder, makeBuilder } from "./source/builder.ts";
export { type DebianWorld, archiveAccess, debianFlake, debianIndex, debianSetDirectory } from "./source/debian-flake.ts";
export { fetchRef, loadFlake } from "./source/flake-source.ts";
export { userRegistryPath } from "./source/fetch-world.ts";
export { Evaluation, type EvaluationOptions, type Found, type Root } from "./evaluation.ts";
export { hostConfig } from "./evaluator/host-config.ts";
export * from "./installables/parse.ts";
export { allInputs, type GraphNode, isLockedNode, parseInputPath, showInputPath } from "./lock/graph.ts";
export { defaultLockOptions, type LockedFlake, lockFlake, type LockOptions } from "./lock/lock-flake.ts";
export * from "./refs/flake-ref.ts";
