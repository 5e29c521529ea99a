/** The programs of settings that take part in builds: `pre-build-hook`, and `diff-hook` (manual: "nix.conf"). */
import { FirnError } from "@firn/formats";
import { type EventSink, type RunningProgram, type Settings, startProgram } from "@firn/store";

/** Limit of what a program may print, in bytes. */
const maxOutput = 16 * 1024 * 1024;

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Resolves at the end of a program: to the empty text when it succeeds, else to how it failed, to be put after its name. */
export function endOf(program: RunningProgram): Promise<string> {
  return new Promise((resolve) => {
    program.once("error", (error) => resolve(`cannot be run: ${error.message}`));
    program.once("close", (code, signal) => resolve(code === 0 ? "" : `failed with ${signal ?? `exit code ${code}`}`));
  });
}

/** Runs a program and returns what it prints on both streams, or on its standard output alone. Error `hook-failed`. */
async function output(
  program: string,
  args: readonly string[],
  { errors, ids }: { readonly errors: "shown" | "taken"; readonly ids?: Ids },
): Promise<string> {
  const child = startProgram(program, args, {
    cwd: "/",
    stdio: ["ignore", "pipe", errors === "taken" ? "pipe" : "inherit"],
    ...(ids ?? {}),
  });
  const parts: Buffer[] = [];
  let size = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data: Buffer) => {
      size += data.length;
      if (size > maxOutput) child.kill("SIGKILL");
      else parts.push(data);
    });
  }
  const status = await endOf(child);
  if (status !== "") throw new FirnError("hook-failed", `program '${program}' ${status}`);
  return Buffer.concat(parts).toString("latin1");
}

/** Asks the pre-build hook for paths to show to a builder, as entries of the setting sandbox-paths. Error `hook-failed`. */
export async function pathsOfPreBuildHook(settings: Settings, drvPath: string): Promise<string[]> {
  const program = settings.get("pre-build-hook");
  if (program === "") return [];
  const paths: string[] = [];
  let inPaths = false;
  const lines = (await output(program, [drvPath], { errors: "shown" })).split("\n").slice(0, -1);
  for (const line of lines) {
    if (inPaths && line !== "") paths.push(line);
    else if (inPaths) inPaths = false;
    else if (line === "extra-sandbox-paths" || line === "extra-chroot-dirs") inPaths = true;
    else throw new FirnError("hook-failed", `unknown pre-build hook command '${line}'`);
  }
  return paths;
}

/** Returns the program that shows differences of builds; undefined when none is to be run. */
export function diffHookOf(settings: Settings): string | undefined {
  const program = settings.get("diff-hook");
  return settings.get("run-diff-hook") && program !== "" ? program : undefined;
}

/** Shows the difference of two builds by the diff hook, run with the builder's ids; its failure is told and changes nothing. */
export async function showDifference(
  program: string,
  {
    paths,
    drvPath,
    directory,
    ids,
    events,
  }: {
    readonly paths: readonly [string, string];
    readonly drvPath: string;
    readonly directory: string;
    readonly ids: Ids | undefined;
    readonly events: EventSink;
  },
): Promise<void> {
  const say = (text: string): void => events({ kind: "message", level: "error", text });
  try {
    const how = ids === undefined ? {} : { ids };
    const text = await output(program, [...paths, drvPath, directory], { errors: "taken", ...how });
    if (text !== "") say(text.replace(/\n+$/, ""));
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    say(`error: diff hook execution failed: ${error.message}`);
  }
}
