/** Events of the store, the builder and the fetchers. Nothing here prints. */

import { FirnError } from "@firn/formats";
import type { BuildMode } from "./store/building.ts";

/** A machine of the network that cannot be reached: error `unreachable`. */
export class UnreachableError extends FirnError {
  /** The name of the machine. */
  readonly host: string;

  constructor(host: string, message: string) {
    super("unreachable", message);
    this.host = host;
  }
}

/** Severity of a message, in the reference's verbosity levels. */
export type MessageLevel = "error" | "warn" | "notice" | "info" | "talkative" | "chatty" | "debug" | "vomit";

/** One event. Sizes in bytes. */
export type FirnEvent =
  | { readonly kind: "message"; readonly level: MessageLevel; readonly text: string }
  | { readonly kind: "unreachable"; readonly host: string; readonly text: string }
  | {
      readonly kind: "build-start";
      readonly drvPath: string;
      readonly mode?: BuildMode;
      readonly machine?: string;
      readonly current: number;
    }
  | { readonly kind: "build-phase"; readonly drvPath: string; readonly phase: string }
  | { readonly kind: "build-log"; readonly drvPath: string; readonly line: string }
  | { readonly kind: "build-end"; readonly drvPath: string; readonly ok: boolean; readonly seconds: number }
  | { readonly kind: "transfer-start"; readonly id: number; readonly url: string; readonly size?: number }
  | { readonly kind: "transfer-progress"; readonly id: number; readonly done: number; readonly size?: number }
  | { readonly kind: "transfer-end"; readonly id: number; readonly ok: boolean; readonly done: number }
  | {
      readonly kind: "copy-start";
      readonly path: string;
      readonly from: string;
      readonly to: string;
      readonly size: number;
    }
  | { readonly kind: "copy-progress"; readonly path: string; readonly done: number; readonly size: number }
  | { readonly kind: "copy-end"; readonly path: string; readonly ok: boolean };

/** Describes the start of a build in the reference's words. */
export function buildStartText({ drvPath, mode, machine }: FirnEvent & { readonly kind: "build-start" }): string {
  const where = machine === undefined ? "" : ` on '${machine}'`;
  return `${buildVerbs[mode ?? "normal"]} '${drvPath}'${where}`;
}

const buildVerbs: Readonly<Record<BuildMode, string>> = {
  normal: "building",
  check: "checking outputs of",
  repair: "repairing outputs of",
};

/** Receives events; must not throw. */
export type EventSink = (event: FirnEvent) => void;

/** A sink that ignores everything. */
export const noEvents: EventSink = () => {};

/**
 * Returns the event that tells of an error without which the work goes on: a warning with `text`, or, where only the network is missing,
 * an event that is shown once.
 */
export function setback(error: FirnError, text: string): FirnEvent {
  return error instanceof UnreachableError
    ? { kind: "unreachable", host: error.host, text }
    : { kind: "message", level: "warn", text };
}

/** Returns an error message as it is shown: further lines are indented behind the mark `error: `. */
export function errorText(message: string): string {
  return `error: ${message.trimEnd().replaceAll(/\n(?=.)/g, "\n       ")}`;
}

/** Makes the event of a failure that does not end the work by itself. */
export function errorEvent(message: string): FirnEvent {
  return { kind: "message", level: "error", text: errorText(message) };
}
