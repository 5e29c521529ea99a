#!/usr/bin/env -S node --v8-pool-size=0 --disable-warning=ExperimentalWarning
import { basename } from "node:path";
/** The entry of the published package: compiled code is kept between runs, then the program proper starts. */
import { processArguments, processEnvironment } from "@firn/store/surroundings";
import { keepCompiledCode } from "./compile-cache.ts";
import { startEvaluatorFor } from "./start-evaluator.ts";

keepCompiledCode(processEnvironment());
const program = basename(process.argv[1] ?? "firn");
const words = processArguments();
const [{ runCommandLine }, { processIo }] = await Promise.all([
  import("./main.ts"),
  import("./io.ts"),
  startEvaluatorFor(program, words),
]);
process.exitCode = await runCommandLine([program, ...words], processIo());
