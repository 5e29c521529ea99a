/** Starts the published program: compiled code is kept between runs, then the program proper is loaded. */
import { basename } from "node:path";
import { keepCompiledCode } from "./compile-cache.ts";
import { startEvaluatorFor } from "./start-evaluator.ts";

keepCompiledCode(process.env);
const program = basename(process.argv[1] ?? "firn");
const words = process.argv.slice(2);
const [{ runCommandLine }, { processIo }] = await Promise.all([
  import("./main.ts"),
  import("./io.ts"),
  startEvaluatorFor(program, words),
]);
process.exitCode = await runCommandLine([program, ...words], processIo());
