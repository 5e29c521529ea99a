/**
 * Shows events of the store, the builder and the fetchers: on a terminal a live block of current activities, elsewhere plain
 * lines in the reference's words. All of it goes to standard error.
 */
import { parseDrvName } from "@firn/formats";
import { buildStartText, type FirnEvent, type MessageLevel } from "@firn/store";
import type { Io } from "../io.ts";
import type { BuildTimes } from "./build-times.ts";
import { painted } from "./colors.ts";
import { jsonProgress } from "./json-progress.ts";
import type { Progress } from "./progress-sink.ts";
import { duration, mebibytes, progressOf, storeName } from "./quantities.ts";
import { terminalText } from "./terminal-text.ts";

/** The amount of output. */
export interface ProgressOptions {
  readonly io: Io;
  /** Verbosity: 0 is the reference's default (`notice`); each `--verbose` adds one, each `--quiet` subtracts one. */
  readonly verbosity: number;
  /** The form of lines of build logs: left out, after the name of their derivation (`-L`), or as they are (old commands). */
  readonly buildLogs: "hidden" | "named" | "plain";
  /** The times of earlier builds. */
  readonly times?: BuildTimes | undefined;
}

const levels: readonly MessageLevel[] = ["error", "warn", "notice", "info", "talkative", "chatty", "debug", "vomit"];

interface Build {
  readonly started: number;
  readonly place: string;
  phase: string;
  /** The last lines of its log. */
  readonly lines: string[];
}

interface Transfer {
  readonly started: number;
  readonly url: string;
  size: number | undefined;
  done: number;
}

interface Copy {
  readonly started: number;
  readonly to: string;
  readonly size: number;
  done: number;
}

/** The number of lines shown of the log of a failed build. */
const failedLines = 10;

/** Makes the renderer for one command. */
export function makeProgress(options: ProgressOptions): Progress {
  const { io } = options;
  const shows = (level: MessageLevel): boolean => levels.indexOf(level) <= 2 + options.verbosity;
  if (io.record !== undefined) return jsonProgress((json) => io.record?.(json), shows);
  const builds = new Map<string, Build>();
  const transfers = new Map<number, Transfer>();
  const copies = new Map<string, Copy>();
  const counts = { built: 0, failed: 0, copied: 0, received: 0 };
  let planned = { builds: 0, copies: 0 };
  let shownLines = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let finished = false;
  let offline = false;

  const clear = (): void => {
    if (shownLines > 0) io.control?.(`\x1b[${shownLines}A\x1b[J`);
    shownLines = 0;
  };
  const line = (text: string): void => {
    clear();
    io.err(`${terminalText(text, io.terminal)}\n`);
  };
  const draw = (): void => {
    if (finished) return;
    clear();
    const lines = block();
    if (lines.length > 0) io.err(`${lines.join("\n")}\n`);
    shownLines = lines.length;
  };
  const block = (): string[] => {
    if (builds.size === 0 && transfers.size === 0 && copies.size === 0) return [];
    const { columns, rows } = io.size?.() ?? { columns: 80, rows: 24 };
    const width = Math.max(40, columns - 1);
    const entries: string[][] = [];
    for (const [path, build] of builds) {
      const phase = build.phase === "" ? "" : ` (${build.phase})`;
      const last = options.times?.last(path);
      const before = last === undefined ? "" : `, last time ${duration(last)}`;
      const since = duration(Math.floor(secondsSince(build.started)));
      const log = build.lines.at(-1) ?? "";
      entries.push([
        `building ${storeName(path)}${build.place}${phase} ${since}${before}`,
        ...(log === "" || options.buildLogs !== "hidden" ? [] : [log]),
      ]);
    }
    for (const transfer of transfers.values()) {
      const amount = progressOf(transfer, secondsSince(transfer.started));
      entries.push([`fetching ${transfer.url.split("/").at(-1)} ${amount}`]);
    }
    for (const [path, copy] of copies) {
      const to = isLocal(copy.to) ? "" : ` to ${copy.to}`;
      entries.push([`copying ${storeName(path)}${to} ${progressOf(copy, secondsSince(copy.started))}`]);
    }
    const oneLine = (text: string): string => terminalText(text.slice(0, 4 * width)).replaceAll(/[\0-\x1f\x7f]/g, "");
    const lines = treeOf(
      entries.map((entry) => entry.map(oneLine)),
      Math.max(2, rows - 3),
    );
    const parts: string[] = [];
    if (planned.builds > 0 || counts.built > 0)
      parts.push(`${counts.built}/${Math.max(planned.builds, counts.built)} built`);
    if (counts.failed > 0) parts.push(`${counts.failed} failed`);
    if (planned.copies > 0 || counts.copied > 0) {
      parts.push(`${counts.copied}/${Math.max(planned.copies, counts.copied)} copied`);
    }
    if (counts.received > 0) parts.push(`${mebibytes(counts.received)} received`);
    if (parts.length > 0) lines.push(`[${parts.join(", ")}]`);
    // One line each, or the cursor would not find its way back.
    return lines.map((text) => (text.length > width ? `${text.slice(0, width - 1)}…` : text));
  };
  const changed = (): void => {
    if (!io.terminal || finished) return;
    timer ??= setInterval(draw, 100);
    timer.unref();
  };
  return {
    clear,
    expect(plan) {
      planned = plan;
    },
    finish() {
      finished = true;
      if (timer !== undefined) clearInterval(timer);
      clear();
      options.times?.save();
    },
    warn: (text) => {
      if (options.verbosity >= -1) line(`${painted("warning:", "magenta", io.terminal)} ${text}`);
    },
    event(event) {
      switch (event.kind) {
        case "message":
          if (event.level === "warn") this.warn(event.text);
          else if (shows(event.level)) line(event.text);
          return;
        case "unreachable":
          if (!offline)
            this.warn(`'${event.host}' cannot be reached; going on without what cannot be had from the network`);
          else if (shows("talkative")) line(event.text);
          offline = true;
          return;
        case "build-start":
          builds.set(event.drvPath, { started: Date.now(), place: placeOf(event), phase: "", lines: [] });
          if (!io.terminal && shows("notice")) line(`${buildStartText(event)}...`);
          break;
        case "build-phase": {
          const build = builds.get(event.drvPath);
          if (build !== undefined) build.phase = event.phase;
          break;
        }
        case "build-log": {
          const build = builds.get(event.drvPath);
          if (build !== undefined) {
            build.lines.push(event.line);
            if (build.lines.length > failedLines) build.lines.shift();
          }
          if (options.buildLogs === "named") line(`${logMark(event.drvPath)}${event.line}`);
          else if (options.buildLogs === "plain") line(event.line);
          break;
        }
        case "build-end": {
          const build = builds.get(event.drvPath);
          builds.delete(event.drvPath);
          if (event.ok) {
            counts.built++;
            options.times?.took(event.drvPath, event.seconds);
          } else {
            counts.failed++;
            // The error comes when the others have ended too.
            if (io.terminal && build !== undefined && builds.size > 0 && shows("notice")) {
              line(`${storeName(event.drvPath)} failed after ${duration(event.seconds)}`);
              if (options.buildLogs === "hidden")
                for (const text of build.lines) line(`${logMark(event.drvPath)}${text}`);
            }
          }
          break;
        }
        case "transfer-start":
          transfers.set(event.id, { started: Date.now(), url: event.url, size: event.size, done: 0 });
          if (!io.terminal && shows("talkative")) line(`downloading '${event.url}'...`);
          break;
        case "transfer-progress": {
          const transfer = transfers.get(event.id);
          if (transfer !== undefined) {
            transfer.done = event.done;
            transfer.size = event.size ?? transfer.size;
          }
          break;
        }
        case "transfer-end":
          transfers.delete(event.id);
          counts.received += event.done;
          break;
        case "copy-start":
          // What is downloaded is shown as that.
          if (!/^(?:https?|file):/.test(event.from)) {
            copies.set(event.path, { started: Date.now(), to: event.to, size: event.size, done: 0 });
          }
          if (!io.terminal && shows("notice")) line(copyText(event));
          break;
        case "copy-progress": {
          const copy = copies.get(event.path);
          if (copy !== undefined) copy.done = event.done;
          break;
        }
        case "copy-end":
          copies.delete(event.path);
          if (event.ok) counts.copied++;
          break;
      }
      changed();
    },
  };
}

