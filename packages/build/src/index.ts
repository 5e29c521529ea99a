/** Building: from derivations to valid store paths. */
import type { DerivedPath } from "@firn/formats";
import type { Settings, Store } from "@firn/store";
import type { BuildStore } from "./build-store.ts";
import { type Missing, planMissing } from "./goals/query-missing.ts";
import { Substitution } from "./goals/substitution.ts";

export { BuildFailure, type BuildOutcome, type BuildRequest, buildDerivation } from "./build-derivation.ts";
export type { BuildStore } from "./build-store.ts";
export { type FarmPackage, type FarmTarget, FileCollision, linkPackages } from "./builtin/link-farm.ts";
export {
  type BuilderEnvironment,
  type EnvironmentContext,
  prepareEnvironment,
  shellQuote,
  structuredShell,
} from "./environment.ts";
export type { BuildExecutor, BuildJob } from "./goals/executor.ts";
export type { Missing } from "./goals/query-missing.ts";
export { type BuildPathsOptions, type BuildResult, buildPaths, buildPathsWithResults } from "./goals/scheduler.ts";
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

/** Returns the plan of building `targets`: what would be fetched and built, with sizes; nothing is changed. */
export function queryMissing(
  targets: readonly DerivedPath[],
  context: { store: BuildStore; settings: Settings; substituters?: () => Promise<readonly Store[]> },
): Promise<Missing> {
  const substitution = new Substitution({
    store: context.store,
    substituters: context.substituters ?? (async () => []),
    maxJobs: context.settings.get("max-substitution-jobs"),
    events: () => {},
  });
  return planMissing(targets, { ...context, substitution });
}
