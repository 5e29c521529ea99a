/** Opens evaluations for commands: flags become settings, lock options, arguments and installables. */
import { resolve } from "node:path";
import {
  type Builder,
  defaultLockOptions,
  Evaluation,
  flakeRefToAttributes,
  Installables,
  type LockOptions,
  makeBuilder,
  parseFlakeRef,
  parseInputPath,
  type Root,
} from "@firn/flake";
import type { RegistryEntry } from "@firn/formats";
import { openSubstituters } from "@firn/store";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import { renderMessage } from "../render/error.ts";
import { autoArguments } from "./auto-arguments.ts";
import type { DebuggerFrontEnd, EvaluationNeeds, EvaluationSession } from "./evaluation-session.ts";
import { explainCache } from "./explain-cache.ts";
import { buildLogs, type Session, withSession } from "./session.ts";
import { startImage } from "./start-image.ts";

/** Time in milliseconds within which a command may end by itself after Ctrl-C. */
const interruptGraceMs = 1500;

/** Opens a session with an evaluation, runs `body` and closes everything. */
export function withEvaluation(
  invocation: Invocation,
  io: Io,
  options: { readonly needs?: EvaluationNeeds; readonly body: (session: EvaluationSession) => Promise<number> },
): Promise<number> {
  const run = async (session: Session): Promise<number> => {
    const { settings, progress } = session;
    const { flags } = invocation;
    if (flags.has("file") && flags.has("expr")) throw new UsageError("'--file' and '--expr' are exclusive");
    // Flakes evaluate purely unless told otherwise; files of one's own machine do not.
    const isPureSet = settings.isOverridden("pure-eval");
    if (isPureSet && settings.get("pure-eval") && flags.has("file"))
      throw new UsageError("'--file' is not compatible with '--pure-eval'");
    if (!isPureSet) {
      settings.assign("pure-eval", options.needs?.impure !== true && !flags.has("file"));
    }
    // What was printed while it was built is not repeated in the error.
    if (buildLogs(invocation) !== "hidden") settings.assign("log-lines", 0);
    let abort = new AbortController();
    let evaluation: Evaluation | undefined;
    let builder: Builder | undefined;
    const interrupt = (): void => {
      abort.abort();
      for (const each of [evaluation, ...others]) void each?.evaluator.interrupt();
      // Builds and evaluations stop by themselves and clean up; a download that hangs would not.
      setInterval(() => {
        if (builder?.busy === true) return;
        progress.clear();
        io.err("error: interrupted by the user\n");
        process.exit(1);
      }, interruptGraceMs).unref();
    };
    // With a debugger, Ctrl-C stops what is being evaluated; outside a stop that ends the command.
    const pause = (): void => full.interruptWork();
    if (flags.has("debugger")) process.on("SIGINT", pause);
    else if (options.needs?.handlesInterrupts !== true) {
      process.on("SIGINT", interrupt);
      process.on("SIGTERM", interrupt);
    }
    const store = await session.store();
    const evalStore = await session.evalStore();
    builder = makeBuilder({
      store,
      ...(evalStore === store ? {} : { evalStore }),
      settings,
      events: (event) => progress.event(event),
      offline: flags.has("offline"),
      logCommand: `${invocation.mainProgram} log`,
      failures: invocation.style === "old" ? "goals" : "requests",
      get signal() {
        return abort.signal;
      },
      substituters: () =>
        openSubstituters({
          settings,
          environment: io.env,
          offline: flags.has("offline"),
          events: (event) => progress.event(event),
        }),
    });
    const opened = builder;
    const system = systemOf(session);
    const directory = invocation.directory ?? io.cwd;
    const others: Evaluation[] = [];
    const openEvaluation = (more: Parameters<EvaluationSession["evaluation"]>[0] = {}): Evaluation =>
      new Evaluation({
        settings,
        environment: io.env,
        cwd: directory,
        store: evalStore,
        builder: opened,
        events: (event) => progress.event(event),
        offline: flags.has("offline"),
        readOnly: more.readOnly ?? options.needs?.readOnly ?? false,
        includes: flags.all("include").map(([path]) => path ?? ""),
        registryFlags: registryFlags(invocation, io),
        inputsFrom: flags.all("inputs-from").map(([text]) => parseFlakeRef(text ?? "", { baseDirectory: io.cwd })),
        lock: { ...lockOptions(invocation, session, io), ...more.lock },
        ...(flags.has("debugger") ? { onStop: async (stop) => (await debuggerOf(full)).stop(stop) } : {}),
        applyConfig: async (nixConfig) => (await import("./flake-settings.ts")).applyFlakeSettings(session, nixConfig),
        report: (message) => {
          progress.clear();
          if (message.kind === "call") progress.event({ kind: "message", level: "info", text: message.text });
          else io.err(`${renderMessage(message, io.terminal)}\n`);
        },
        warn: (text) => progress.warn(text),
        ...(io.isProgram !== true || flags.has("eval-store") ? {} : { startImage }),
        ...(flags.has("explain-cache") ? { explainResults: (text) => explainCache(io, text) } : {}),
      });
    const installablesOf = (get: () => Promise<Evaluation>): Installables =>
      new Installables({
        evaluation: get,
        storeDir: store.storeDir,
        cwd: directory,
        system,
        ...rootOf(invocation, io),
        autoArguments: autoArguments(flags),
        needsWords: flags.has("stdin"),
        readStdin: () => io.readStdin(),
        warn: (text, level) => progress.event({ kind: "message", level, text }),
      });
    const full: EvaluationSession = {
      ...session,
      builder: opened,
      system,
      workSignal: () => abort.signal,
      interruptWork() {
        abort.abort();
        abort = new AbortController();
        evaluation?.evaluator.pause();
      },
      async evaluation(more = {}) {
        evaluation ??= openEvaluation(more);
        return evaluation;
      },
      async words() {
        if (!flags.has("stdin")) return invocation.positionals;
        return (await io.readStdin()).split("\n").filter((line) => line !== "");
      },
      installables: installablesOf(() => full.evaluation()),
      async separate() {
        const opened = openEvaluation();
        others.push(opened);
        return { evaluation: opened, installables: installablesOf(async () => opened) };
      },
    };
    let opening: Promise<DebuggerFrontEnd> | undefined;
    const debuggerOf = (own: EvaluationSession): Promise<DebuggerFrontEnd> => {
      opening ??= (async () => (await import("../repl/debugger.ts")).openDebugger(own))();
      return opening;
    };
    try {
      return await options.body(full);
    } finally {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
      process.off("SIGINT", pause);
      (await opening)?.close();
      progress.clear();
      await evaluation?.close();
      for (const other of others) await other.close();
      await opened.close();
    }
  };
  return withSession(invocation, io, run, { reads: options.needs?.reads === true, stages: true });
}

