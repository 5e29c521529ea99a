/** Renders the error of a command and decides on the exit status. */
import { FirnError } from "@firn/formats";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderError } from "./error.ts";

/** The surroundings of a failure. */
export interface FailureContext {
  readonly io: Io;
  /** The command's name for messages: the name by which the program was called, or the old command's. */
  readonly program: string;
  /** The user's name of the new command line. */
  readonly mainProgram: string;
  /** The parsed command line; undefined when parsing failed. */
  readonly invocation: Invocation | undefined;
  /** True for an old command (`nix-build`, …): failed builds exit with 100 … 104 to tell the reason, for new commands with 1. */
  readonly old: boolean;
}

/** Prints an error to standard error and returns the exit status. */
export async function renderFailure(thrown: unknown, context: FailureContext): Promise<number> {
  const error = thrown instanceof FirnError ? thrown : ((await import("@firn/store")).machineError(thrown) ?? thrown);
  const { io } = context;
  const label = io.terminal ? "\x1b[31;1merror:\x1b[0m" : "error:";
  if (error instanceof FirnError) {
    const showTrace = error.trace.length > 0 && (await showsTrace(context));
    const text = renderError(error, { showTrace, colors: io.terminal });
    io.err(`${text.replace("error:", label)}\n`);
    if (isUsage(error)) io.err(`Try '${context.program} --help' for more information.\n`);
    if (error.hint !== undefined) io.err(`       ${indent(calledAs(context.mainProgram, error.hint))}\n`);
    // New commands tell only what they fetched wrongly apart, not why builds failed.
    return context.old || error.code === "input-mismatch" ? error.exitStatus : 1;
  }
  // A mistake of our own: everything that helps to find it.
  io.err(`${label} internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

/** Tells whether the reference treats an error as wrong use of the command, wherever it arises. */
export function isUsage(error: FirnError): boolean {
  return ["unknown-hash-algorithm", "unknown-hash-format", "bad-conf", "bad-setting", "usage"].includes(error.code);
}

/** Tells whether the whole trace is wanted: by the command line, or by the setting in nix.conf. */
async function showsTrace({ invocation, io }: FailureContext): Promise<boolean> {
  const { commandSettings } = await import("../session/session.ts");
  try {
    return invocation !== undefined && commandSettings(invocation, io).get("show-trace");
  } catch (error) {
    // A configuration that cannot be read has been reported already, or is what is being reported.
    if (error instanceof FirnError) return false;
    throw error;
  }
}

/** Returns a hint with its commands under the user's name of the program. */
function calledAs(program: string, hint: string): string {
  return program === "firn" ? hint : hint.replaceAll("'firn ", `'${program} `);
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n       ");
}
