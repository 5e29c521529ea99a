/**
 * The journal of a switch: written before each step, so that it shows after a kill or a power failure what to undo. Its
 * removal is the end of the switch.
 */

import { dirname } from "node:path";
import { FirnError } from "@firn/formats";
import { disk } from "@firn/store";
import { existsSync, readFileSync } from "@firn/store/files";

/** The steps of a switch, in order. */
export const switchSteps = [
  "begin",
  "boot-files",
  "profile",
  "boot-default",
  "stop",
  "activate",
  "reload-systemd",
  "units",
  "health",
  "confirm",
  "commit",
] as const;

/** One step of a switch. */
export type SwitchStep = (typeof switchSteps)[number];

/** One side of a switch. */
export interface JournalSide {
  /** Store path of the system. */
  readonly system: string;
  /** Its generation in the profile; undefined when it has none (`test`). */
  readonly generation: number | undefined;
  /** Store path of the variant of the system that is activated; absent for the system itself. */
  readonly live?: string;
}

/** The contents of the journal. */
export interface SwitchJournal {
  readonly action: "switch" | "boot" | "test";
  readonly profile: string;
  /** The side before; undefined when the machine had no system. */
  readonly from: JournalSide | undefined;
  readonly to: JournalSide;
  readonly step: SwitchStep;
  /** Number of the generation that the switch makes; undefined when it makes none. Undoing the switch deletes it. */
  readonly made: number | undefined;
  /** Units that ran before and that the switch stops. */
  readonly stopped: readonly string[];
  /** Identity of the boot of the machine in which the switch ran. */
  readonly bootId: string;
}

const format = 1;

/** Returns the journal's path on a machine. */
export function journalPath(root: string): string {
  return `${root}/var/lib/firn/switch.json`;
}

/** Writes the journal and waits until it is on the disk. */
export function writeJournal(root: string, journal: SwitchJournal): void {
  const path = journalPath(root);
  disk.mkdirs(dirname(path));
  disk.replaceFile(path, `${JSON.stringify({ format, ...journal })}\n`, { mode: 0o600, sync: true });
}

/** Removes the journal, which ends the switch: without its journal it is never undone. */
export function removeJournal(root: string): void {
  const path = journalPath(root);
  if (!existsSync(journalPath(root))) return;
  disk.unlink(path);
  disk.fsync(dirname(path));
}

/** Reads the journal of an unfinished switch; undefined when there is none. Fails with `bad-journal`. */
export function readJournal(root: string): SwitchJournal | undefined {
  const path = journalPath(root);
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return checked(JSON.parse(text) as Partial<SwitchJournal> & { format?: number });
  } catch (error) {
    throw new FirnError("bad-journal", `the journal of the last switch, '${path}', cannot be read`, {
      hint: "see which system runs ('readlink /run/current-system'), remove the journal, and switch to that system",
      cause: error,
    });
  }
}

function checked(value: Partial<SwitchJournal> & { format?: number }): SwitchJournal {
  const { action, profile, from, to, step, made, stopped, bootId } = value;
  const side = (it: JournalSide): JournalSide => {
    if (typeof it.system !== "string" || !it.system.startsWith("/")) throw new Error("a system is missing");
    if (it.generation !== undefined && !Number.isSafeInteger(it.generation))
      throw new Error("a generation is not a number");
    return { system: it.system, generation: it.generation };
  };
  if (value.format !== format) throw new Error("unknown format");
  if (action !== "switch" && action !== "boot" && action !== "test") throw new Error("unknown action");
  if (typeof profile !== "string" || typeof bootId !== "string" || to === undefined) throw new Error("incomplete");
  if (step === undefined || !switchSteps.includes(step)) throw new Error("unknown step");
  if (made !== undefined && !Number.isSafeInteger(made)) throw new Error("a generation is not a number");
  if (!Array.isArray(stopped) || !stopped.every((name) => typeof name === "string"))
    throw new Error("no list of units");
  return {
    action,
    profile,
    from: from === undefined ? undefined : side(from),
    to: side(to),
    step,
    made,
    stopped,
    bootId,
  };
}
