/** Runs a builder as a child process, its output into a log, with time limits. */

import os from "node:os";
import { hasErrorCode, type RunningProgram, startProgram, systemErrorText } from "@firn/store";
import * as fs from "@firn/store/files";
import type { BuildLog } from "./log/build-log.ts";
import { openPty } from "./sandbox/pty.ts";

/** The program to run. With `files`, descriptors 3 and 4 of the child read them. */
export interface RunRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly log: Pick<BuildLog, "write" | "drained" | "size">;
  readonly seccompFile?: string;
  readonly argumentsFile?: string;
  readonly argv0?: string;
  /** The owner that the terminal of the builder's output gets, so that it can be opened again by name. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The ids that the child itself takes on; without them it keeps those of this process. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Time limit in seconds; 0 is no limit. */
  readonly timeout: number;
  readonly maxSilence: number;
  readonly maxLogSize: number;
  readonly signal?: AbortSignal;
}

/** The end of a builder's run: `status` describes it in the reference's words unless it succeeded. */
export interface RunResult {
  readonly ok: boolean;
  readonly status: string;
  readonly code?: number;
  readonly timedOut?: "timeout" | "silence" | "log-size";
}

const O_CLOEXEC = 0o2000000;
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

/** The end of a builder that has failed by itself. */
export const failed: RunResult = { ok: false, status: describe(1, null), code: 1 };

/**
 * Tells in the log that a program cannot be executed, by the code of the error. As in the reference, whose process of the build
 * fails then, this is the end of a builder.
 */
export function notExecuted(program: string, code: "ENOENT" | "EACCES", log: Pick<BuildLog, "write">): RunResult {
  log.write(
    Buffer.from(`error: executing '${program}': ${systemErrorText(code, -os.constants.errno[code])}\n`, "latin1"),
  );
  return failed;
}

/** The descriptors that this process was started with and would pass on, lowest first; Node's own are closed in children. */
const passedOn = (() => {
  let found: readonly number[] | undefined;
  return (): readonly number[] => {
    found ??= fs
      .readdirSync("/proc/self/fdinfo")
      .map(Number)
      .filter((fd) => {
        // The listing's own descriptor is gone by now.
        if (!fs.existsSync(`/proc/self/fdinfo/${fd}`)) return false;
        const flags = /^flags:\s*([0-7]+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
        return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
      })
      .sort((a, b) => a - b);
    return found;
  };
})();

/** Runs a builder to its end, to a limit or until aborted. Does not reject when the builder fails. */
export function runBuilder(request: RunRequest): Promise<RunResult> {
  const pty = openPty();
  if (pty !== undefined && request.user !== undefined) fs.fchownSync(pty.slave, request.user.uid, request.user.gid);
  const inherited: (number | "ignore" | "pipe")[] =
    pty === undefined ? ["ignore", "pipe", "pipe"] : ["ignore", pty.slave, pty.slave];
  const nothing = fs.openSync("/dev/null", "r");
  const opened = [nothing];
  for (const file of [request.seccompFile, request.argumentsFile]) {
    if (file !== undefined) opened.push(fs.openSync(file, "r"));
    inherited.push(file === undefined ? nothing : opened.at(-1)!);
  }
  // In their place the builder finds /dev/null: over a file or pipe of whoever started this program it would reach outside.
  for (const fd of passedOn()) {
    if (fd < inherited.length) continue;
    while (inherited.length < fd) inherited.push("ignore");
    inherited.push(nothing);
  }
  const [program, ...args] = request.command;
  const environment = Object.fromEntries(Object.entries(request.environment).map(([name, value]) => [name, value]));
  return new Promise((resolve, reject) => {
    let child: RunningProgram;
    try {
      child = startProgram(program!, args, {
        cwd: request.directory,
        env: environment,
        stdio: inherited,
        detached: true,
        ...request.runAs,
        ...(request.argv0 === undefined ? {} : { argv0: request.argv0 }),
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
    let heard = outputs.length;
    let exited = false;
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
        heard--;
        // A builder that closes its output is over, as for the reference; one that has ended does not feel it.
        if (heard === 0 && !exited) killGroup(child);
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
      const code = (["ENOENT", "EACCES"] as const).find((name) => hasErrorCode(error, name));
      if (code === undefined) reject(error);
      else resolve(notExecuted(program!, code, request.log));
    });
    child.on("exit", (code, signal) => {
      exited = true;
      // Nothing of the build may live on, also where there is no process namespace.
      killGroup(child);
      result = { ok: code === 0, status: describe(code, signal), ...(code === null ? {} : { code }) };
      finish();
    });
  });
}
