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
