/** An evaluation for a command: flags become settings, lock options, arguments and installables. */
import { resolve } from "node:path";
import {
  type AutoArgData,
  type Builder,
  type DebuggerStop,
  type DerivationFacts,
  defaultLockOptions,
  Evaluation,
  type Found,
  flakeRefToAttributes,
  type Handle,
  type Installable,
  type LockOptions,
  type Lookup,
  makeBuilder,
  packageLookup,
  parseFlakeRef,
  parseInputPath,
  parseInstallable,
} from "@firn/flake";
import { FirnError, type RegistryEntry } from "@firn/formats";
import type { StopAnswer } from "@firn/language";
import { type LocalStore, openSubstituters } from "@firn/store";
import { autoArgData, autoArguments } from "./auto-arguments.ts";
import type { Invocation } from "./grammar/invocation.ts";
import { UsageError } from "./grammar/usage-error.ts";
import type { Io } from "./io.ts";
import { renderWarning } from "./render/error.ts";
import { terminalText } from "./render/terminal-text.ts";
import { type Session, withSession } from "./session.ts";

/** A session that can evaluate and build. */
export interface EvaluationSession extends Session {
  readonly builder: Builder;
  readonly system: string;
  evaluation(options?: { readonly readOnly?: boolean; readonly lock?: Partial<LockOptions> }): Promise<Evaluation>;
  /** The words that name installables: the arguments, or with `--stdin` the lines of standard input. */
  words(): Promise<readonly string[]>;
  /** The installables of the command line; `.` when none was given and none is required. */
  installables(words?: readonly string[]): Installable[];
  /** The value of an installable that is not a store path. */
  find(installable: Installable, lookup?: Lookup): Promise<Found>;
  autoArgs(): Promise<AutoArgData>;
  /** The file or expression of the command line is evaluated anew when it is next asked for. */
  forgetRoot(): void;
  /** Aborted when the work that is under way is interrupted. */
  workSignal(): AbortSignal;
  /** Stops what is being evaluated, built or fetched right now; later work is not affected. */
  interruptWork(): void;
}

/** Who talks to the user when the debugger has stopped. */
export interface DebuggerFrontEnd {
  stop(stop: DebuggerStop): Promise<StopAnswer>;
  close(): void;
}

/** How evaluation is different for a command. */
export interface EvaluationNeeds {
  /** Paths are computed, derivations not written. */
  readonly readOnly?: boolean;
  /** Evaluation is impure unless the settings say otherwise. */
  readonly impure?: boolean;
  /** The command deals with Ctrl-C itself, by `interrupt`. */
  readonly handlesInterrupts?: boolean;
}

/** How long a command may take to end by itself after Ctrl-C. */
const interruptGraceMs = 1500;