/** Returns the mark of the lines of a build's log: its name without the version. */
function logMark(drvPath: string): string {
  return `${parseDrvName(storeName(drvPath)).name}> `;
}

/** Names the machine of a build when it is another one. */
function placeOf({ machine }: FirnEvent & { readonly kind: "build-start" }): string {
  return machine === undefined ? "" : ` on '${machine}'`;
}

/** Describes a copy by the ends that are no local store. */
function copyText({ path, ...ends }: FirnEvent & { readonly kind: "copy-start" }): string {
  // The parameters of a store's URL are left out, as the reference does.
  const from = ends.from.replace(/\?.*/s, "");
  const to = ends.to.replace(/\?.*/s, "");
  if (isLocal(from)) return `copying path '${path}' to '${to}'...`;
  return isLocal(to)
    ? `copying path '${path}' from '${from}'...`
    : `copying path '${path}' from '${from}' to '${to}'...`;
}

function isLocal(uri: string): boolean {
  return /^(?:local|daemon)\b/.test(uri);
}

function secondsSince(started: number): number {
  return (Date.now() - started) / 1000;
}

/** Lays out entries, each with lines below it, as branches in at most so many lines; the last one counts what has no room. */
function treeOf(entries: readonly (readonly string[])[], most: number): string[] {
  const total = entries.reduce((sum, entry) => sum + entry.length, 0);
  // Where there is no room for all, names come before logs.
  const shown = total <= most ? entries : entries.map((entry) => entry.slice(0, 1));
  const kept = shown.length <= most ? shown : [...shown.slice(0, most - 1), [`and ${shown.length - most + 1} more`]];
  return kept.flatMap(([name, ...below], index) => {
    const last = index === kept.length - 1;
    return [`${last ? "└─" : "├─"} ${name}`, ...below.map((text) => `${last ? "  " : "│ "}   ${text}`)];
  });
}
