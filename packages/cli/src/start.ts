/** Starts the published program: compiled code is kept between runs, then the program proper is loaded. */
import { basename } from "node:path";
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
