/** Building a system for the `firn os` commands. */
import { resolve } from "node:path";
import type { Found, Target } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { OsConfiguration } from "@firn/system";
import type { Io } from "../io.ts";
import { printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { type BuiltTarget, buildTargets, makeOutLinks } from "../targets/build-targets.ts";
import { findInConfiguration } from "./configuration.ts";
import { buildOnHost } from "./other-hosts.ts";
import { withOwnTraces } from "./traces.ts";

/** The attribute that is built of a configuration: the system itself. */
export const toplevelAttribute = "config.system.build.toplevel";

/** A built (or, on a dry run, planned) system. */
export interface BuiltConfiguration {
  readonly path: string;
  readonly drvPath: string;
  readonly built: readonly BuiltTarget[];
  readonly found: Found;
}

/** Evaluates and builds the system of a configuration; with `dryRun` only the plan is shown. */
export function buildConfiguration(
  session: EvaluationSession,
  configuration: OsConfiguration,
  options: { readonly dryRun?: boolean } = {},
): Promise<BuiltConfiguration> {
  return buildFound(session, () => findInConfiguration(session, configuration, toplevelAttribute), options);
}

/** Builds what `find` evaluates to, a derivation of a configuration; with `dryRun` only the plan is shown. */
export async function buildFound(
  session: EvaluationSession,
  find: () => Promise<Found>,
  options: { readonly dryRun?: boolean } = {},
): Promise<BuiltConfiguration> {
  session.progress.event({ kind: "message", level: "notice", text: "building the system configuration..." });
  const { found, facts } = await withOwnTraces(session, async () => {
    const value = await find();
    const evaluation = await session.evaluation();
    return { found: value, facts: await evaluation.derivation(value) };
  });
  const target: Target = { kind: "outputs", drvPath: facts.drvPath, outputs: facts.outputsToInstall, facts, found };
  if (options.dryRun !== true) await buildOnHost(session, target);
  const built = await buildTargets(session, [target], { dryRun: options.dryRun ?? false });
  session.progress.clear();
  const path = [...(built[0]?.outputs.values() ?? [])][0];
  if (path === undefined) throw new FirnError("no-output", `derivation '${facts.drvPath}' has no output path yet`);
  return { path, drvPath: facts.drvPath, built, found };
}

/** Makes the link `result` to the built targets, unless `--no-link` was given. */
export async function linkResult(session: EvaluationSession, built: readonly BuiltTarget[]): Promise<void> {
  const { flags } = session.invocation;
  if (flags.has("no-link")) return;
  await makeOutLinks(session, resolve(session.io.cwd, flags.value("out-link") ?? "result"), built);
}

/** Reports the result: the text on standard error, the path alone on standard output. */
export function reportResult(io: Io, text: string, path: string): void {
  io.err(`${text} `);
  printLine(io, path);
}
