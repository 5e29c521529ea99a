#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
/** The entry of the published package: compiled code is kept between runs, then the program proper starts. */
import { basename } from "node:path";
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runCommandLine } = await import("./main.ts");
const { processIo } = await import("./io.ts");
process.exitCode = await runCommandLine([basename(process.argv[1] ?? "firn"), ...process.argv.slice(2)], processIo());
