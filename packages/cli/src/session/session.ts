/** One run of a command: its settings, store and progress, opened when first asked for and closed at the end. */
import { FirnError } from "@firn/formats";
import {
  featuresFirst,
  lackingFeature,
  loadSettings,
  type MachineStore,
  openMachineStore,
  requireFeature,
  type Settings,
  useCaseHack,
} from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { buildTimesOf } from "../render/build-times.ts";
import { withJsonLog } from "../render/json-log.ts";
import { logFormatOf } from "../render/log-format.ts";
import { makeProgress, type ProgressOptions } from "../render/progress.ts";
import type { Progress } from "../render/progress-sink.ts";
import { makeStoreWritable } from "./writable-store.ts";

/** Settings, store and progress, which commands share. */
export interface Session {
  readonly io: Io;
  readonly settings: Settings;
  readonly progress: Progress;
  readonly invocation: Invocation;
  store(): Promise<MachineStore>;
  /** Returns the store that evaluations write to: that of `--eval-store`, else the session's. */
  evalStore(): Promise<MachineStore>;
}

const forever = 0xffff_ffff;

/** Returns settings from files, environment and this command line, in that order. Fails with `bad-setting`. */
export function commandSettings(invocation: Invocation, io: Io): Settings {
  const settings = loadSettings(io.env);
  const { flags } = invocation;
  if (flags.has("offline")) {
    settings.assign("substitute", false);
    settings.assign("tarball-ttl", forever);
  }
  if (flags.has("refresh")) {
    const ttls = ["narinfo-cache-meta-ttl", "narinfo-cache-positive-ttl", "narinfo-cache-negative-ttl"] as const;
    for (const name of ["tarball-ttl", ...ttls] as const) settings.assign(name, 0);
  }
  if (flags.has("impure")) settings.assign("pure-eval", false);
  for (const setting of featuresFirst(invocation.settings, ([name]) => name)) applySetting(settings, setting);
  useCaseHack(settings.get("use-case-hack"));
  return settings;
}

/** Tells what was wrong in settings without being an error. */
export function tellMistakes({ mistakes, unknown }: Settings, warn: (text: string) => void): void {
  for (const mistake of mistakes) warn(mistake);
  for (const { name } of unknown) warn(`unknown setting '${name}'`);
}

/** Applies a setting of the command line. What `--option` says wrongly is kept among the mistakes; a wrong flag is an error. */
function applySetting(settings: Settings, [name, value, from]: Invocation["settings"][number]): void {
  try {
    const feature = from === "option" ? undefined : lackingFeature(settings, name);
    if (feature !== undefined) requireFeature(settings, feature);
    if (!settings.set(name, value)) settings.unknown.push({ name, value });
  } catch (error) {
    if (from !== "option" || !(error instanceof FirnError) || error.code !== "bad-setting") throw error;
    settings.mistakes.push(error.message);
  }
}

/** Returns the form of build logs that a command line asks for. */
export function buildLogs(invocation: Invocation): ProgressOptions["buildLogs"] {
  const { style, flags } = invocation;
  if (style === "old") return flags.has("no-build-output") ? "hidden" : "plain";
  return flags.has("print-build-logs") || logFormatOf(invocation)?.buildLogs === true ? "named" : "hidden";
}

/** Returns the amount of output that a command line asks for, where 0 is the reference's `notice`. */
export function verbosityOf({ flags, style }: Invocation, io: Io): number {
  // Old commands tell one level more; new ones too where no progress is drawn.
  const usual = style === "old" || !io.terminal ? 1 : 0;
  return flags.count("verbose") - flags.count("quiet") + (flags.has("debug") ? 4 : 0) + usual;
}

/** The purpose of a session, which decides how its store is opened and how much it tells. */
export interface SessionIntent {
  /** True for a command that writes nothing and so can read another user's store as well. */
  readonly reads?: boolean;
  /** True for a command that frees space and so must work on a full disk. */
  readonly frees?: boolean;
  /** True for a command that evaluates, and so can use a store elsewhere. */
  readonly stages?: boolean;
}

type SessionBody = (session: Session) => Promise<number>;

/** Runs `body` as `withSession` does, for commands that write nothing and so can read another user's store as well. */
export function withReadingSession(invocation: Invocation, io: Io, body: SessionBody): Promise<number> {
  return withSession(invocation, io, body, { reads: true });
}

/** Runs `body` as `withSession` does, for commands that free space and so must work on a full disk. */
export function withFreeingSession(invocation: Invocation, io: Io, body: SessionBody): Promise<number> {
  return withSession(invocation, io, body, { frees: true });
}

/** Opens a session, runs `body` in it and closes what it opened, also when it fails. */
export async function withSession(
  invocation: Invocation,
  io: Io,
  body: SessionBody,
  intent: SessionIntent = {},
): Promise<number> {
  const settings = commandSettings(invocation, io);
  makeStoreWritable(settings, io);
  const verbosity = verbosityOf(invocation, io);
  const shown = makeProgress({
    io,
    verbosity,
    buildLogs: buildLogs(invocation),
    times: io.terminal ? buildTimesOf(io.env) : undefined,
  });
  const progress = withJsonLog(shown, settings.get("json-log-path"));
  tellMistakes(settings, (text) => progress.warn(text));
  let opened: Promise<MachineStore> | undefined;
  let openedForEvaluation: Promise<MachineStore> | undefined;
  const open = (more: SessionIntent, text?: string): Promise<MachineStore> =>
    openMachineStore(
      { settings, environment: io.env, events: (event) => progress.event(event), verbosity: 2 + verbosity, ...more },
      text,
    );
  const session: Session = {
    io,
    settings,
    progress,
    invocation,
    store: () => {
      opened ??= open(intent);
      return opened;
    },
    evalStore() {
      const url = invocation.flags.value("eval-store");
      if (url === undefined) return session.store();
      openedForEvaluation ??= open({ stages: true }, url);
      return openedForEvaluation;
    },
  };
  try {
    return await body(session);
  } finally {
    progress.finish();
    for (const store of [openedForEvaluation, opened]) await (await store?.catch(closed))?.close();
  }
}

/** Ignores the error of a store that could not be opened, and so needs no closing; it has been thrown already. */
function closed(error: unknown): undefined {
  if (!(error instanceof FirnError)) throw error;
  return undefined;
}
