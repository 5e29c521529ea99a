/** The program of the setting post-build-hook, run after each build that succeeded; its failure fails the build. */

import { FirnError } from "@firn/formats";
import { type EventSink, LineSplitter, type Settings, startProgram } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import { endOf } from "./build-programs.ts";

/** The information that the hook gets. */
export interface HookContext {
  readonly settings: Settings;
  readonly drvPath: string;
  readonly events: EventSink;
}

/** Runs the hook with `DRV_PATH`, `OUT_PATHS` and `NIX_CONFIG` in its environment. Error `hook-failed`. */
export async function runPostBuildHook(context: HookContext, outputs: readonly string[]): Promise<void> {
  const { settings, drvPath, events } = context;
  const program = settings.get("post-build-hook");
  if (program === "") return;
  const config = settings
    .entries()
    .map(([name, value]) => `${name} = ${value}\n`)
    .join("");
  const child = startProgram(program, [], {
    env: { ...processEnvironment(), DRV_PATH: drvPath, OUT_PATHS: [...outputs].sort().join(" "), NIX_CONFIG: config },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const splitter = new LineSplitter((line) => events({ kind: "build-log", drvPath, line: line }));
  const read = (data: Buffer): void => splitter.write(data);
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  const status = await endOf(child);
  splitter.end();
  if (status !== "") throw new FirnError("hook-failed", `program '${program}' ${status}`);
}
