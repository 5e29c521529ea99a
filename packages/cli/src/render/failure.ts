/** Renders whatever a command threw and decides on the exit status. */
import { didYouMean, FirnError } from "@firn/formats";
import { UsageError } from "../grammar/parse.ts";
import type { Io } from "../io.ts";
import { renderError } from "./error.ts";

/** Where the failure happened. */
export interface FailureContext {
  readonly io: Io;
  /** The name the program was called by. */
  readonly program: string;
  readonly words: readonly string[];
  /** An old command (`nix-build`, …): builds that fail tell why by 100 … 104, where the new commands say 1. */
  readonly legacy: boolean;
}

/** Prints an error to standard error and returns the exit status. */
export async function renderFailure(thrown: unknown, context: FailureContext): Promise<number> {
  const error = thrown instanceof FirnError ? thrown : ((await import("@firn/store")).machineError(thrown) ?? thrown);
  const { io } = context;
  const label = io.terminal ? "\x1b[31;1merror:\x1b[0m" : "error:";
  if (error instanceof UsageError) {
    const hint = error.hint === undefined ? "" : `       ${didYouMean(error.hint.split(", "))}\n`;
    io.err(`${label} ${indent(error.message)}\n${hint}Try '${context.program} --help' for more information.\n`);
    return 1;
  }
  if (error instanceof FirnError) {
    const showTrace = error.trace.length > 0 && (await showsTrace(context));
    const text = renderError(error, { showTrace, colors: io.terminal });
    io.err(`${text.replace("error:", label)}\n`);
    if (isUsage(error)) io.err(`Try '${context.program} --help' for more information.\n`);
    if (error.hint !== undefined) io.err(`       ${indent(error.hint)}\n`);
    return context.legacy ? error.exitStatus : 1;
  }
  // A mistake of our own: everything that helps to find it.
  io.err(`${label} internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

/** Errors that the reference takes for a wrong use of the command, wherever they arise. */
export function isUsage(error: FirnError): boolean {
  return ["unknown-hash-algorithm", "unknown-hash-format", "bad-conf", "usage"].includes(error.code);
}

/** Whether the whole trace is wanted: by the flag, or by the setting in nix.conf. */
async function showsTrace({ words, io }: FailureContext): Promise<boolean> {
  if (words.includes("--show-trace")) return true;
  const { loadSettings } = await import("@firn/store");
  try {
    return loadSettings(io.env).get("show-trace");
  } catch (error) {
    // A configuration that cannot be read has been reported already, or is what is being reported.
    if (error instanceof FirnError) return false;
    throw error;
  }
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n       ");
}