function systemOf(session: Session): string {
  const system = session.settings.get("eval-system");
  return system === "" ? session.settings.get("system") : system;
}

function registryFlags(invocation: Invocation, io: Io): RegistryEntry[] {
  const parse = (text: string) => flakeRefToAttributes(parseFlakeRef(text, { baseDirectory: io.cwd }));
  return invocation.flags
    .all("override-flake")
    .map(([from = "", to = ""]) => ({ from: parse(from), to: parse(to), exact: false }));
}

/** Returns the reference's warnings about flags that have a successor. */
function outdated(flags: Invocation["flags"]): string[] {
  return [
    ...(flags.has("recreate-lock-file")
      ? [
          "'--recreate-lock-file' is deprecated and will be removed in a future version; use 'nix flake update' instead.",
        ]
      : []),
    ...flags
      .all("update-input")
      .map(() => "'--update-input' is a deprecated alias for 'flake update' and will be removed in a future version."),
    ...(flags.has("no-registries") ? ["'--no-registries' is deprecated; use '--no-use-registries'"] : []),
  ];
}

function inputPathOf(text: string, flag: string): ReturnType<typeof parseInputPath> {
  const path = parseInputPath(text);
  if (path.length > 0) return path;
  throw new UsageError(
    `--${flag} was passed a zero-length input path, which would refer to the flake itself, not an input`,
  );
}

function lockOptions(invocation: Invocation, session: Session, io: Io): LockOptions {
  const { flags } = invocation;
  const { settings } = session;
  const reference = flags.value("reference-lock-file");
  const output = flags.value("output-lock-file");
  for (const text of outdated(flags)) session.progress.warn(text);
  return {
    ...defaultLockOptions((text) => session.progress.warn(text)),
    overrides: flags.all("override-input").map(([path = "", ref = ""]) => ({
      path: inputPathOf(path, "override-input"),
      ref: parseFlakeRef(ref, { baseDirectory: io.cwd }),
    })),
    updates: flags.all("update-input").map(([path = ""]) => inputPathOf(path, "update-input")),
    recreate: flags.has("recreate-lock-file"),
    update: !flags.has("no-update-lock-file"),
    // Overrides are for this run only.
    write: !flags.has("no-write-lock-file") && !flags.has("override-input"),
    useRegistries: !flags.has("no-registries") && settings.get("use-registries"),
    commit: flags.has("commit-lock-file"),
    commitSummary: settings.get("commit-lock-file-summary"),
    allowDirtyLocks: settings.get("allow-dirty-locks"),
    warnDirty: settings.get("warn-dirty"),
    ...(reference === undefined ? {} : { referenceFile: resolve(io.cwd, reference) }),
    ...(output === undefined ? {} : { outputFile: resolve(io.cwd, output) }),
  };
}

/** Returns the file or the expression in which installables are attribute paths. */
function rootOf({ flags }: Invocation, io: Io): { readonly root?: () => Promise<Root> } {
  const file = flags.value("file");
  if (file === "-") return { root: async () => ({ kind: "stdin", text: await io.readStdin() }) };
  if (file !== undefined) return { root: async () => ({ kind: "file", path: file }) };
  const text = flags.value("expr");
  return text === undefined ? {} : { root: async () => ({ kind: "expression", text }) };
}
