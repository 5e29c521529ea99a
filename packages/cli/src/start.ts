/** Starts the published program: compiled code is kept between runs, then the program proper is loaded. */
import { calledProgram, processArguments, processEnvironment } from "@firn/store/surroundings";
import { keepCompiledCode } from "./compile-cache.ts";
import { startEvaluatorFor } from "./start-evaluator.ts";

keepCompiledCode(processEnvironment());
const { name: program } = calledProgram();
const words = processArguments();
const [{ runCommandLine }, { processIo }] = await Promise.all([
  import("./main.ts"),
  import("./io.ts"),
  startEvaluatorFor(program, words),
]);
process.exitCode = await runCommandLine([program, ...words], processIo());
