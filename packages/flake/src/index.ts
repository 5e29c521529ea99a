/** Flakes, and the connection of the language with store, builders and fetchers. */

export { Evaluation, type EvaluationOptions, type Found, type Root } from "./evaluation.ts";
export type { EvaluatorClientOptions as EvaluatorOptions } from "./evaluator/client.ts";
export { type EnteredLine, Evaluator, Variables } from "./evaluator/evaluator.ts";
export { createFileHost, type FileHostOptions } from "./evaluator/file-host.ts";
export { hostConfig } from "./evaluator/host-config.ts";
export { createNodeHost, type HostConfig } from "./evaluator/node-host.ts";
export { createOfflineServices, hashTree } from "./evaluator/offline-services.ts";
export type { DebuggerStop, DerivationFacts, ValueKind } from "./evaluator/protocol.ts";
export type { AddPathServiceRequest, HostServices, SyncServices } from "./evaluator/services.ts";
export { type Argument, type AutoArguments, type ShownValue, ValueRef } from "./evaluator/value-ref.ts";
export { type AutoArgument, evaluateAutoArguments } from "./installables/auto-arguments.ts";
export { fileArgument } from "./installables/file-argument.ts";
export * from "./installables/parse.ts";
export { type InstallableOptions, Installables } from "./installables/resolver.ts";
export { derivedPath, type Target } from "./installables/target.ts";
export { flakeFingerprint } from "./lock/fingerprint.ts";
export type { FlakeSetting } from "./lock/flake-description.ts";
export {
  allInputs,
  findInput,
  type GraphNode,
  isLockedNode,
  type LockedNode,
  parseInputPath,
  showInputPath,
} from "./lock/graph.ts";
export {
  defaultLockOptions,
  fetchLockedTree,
  type LockedFlake,
  type LockOptions,
  lockedTreePath,
  lockFlake,
} from "./lock/lock-flake.ts";
export {
  type CheckEvent,
  type CheckedOutputs,
  type CheckOutputsOptions,
  checkOutputs,
} from "./outputs/check.ts";
export { type FoundJob, findJobs, type JobSearch, type JobSource } from "./outputs/jobs.ts";
export { type ShownNode, type ShownOutput, type ShowOutputsOptions, showOutputs } from "./outputs/show.ts";
export { copyTemplate, type TemplateCopy, type TemplateStep } from "./outputs/templates.ts";
export { type ExpressionContext, loadExpressions } from "./packages/default-expression.ts";
export { Package } from "./packages/package.ts";
export { comparePriorities, requireMatches, Selector, selectPackages } from "./packages/selectors.ts";
export { type FlakeRefContext, parseFlakeRef } from "./refs/flake-ref.ts";
export {
  type FlakeRef,
  flakeRefFromAttributes,
  flakeRefToAttributes,
  relativePathOf,
  sameFlakeRef,
  showFlakeRef,
  splitFragment,
} from "./refs/reference.ts";
export { parseReplLine, type ReplCommand, replCommandWords } from "./repl/command.ts";
export { type Completions, completeLine } from "./repl/completion.ts";
export { Repl, type ReplEvent, type ReplOptions } from "./repl/repl.ts";
export type { ImageWork } from "./results/kept-images.ts";
export { type KeptAmount, type KeptFigures, type KeptOnDisk, keptOnDisk } from "./results/kept-on-disk.ts";
export { readImageWork, stepBack } from "./results/make-image.ts";
export { makeImageOf, openImages, openResults, type ResultsOptions } from "./results/open-results.ts";
export { type Builder, makeBuilder } from "./source/builder.ts";
export {
  archiveAccess,
  type DebianContext,
  debianFlake,
  debianIndex,
  debianSetDirectory,
} from "./source/debian-flake.ts";
export { makeFetchContext, userRegistryPath } from "./source/fetch-context.ts";
export { fetchRef, loadFlake, resolveFlakeRef } from "./source/flake-source.ts";
export { makeHostServices, type ServiceContext } from "./source/host-services.ts";
