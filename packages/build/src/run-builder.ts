/** Runs a builder as a child process, its output into a log, with time limits. */
import fs from "node:fs";
import os from "node:os";
import { textOf } from "@firn/formats";
import { fsPath, type RunningProgram, startProgram } from "@firn/store";
import type { BuildLog } from "./log/build-log.ts";
import { openPty } from "./sandbox/pty.ts";

/** What to run. With `files`, descriptors 3 and 4 of the child read them. */
export interface RunRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly log: BuildLog;
  readonly seccompFile?: string;
  readonly argumentsFile?: string;
  readonly argv0?: string;
  /** Seconds; 0 is no limit. */
  readonly timeout: number;
  readonly maxSilence: number;
  readonly maxLogSize: number;
  readonly signal?: AbortSignal;
}

/** How it ended: `status` says it in the reference's words unless it succeeded. */
export interface RunResult {
  readonly ok: boolean;
  readonly status: string;
  readonly code?: number;
  readonly timedOut?: "timeout" | "silence" | "log-size";
}

const running = new Set<RunningProgram>();
let exitHandler = false;

function killGroup(child: RunningProgram): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

function remember(child: RunningProgram): void {
  running.add(child);
  if (exitHandler) return;
  exitHandler = true;
  process.on("exit", () => {
    for (const other of running) killGroup(other);
  });
}

function describe(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return describeSignal(os.constants.signals[signal] ?? 0);
  // bubblewrap reports the signal of process 1 the way a shell does.
  if (code !== null && code > 128 && code < 128 + 65) return describeSignal(code - 128);
  return `failed with exit code ${code}`;
}

const signalNames: Readonly<Record<number, string>> = {
  1: "Hangup",
  2: "Interrupt",
  3: "Quit",
  4: "Illegal instruction",
  6: "Aborted",
  7: "Bus error",
  8: "Floating point exception",
  9: "Killed",
  11: "Segmentation fault",
  13: "Broken pipe",
  15: "Terminated",
};

function describeSignal(number: number): string {
  return `failed due to signal ${number} (${signalNames[number] ?? `Unknown signal ${number}`})`;
}

/** Runs to the end (or to a limit, or until aborted). Never rejects because the builder failed. */
export function runBuilder(request: RunRequest): Promise<RunResult> {
  const pty = openPty();
  const inherited: (number | "ignore" | "pipe")[] =
    pty === undefined ? ["ignore", "pipe", "pipe"] : ["ignore", pty.slave, pty.slave];
  const opened: number[] = [];
  for (const file of [request.seccompFile, request.argumentsFile]) {
    if (file === undefined) inherited.push("ignore");
    else {
      const fd = fs.openSync(fsPath(file), "r");
      opened.push(fd);
      inherited.push(fd);
    }
  }
  const [program, ...args] = request.command.map(textOf);
  const environment = Object.fromEntries(
    Object.entries(request.environment).map(([name, value]) => [textOf(name), textOf(value)]),
  );
  return new Promise((resolve, reject) => {
    let child: RunningProgram;
    try {
      child = startProgram(program!, args, {
        cwd: textOf(request.directory),
        env: environment,
        stdio: inherited,
        detached: true,
        ...(request.argv0 === undefined ? {} : { argv0: textOf(request.argv0) }),
      });
    } catch (error) {
      pty?.output.destroy();
      throw error;
    } finally {
      for (const fd of opened) fs.closeSync(fd);
      if (pty !== undefined) fs.closeSync(pty.slave);
    }
    remember(child);

    let stopped: RunResult["timedOut"];
    const stop = (why: RunResult["timedOut"]): void => {
      stopped ??= why;
      killGroup(child);
    };
    const whole = request.timeout > 0 ? setTimeout(() => stop("timeout"), request.timeout * 1000) : undefined;
    let silence: NodeJS.Timeout | undefined;
    const listen = (): void => {
      if (request.maxSilence <= 0) return;
      clearTimeout(silence);
      silence = setTimeout(() => stop("silence"), request.maxSilence * 1000);
    };
    listen();
    const abort = (): void => killGroup(child);
    request.signal?.addEventListener("abort", abort, { once: true });
    if (request.signal?.aborted === true) abort();

    const outputs = pty === undefined ? [child.stdout!, child.stderr!] : [pty.output];
    let open = outputs.length + 1;
    let result: RunResult = { ok: false, status: "was not started" };
    const finish = (): void => {
      open--;
      if (open > 0) return;
      clearTimeout(whole);
      clearTimeout(silence);
      running.delete(child);
      request.signal?.removeEventListener("abort", abort);
      resolve(stopped === undefined ? result : { ...result, ok: false, timedOut: stopped });
    };
    for (const output of outputs) {
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        output.destroy();
        finish();
      };
      output.on("data", (data: Buffer) => {
        listen();
        if (!request.log.write(data)) {
          output.pause();
          void request.log.drained().then(() => output.resume());
        }
        if (request.maxLogSize > 0 && request.log.size > request.maxLogSize) stop("log-size");
      });
      // A pseudoterminal whose other end is gone gives an error instead of an end.
      output.on("error", end);
      output.on("end", end);
      output.on("close", end);
    }
    child.on("error", (error) => {
      running.delete(child);
      clearTimeout(whole);
      clearTimeout(silence);
      for (const output of outputs) output.destroy();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      // Nothing of the build may live on, also where there is no process namespace.
      killGroup(child);
      result = { ok: code === 0, status: describe(code, signal), ...(code === null ? {} : { code }) };
      finish();
    });
  });
}