/** Opens a session with an evaluation, runs `body` and closes everything. */
export function withEvaluation(
  invocation: Invocation,
  io: Io,
  options: { readonly needs?: EvaluationNeeds; readonly body: (session: EvaluationSession) => Promise<number> },
): Promise<number> {
  return withSession(invocation, io, async (session) => {
    const { settings, progress } = session;
    const { flags } = invocation;
    const attributes = flags.has("file") || flags.has("expr");
    if (flags.has("file") && flags.has("expr")) throw new UsageError("'--file' and '--expr' are exclusive");
    // Flakes evaluate purely unless told otherwise; files of one's own machine do not.
    if (!settings.isOverridden("pure-eval")) {
      settings.assign("pure-eval", options.needs?.impure !== true && !flags.has("file"));
    }
    let abort = new AbortController();
    let evaluation: Evaluation | undefined;
    let builder: Builder | undefined;
    const interrupt = (): void => {
      abort.abort();
      void evaluation?.client.interrupt();
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
    builder = makeBuilder({
      store,
      settings,
      events: (event) => progress.event(event),
      offline: flags.has("offline"),
      get signal() {
        return abort.signal;
      },
      substituters: () => openSubstituters({ settings, environment: io.env, events: (event) => progress.event(event) }),
    });
    let root: Promise<Handle> | undefined;
    const opened = builder;
    const full: EvaluationSession = {
      ...session,
      builder: opened,
      system: systemOf(session),
      forgetRoot() {
        root = undefined;
      },
      workSignal: () => abort.signal,
      interruptWork() {
        abort.abort();
        abort = new AbortController();
        evaluation?.client.pause();
      },
      async evaluation(more = {}) {
        evaluation ??= new Evaluation({
          settings,
          environment: io.env,
          cwd: io.cwd,
          store,
          builder: opened,
          events: (event) => progress.event(event),
          offline: flags.has("offline"),
          readOnly: more.readOnly ?? options.needs?.readOnly ?? false,
          includes: flags.all("include").map(([path]) => path ?? ""),
          registryFlags: registryFlags(invocation, io),
          inputsFrom: flags.all("inputs-from").map(([text]) => parseFlakeRef(text ?? "", { baseDirectory: io.cwd })),
          lock: { ...lockOptions(invocation, session, io), ...more.lock },
          ...(flags.has("debugger") ? { onStop: async (stop) => (await debuggerOf(full)).stop(stop) } : {}),
          report: (message) => {
            progress.clear();
            if (message.kind === "trace") io.err(`${terminalText(`trace: ${message.text}`, io.terminal)}\n`);
            else if (message.kind === "warning") io.err(`${renderWarning(message.text, message.position)}\n`);
            else io.err(`${terminalText(`evaluation warning: ${message.text}`, io.terminal)}\n`);
          },
          warn: (text) => progress.warn(text),
        });
        return evaluation;
      },
      async words() {
        if (!flags.has("stdin")) return invocation.positionals;
        return (await io.readStdin()).split("\n").filter((line) => line !== "");
      },
      installables(words = invocation.positionals) {
        const context = {
          storeDir: store.storeDir,
          attributes,
          baseDirectory: io.cwd,
          warn: (text: string) => progress.event({ kind: "message", level: "info", text }),
        };
        const given = words.length > 0 ? words : attributes ? [""] : ["."];
        return given.map((word) => parseInstallable(word, context));
      },
      async find(installable, lookup = packageLookup(full.system)) {
        const evaluator = await full.evaluation();
        switch (installable.kind) {
          case "store-path":
            throw new FirnError("usage", `'${installable.path}' is a store path, not a value`);
          case "flake":
            return evaluator.findInFlake(installable, lookup);
          case "attribute": {
            const file = flags.value("file");
            root ??= evaluator.root(
              file === undefined
                ? { kind: "expression", text: flags.value("expr") ?? "" }
                : { kind: "file", path: resolve(io.cwd, file) },
            );
            return evaluator.findInValue(await root, installable.path, {
              autoArgs: await full.autoArgs(),
              callResult: lookup.callResult,
            });
          }
        }
      },
      async autoArgs() {
        const evaluator = await full.evaluation();
        return autoArgData(evaluator.client, autoArguments(flags), io);
      },
    };
    let opening: Promise<DebuggerFrontEnd> | undefined;
    const debuggerOf = (own: EvaluationSession): Promise<DebuggerFrontEnd> => {
      opening ??= (async () => (await import("./repl/debugger.ts")).openDebugger(own))();
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
      await opened.close();
    }
  });
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

function lockOptions(invocation: Invocation, session: Session, io: Io): LockOptions {
  const { flags } = invocation;
  const { settings } = session;
  const reference = flags.value("reference-lock-file");
  const output = flags.value("output-lock-file");
  return {
    ...defaultLockOptions((text) => session.progress.warn(text)),
    overrides: flags.all("override-input").map(([path = "", ref = ""]) => ({
      path: parseInputPath(path),
      ref: parseFlakeRef(ref, { baseDirectory: io.cwd }),
    })),
    updates: flags.all("update-input").map(([path = ""]) => parseInputPath(path)),
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

/** What an installable is in the store: a path, or outputs of a derivation. */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | {
      readonly kind: "outputs";
      readonly drvPath: string;
      readonly outputs: readonly string[] | "*";
      readonly facts?: DerivationFacts;
      readonly found?: Found;
    };

/** Evaluates installables to what is to be built or looked at. */
export async function targetsOf(
  session: EvaluationSession,
  installables: readonly Installable[],
  lookup?: Lookup,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const installable of installables) targets.push(await targetOf(session, installable, lookup));
  return targets;
}

/** Evaluates one installable to what is to be built or looked at. */
export async function targetOf(session: EvaluationSession, installable: Installable, lookup?: Lookup): Promise<Target> {
  const { outputs } = installable;
  if (installable.kind === "store-path") {
    const path = await followToStore(await session.store(), installable.path, session.io);
    if (outputs.kind === "default") return { kind: "path", path };
    return { kind: "outputs", drvPath: path, outputs: outputs.kind === "all" ? "*" : outputs.names };
  }
  const found = await session.find(installable, lookup);
  const evaluation = await session.evaluation();
  const kind = await evaluation.client.request({ op: "kind", value: found.value });
  if (kind === "string" || kind === "path") {
    const { text } = await evaluation.client.request({ op: "string", value: found.value });
    return { kind: "path", path: text.split("/").slice(0, 4).join("/") };
  }
  const facts = await evaluation.derivation(found);
  const names = outputs.kind === "default" ? facts.outputsToInstall : outputs.kind === "all" ? "*" : outputs.names;
  if (names !== "*") {
    for (const name of names) {
      if (!facts.outputs.some((output) => output.name === name)) {
        throw new FirnError("no-output", `derivation '${facts.drvPath}' does not have wanted outputs '${name}'`);
      }
    }
  }
  return { kind: "outputs", drvPath: facts.drvPath, outputs: names, facts, found };
}

/** The store path that a word names: itself, or where a link such as `./result` leads. */
async function followToStore(store: LocalStore, word: string, io: Io): Promise<string> {
  const path = word.startsWith("/") ? word : resolve(io.cwd, word);
  return path
    .split("/")
    .slice(0, store.storeDir.split("/").length + 1)
    .join("/");
}
