/** Results of builds as the protocols tell them, and back. */
import { FirnError, type wire } from "@firn/formats";
import type { BuildResult } from "../store/building.ts";
import { withoutLabel } from "./daemon-connection.ts";

type WireResult = wire.WireValue<typeof wire.buildResult>;
type Status = WireResult["status"];

/** The statuses of builds that have done what was wanted. */
const good: ReadonlySet<Status> = new Set(["built", "substituted", "already-valid", "resolves-to-already-valid"]);

/** Exit statuses by the reason of a failure, as the reference's command line has them. */
const exitStatuses: { readonly [Name in Status]?: number } = {
  "timed-out": 101,
  "output-rejected": 102,
  "not-deterministic": 104,
  "no-substituters": 1,
  "misc-failure": 1,
};

/** Returns the outputs that a result tells, or the error. */
export function readBuildResult(result: WireResult): Omit<BuildResult, "path"> {
  const outputs = new Map(result.builtOutputs.map(({ id, outPath }) => [id.outputName, outPath]));
  if (good.has(result.status)) return { outputs };
  const code = result.status === "no-substituters" ? "cannot-substitute" : "build-failed";
  const exitStatus = exitStatuses[result.status] ?? 100;
  return { outputs, error: new FirnError(code, withoutLabel(result.errorMessage), { exitStatus }) };
}

/** Returns the status that tells the reason of a failure. */
function statusOf(error: FirnError): Status {
  if (error.code === "cannot-substitute") return "no-substituters";
  if (error.code === "not-built" || error.code === "no-output" || error.code === "invalid-path") return "misc-failure";
  switch (error.exitStatus) {
    case 101:
      return "timed-out";
    case 102:
      return "output-rejected";
    case 104:
      return "not-deterministic";
    case 100:
      return "permanent-failure";
    default:
      return "misc-failure";
  }
}

/** Makes a result for the protocols; `realisations` are those of the outputs. */
export function writeBuildResult(
  { error }: Pick<BuildResult, "error">,
  realisations: readonly wire.Realisation[],
): WireResult {
  return {
    status: error === undefined ? "built" : statusOf(error),
    errorMessage: error?.message ?? "",
    timesBuilt: error === undefined ? 1 : 0,
    nonDeterministic: error?.exitStatus === 104,
    startTime: 0,
    stopTime: 0,
    cpuUser: undefined,
    cpuSystem: undefined,
    builtOutputs: error === undefined ? realisations : [],
  };
}
