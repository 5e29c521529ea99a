/** Building: from derivations to valid store paths. */
export { BuildFailure, type BuildOutcome, type BuildRequest, buildDerivation } from "./build-derivation.ts";
export type { BuildStore } from "./build-store.ts";
export { makeStoreBuilder, type StoreBuilderOptions } from "./builder.ts";
export { logDescriptor, logMark } from "./builders/build-hook.ts";
export { type Machine, readMachines } from "./builders/machines.ts";
export { type HookOptions, serveBuildHook } from "./builders/serve-hook.ts";
export { type FarmPackage, type FarmTarget, FileCollision, linkPackages } from "./builtin/link-farm.ts";
export { clientConnection } from "./daemon/client-connection.ts";
export type { ClientRights } from "./daemon/client-settings.ts";
export { answerClients, type ListenOptions, listenForClients } from "./daemon/listen.ts";
export { type DaemonSessionOptions, serveDaemonClient } from "./daemon/serve-client.ts";
export { clientDone, isClientMessage } from "./daemon/workers.ts";
export {
  type BuilderEnvironment,
  type EnvironmentContext,
  prepareEnvironment,
  shellQuote,
  structuredShell,
} from "./environment.ts";
export { DerivationSource } from "./goals/derivation-source.ts";
export type { BuildExecutor, BuildJob } from "./goals/executor.ts";
export { queryMissing } from "./goals/query-missing.ts";
export { type BuildPathsOptions, buildPaths, buildPathsWithResults } from "./goals/scheduler.ts";
export { type BuildOptions, readBuildOptions } from "./options.ts";
export { hasProgram, requireSandbox, sandboxWorks } from "./sandbox/sandbox.ts";
export { seccompProgram } from "./sandbox/seccomp.ts";

export { environmentDerivation, environmentScript } from "./shell/environment-derivation.ts";
export {
  outputPaths,
  parseShellEnvironment,
  printShellEnvironment,
  type ShellEnvironment,
  type ShellTextOptions,
  type ShellVariable,
  shellText,
} from "./shell/shell-environment.ts";
export type { StoreBuilder } from "./store-builder.ts";
