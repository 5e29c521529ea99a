import { setFlagsFromString } from "node:v8";

/** Sets the engine's flags for an evaluation that takes seconds. */
export function tuneForLongEvaluation(): void {
  // Most of it is cold code: the last compiler is worth its time for what runs most only.
  setFlagsFromString("--invocation-count-for-turbofan=300000");
  setFlagsFromString("--invocation-count-for-osr=50000");
}
