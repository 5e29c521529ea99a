/** Renders the error of a command and decides on the exit status. */
import { FirnError } from "@firn/formats";
import type { Settings } from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { painted } from "./colors.ts";
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
  if (error instanceof FirnError) {
    const settings = await settingsOf(context);
    const showTrace = settings?.get("show-trace") === true;
    if (io.record === undefined) io.err(`${renderError(error, { showTrace, colors: io.terminal })}\n`);
    const place = settings?.get("json-log-path") ?? "";
    if (io.record !== undefined || place !== "") {
      const { errorJson } = await import("@firn/store");
      const json = errorJson(renderError(error, { showTrace, colors: true }), error, showTrace);
      io.record?.(json);
      if (place !== "") await appendToJsonLog(place, json);
    }
    if (isUsage(error)) io.err(`Try '${context.program} --help' for more information.\n`);
    if (error.hint !== undefined) io.err(`       ${indent(calledAs(context.mainProgram, error.hint))}\n`);
    // New commands tell only what they fetched wrongly apart, not why builds failed.
    return context.old || error.code === "input-mismatch" ? error.exitStatus : 1;
  }
  // A mistake of our own: everything that helps to find it.
  io.err(
    `${painted("error:", "red", io.terminal)} internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}

/** Tells whether the reference treats an error as wrong use of the command, wherever it arises. */
export function isUsage(error: FirnError): boolean {
  return ["unknown-hash-algorithm", "unknown-hash-format", "bad-conf", "bad-setting", "usage"].includes(error.code);
}

/** Returns the command's settings; undefined when its words or its configuration cannot be read. */
async function settingsOf({ invocation, io }: FailureContext): Promise<Settings | undefined> {
  const { commandSettings } = await import("../session/session.ts");
  try {
    return invocation === undefined ? undefined : commandSettings(invocation, io);
  } catch (error) {
    // A configuration that cannot be read has been reported already, or is what is being reported.
    if (error instanceof FirnError) return undefined;
    throw error;
  }
}

async function appendToJsonLog(place: string, json: string): Promise<void> {
  const { openJsonLog } = await import("./json-log.ts");
  try {
    const log = openJsonLog(place);
    log.write(`${json}\n`);
    log.close();
  } catch (error) {
    // The log that cannot be opened is what is being reported.
    if (!(error instanceof FirnError)) throw error;
  }
}

/** Returns a hint with its commands under the user's name of the program. */
function calledAs(program: string, hint: string): string {
  return program === "firn" ? hint : hint.replaceAll("'firn ", `'${program} `);
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n       ");
}
