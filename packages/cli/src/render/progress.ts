/**
 * Shows events of the store, the builder and the fetchers: on a terminal a live block of current activities, elsewhere plain
 * lines in the reference's words. All of it goes to standard error.
 */
import type { FirnEvent, MessageLevel } from "@firn/store";
import type { Io } from "../io.ts";
import { jsonProgress } from "./json-progress.ts";
import type { Progress } from "./progress-sink.ts";
import { duration, mebibytes, storeName } from "./quantities.ts";
import { terminalText } from "./terminal-text.ts";

/** The amount of output. */
export interface ProgressOptions {
  readonly io: Io;
  /** Verbosity: 0 is the reference's default (`notice`); each `--verbose` adds one, each `--quiet` subtracts one. */
  readonly verbosity: number;
  /** The form of lines of build logs: left out, after the name of their derivation (`-L`), or as they are (old commands). */
  readonly buildLogs: "hidden" | "named" | "plain";
}

const levels: readonly MessageLevel[] = ["error", "warn", "notice", "info", "talkative", "chatty", "debug", "vomit"];

interface Build {
  readonly started: number;
  readonly place: string;
  phase: string;
  line: string;
}

interface Transfer {
  readonly started: number;
  readonly url: string;
  size: number | undefined;
  done: number;
}

/** Makes the renderer for one command. */
export function makeProgress(options: ProgressOptions): Progress {
  const { io } = options;
  const shows = (level: MessageLevel): boolean => levels.indexOf(level) <= 2 + options.verbosity;
  if (io.record !== undefined) return jsonProgress((json) => io.record?.(json), shows);
  const builds = new Map<string, Build>();
  const transfers = new Map<number, Transfer>();
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
    if (builds.size === 0 && transfers.size === 0) return [];
    const width = Math.max(40, (process.stderr.columns ?? 80) - 1);
    const lines: string[] = [];
    for (const [path, build] of builds) {
      const phase = build.phase === "" ? "" : ` (${build.phase})`;
      lines.push(` building ${storeName(path)}${build.place}${phase} ${seconds(build.started)}: ${build.line}`);
    }
    for (const transfer of [...transfers.values()].slice(0, 8)) {
      lines.push(` fetching ${transfer.url.split("/").at(-1)} ${amount(transfer)}`);
    }
    const parts: string[] = [];
    if (planned.builds > 0 || counts.built > 0)
      parts.push(`${counts.built}/${Math.max(planned.builds, counts.built)} built`);
    if (counts.failed > 0) parts.push(`${counts.failed} failed`);
    if (planned.copies > 0 || counts.copied > 0) {
      parts.push(`${counts.copied}/${Math.max(planned.copies, counts.copied)} copied`);
    }
    if (counts.received > 0) parts.push(`${mebibytes(counts.received)} received`);
    lines.push(`[${parts.join(", ")}]`);
    return lines.map((text) => {
      // One line each, or the cursor would not find its way back.
      const plain = terminalText(text.slice(0, 4 * width)).replaceAll(/[\0-\x1f\x7f-\x9f]/g, "");
      return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
    });
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
    },
    warn: (text) => {
      if (options.verbosity >= -1) line(`${io.terminal ? "\x1b[35;1mwarning:\x1b[0m" : "warning:"} ${text}`);
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
          builds.set(event.drvPath, { started: Date.now(), place: placeOf(event), phase: "", line: "" });
          if (!io.terminal && shows("notice")) line(`building '${event.drvPath}'${placeOf(event)}...`);
          break;
        case "build-phase": {
          const build = builds.get(event.drvPath);
          if (build !== undefined) build.phase = event.phase;
          break;
        }
        case "build-log": {
          const build = builds.get(event.drvPath);
          if (build !== undefined) build.line = event.line;
          if (options.buildLogs === "named") line(`${storeName(event.drvPath)}> ${event.line}`);
          else if (options.buildLogs === "plain") line(event.line);
          break;
        }
        case "build-end":
          builds.delete(event.drvPath);
          if (event.ok) counts.built++;
          else counts.failed++;
          break;
        case "transfer-start":
          transfers.set(event.id, { started: Date.now(), url: event.url, size: event.size, done: 0 });
          if (!io.terminal && shows("info")) line(`downloading '${event.url}'...`);
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
          if (!io.terminal && shows("notice")) line(copyText(event));
          break;
        case "copy-end":
          if (event.ok) counts.copied++;
          break;
      }
      changed();
    },
  };
}

/** Names the machine of a build when it is another one. */
function placeOf({ machine }: FirnEvent & { readonly kind: "build-start" }): string {
  return machine === undefined ? "" : ` on '${machine}'`;
}

/** Describes a copy by the ends that are no local store. */
function copyText({ path, from, to }: FirnEvent & { readonly kind: "copy-start" }): string {
  const local = (uri: string): boolean => /^(?:local|daemon)\b/.test(uri);
  if (local(from)) return `copying path '${path}' to '${to}'...`;
  return local(to) ? `copying path '${path}' from '${from}'...` : `copying path '${path}' from '${from}' to '${to}'...`;
}

function seconds(started: number): string {
  return `${Math.floor((Date.now() - started) / 1000)} s`;
}

function amount(transfer: Transfer): string {
  if (transfer.size === undefined || transfer.size === 0) return mebibytes(transfer.done);
  const elapsed = (Date.now() - transfer.started) / 1000;
  const rate = elapsed > 0 ? transfer.done / elapsed : 0;
  const left = rate > 0 ? `, ${duration((transfer.size - transfer.done) / rate)} left` : "";
  return `${mebibytes(transfer.done)} of ${mebibytes(transfer.size)}${left}`;
}
