import { setFlagsFromString } from "node:v8";

/** Sets the engine's flags for an evaluation that takes seconds. */
export function tuneForLongEvaluation(): void {
  // Most of it is cold code: the last compiler is worth its time for what runs most only. Else it takes an eighth of all CPU, on
  // the thread that is to help the garbage collector.
  setFlagsFromString("--invocation-count-for-turbofan=300000");
  setFlagsFromString("--invocation-count-for-osr=50000");
  // What the interpreter's loop calls is to be part of it.
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=2000");
  // Nearly all objects stay: the young generation gets large in few steps, the old one is not marked before it is large.
  setFlagsFromString("--semi-space-growth-factor=4");
  setFlagsFromString("--heap-growing-percent=10000");
}
