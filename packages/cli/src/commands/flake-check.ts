import { type CheckEvent, checkOutputs } from "@firn/flake";
import { FirnError, printDerivedPath } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags } from "../grammar/flags.ts";
import { renderError } from "../render/error.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake check`: checks the outputs of a flake and builds its checks. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    { name: "no-build", description: "Do not build checks." },
    { name: "all-systems", description: "Check the outputs for all systems." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: invocation.flags.has("no-build") },
      body: async (session) => {
        const { flags } = invocation;
        const { settings, progress } = session;
        const evaluation = await session.evaluation();
        tell(session, "evaluating flake...");
        const { value } = await evaluation.flake(flakeArgument(invocation, io));
        const exists = await evaluation.evaluator.evaluate({
          kind: "string",
          text: "builtins.pathExists",
          directory: io.cwd,
        });
        const checked = await checkOutputs((await value.attribute("outputs")) ?? value, {
          system: session.system,
          allSystems: flags.has("all-systems"),
          keepGoing: settings.get("keep-going"),
          pathExists: async (path) => (await exists.call({ path })).isTrue(),
          event: (event) => show(session, event),
        });
        let failed = checked.failed;
        if (!flags.has("no-build")) {
          for (const error of await builtChecks(session, checked.builds)) {
            failed = true;
            if (!settings.get("keep-going")) throw error;
            show(session, { kind: "failure", error });
          }
        }
        if (failed) throw new FirnError("build-failed", "some errors were encountered during the evaluation");
        const { omittedSystems } = checked;
        if (omittedSystems.length > 0) {
          progress.warn(
            `The check omitted these incompatible systems: ${omittedSystems.join(", ")}\nUse '--all-systems' to check all.`,
          );
        }
        tell(session, "all checks passed!");
        return 0;
      },
    }),
};

/** Builds what is missing of the checks; returns an error for each that fails. */
async function builtChecks(
  session: EvaluationSession,
  builds: readonly { readonly attrPath: string; readonly drvPath: string }[],
): Promise<FirnError[]> {
  if (builds.length === 0) return [];
  const { builder } = session;
  const paths = builds.map(({ drvPath }) => ({ kind: "built", drvPath, outputs: "*" }) as const);
  const missing = new Set((await builder.missing(paths)).willBuild);
  const wanted = paths.filter(({ drvPath }) => missing.has(drvPath));
  tell(session, `running ${wanted.length} flake checks...`);
  const failures: FirnError[] = [];
  for (const { path, error } of await builder.results(wanted)) {
    if (error === undefined) continue;
    const attrPath = builds.find(({ drvPath }) => path.kind === "built" && drvPath === path.drvPath)?.attrPath ?? "";
    const message = `failed to build attribute '${attrPath}', build of '${printDerivedPath(path)}' failed: ${error.message}`;
    failures.push(new FirnError(error.code, message, { cause: error }));
  }
  // A build that was ended because another one failed has not failed itself.
  const own = failures.filter(({ code }) => code !== "aborted");
  return own.length > 0 ? own : failures;
}

/** Tells a step of the check. */
function tell({ progress }: EvaluationSession, text: string): void {
  progress.event({ kind: "message", level: "info", text });
}

function show(session: EvaluationSession, event: CheckEvent): void {
  const { io, progress } = session;
  switch (event.kind) {
    case "checking":
      tell(session, `${event.text}...`);
      return;
    case "info":
      tell(session, event.text);
      return;
    case "warning":
      progress.warn(event.text);
      return;
    case "failure":
      progress.clear();
      io.err(`${renderError(event.error, { showTrace: false, colors: io.terminal })}\n`);
  }
}
