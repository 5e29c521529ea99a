/** Builds by the program of the setting `build-hook`, and on this machine what that declines. */
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { derivationOutputPath, FirnError, interrupted, wire } from "@firn/formats";
import {
  DerivationHashes,
  type EventSink,
  InternalJsonReader,
  LineSplitter,
  type RunningProgram,
  type SettingName,
  settingsTable,
  startProgram,
  writeTo,
} from "@firn/store";
import { type BuildElsewhere, BuildFailure, buildDerivation } from "../build-derivation.ts";
import { endOf } from "../build-programs.ts";
import type { BuildExecutor, BuildJob } from "../goals/executor.ts";
import type { LocalBuildOptions, LocalExecutor } from "../local-executor.ts";
import { readBuildOptions } from "../options.ts";
import {
  answerMark,
  type HookAnswer,
  hookCodecs,
  hookPeer,
  logDescriptor,
  logMark,
  questionWord,
} from "./build-hook.ts";
import { staysHere } from "./distributed-executor.ts";
import { buildSink } from "./machine-connections.ts";

type Outputs = Awaited<ReturnType<BuildExecutor["build"]>>;

/** The surroundings of builds by a hook. */
export interface HookBuildOptions extends LocalBuildOptions {
  readonly local: LocalExecutor;
  /** The program and its first arguments. */
  readonly command: readonly [string, ...string[]];
}

/** Milliseconds after which a question that was postponed is asked again. */
const patience = 1000;

/** The number of the level of messages that are wanted of a hook: the reference's `info`. */
const verbosity = 3;

/** An executor that asks a hook for each build, and builds here what it declines. */
export function hookExecutor(options: HookBuildOptions): BuildExecutor {
  let declined = false;
  return {
    async build(job) {
      if (declined || staysHere(job, options)) return options.local.build(job);
      const answer = await ask(job, options);
      if (typeof answer === "object") return answer.build();
      declined ||= answer === "decline-permanently";
      return options.local.build(job);
    },
  };
}

/** Asks until the hook takes the build or declines it. */
async function ask(
  job: BuildJob,
  options: HookBuildOptions,
): Promise<{ build(): Promise<Outputs> } | "decline" | "decline-permanently"> {
  const { local, settings } = options;
  for (;;) {
    if (job.signal.aborted) throw interrupted();
    const hook = new Hook(options);
    const answer = await hook.ask(job, settings.get("max-jobs") > 0 && local.obstacle(job) === undefined);
    if (answer.kind === "accept") return { build: () => hook.build(job, answer.machine) };
    await hook.end();
    if (answer.kind !== "postpone") return answer.kind;
    await sleep(patience);
  }
}

/** One hook, which takes at most one build. */
class Hook {
  readonly #options: HookBuildOptions;
  readonly #program: RunningProgram;
  readonly #input: Writable;
  readonly #lines: string[] = [];
  readonly #ended: Promise<string>;
  #events: EventSink;
  #log: (data: Buffer) => void = () => undefined;
  #arrived: () => void = () => undefined;

  constructor(options: HookBuildOptions) {
    const [program, ...words] = options.command;
    this.#options = options;
    this.#events = options.events;
    // From the descriptor after the log's, the reference's hook reads what ssh said before it started a build.
    this.#program = startProgram(program, [...words, String(verbosity)], {
      cwd: "/",
      stdio: ["pipe", "ignore", "pipe", "ignore", "pipe", "ignore"],
    });
    const { stdin, stderr, stdio } = this.#program;
    if (stdin === null || stderr === null) throw new FirnError("internal", "the hook has no streams");
    this.#input = stdin;
    // What cannot be written any more is told by the end of the program.
    stdin.on("error", () => undefined);
    const reader = new InternalJsonReader((event) => this.#events(event));
    const lines = new LineSplitter((line) => this.#line(line, reader));
    stderr.on("data", (data: Buffer) => lines.write(data));
    (stdio[logDescriptor] as Readable).on("data", (data: Buffer) => this.#log(data));
    this.#ended = endOf(this.#program);
    void this.#ended.then(() => {
      lines.end();
      reader.end();
      this.#arrived();
    });
  }

  /** Asks for one derivation. Error `hook-failed` when the hook ends without an answer. */
  async ask(job: BuildJob, willing: boolean): Promise<HookAnswer> {
    const { settings, store } = this.#options;
    for (const name of Object.keys(settingsTable) as SettingName[]) {
      if (!settings.isOverridden(name) && name !== "builders" && name !== "store") continue;
      await this.#send(hookCodecs.more, true);
      await this.#send(hookCodecs.setting, { name, value: settings.textOf(name) });
    }
    await this.#send(hookCodecs.more, false);
    await this.#send(hookCodecs.question, {
      word: questionWord,
      willing,
      system: job.derivation.system,
      drvPath: job.drvPath,
      features: readBuildOptions(job.derivation, store.storeDir).requiredSystemFeatures,
    });
    const answer = await this.#answer();
    switch (answer) {
      case "decline":
      case "decline-permanently":
      case "postpone":
        return { kind: answer };
      case "accept":
        return { kind: "accept", machine: await this.#nextLine() };
      default:
        throw this.#failed(`gave the bad reply '${answer}'`);
    }
  }

  /** Lets the hook build what it accepted. Errors `build-failed`, `hook-failed`, `aborted`. */
  async build(job: BuildJob, machine: string): Promise<Outputs> {
    const abort = (): void => void this.#program.kill();
    job.signal.addEventListener("abort", abort, { once: true });
    try {
      const { outputs } = await buildDerivation({
        ...this.#options,
        ...job,
        onStart: () => job.onStart(machine),
        elsewhere: (place) => this.#run(job, place),
      });
      return outputs;
    } catch (error) {
      if (job.signal.aborted) throw interrupted();
      throw error;
    } finally {
      job.signal.removeEventListener("abort", abort);
      await this.end();
    }
  }

  /** Ends the hook. */
  async end(): Promise<void> {
    this.#input.end();
    await this.#ended;
  }

  async #run(job: BuildJob, { inputs, log }: Parameters<BuildElsewhere>[0]): Promise<Outputs> {
    const { store, events } = this.#options;
    const { derivation, drvPath } = job;
    const reasons: string[] = [];
    this.#log = (data) => void log.write(data);
    this.#events = buildSink(
      { printsLog: false },
      {
        line: (text) => void log.write(Buffer.from(`${text}\n`, "latin1")),
        other(event) {
          if (event.kind === "message" && event.level === "error") reasons.push(event.text.replace(/^error: */, ""));
          else events(event);
        },
      },
    );
    await this.#send(hookCodecs.build, { inputs, outputs: [...derivation.outputs.keys()] });
    const status = await this.#ended;
    if (status !== "") {
      throw new BuildFailure(drvPath, reasons.length > 0 ? reasons.join("\n") : `the build hook ${status}`, 100);
    }
    const hashes = new DerivationHashes(store);
    const outputs = new Map<string, string>();
    for (const name of derivation.outputs.keys()) {
      const path =
        derivationOutputPath(derivation, name, store.storeDir) ??
        (await store.queryRealisation(hashes.outputId(derivation, name)))?.outPath;
      if (path === undefined || !(await store.isValidPath(path))) {
        throw new BuildFailure(drvPath, `the build hook has not made the output '${name}' of '${drvPath}'`, 100);
      }
      outputs.set(name, path);
    }
    return outputs;
  }

  async #send<Value>(codec: wire.WireCodec<Value>, value: Value): Promise<void> {
    await writeTo(this.#input, wire.encodeWire(codec, value, hookPeer(this.#options.store.storeDir)));
  }

  /** The next answer of the hook; other lines are told as they are. */
  async #answer(): Promise<string> {
    for (;;) {
      const line = await this.#nextLine();
      if (line.startsWith(answerMark)) return line.slice(answerMark.length);
      this.#events({ kind: "message", level: "error", text: line });
    }
  }

  async #nextLine(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      const more = new Promise<string | undefined>((resolve) => {
        this.#arrived = () => resolve(undefined);
      });
      const status = await Promise.race([more, this.#ended]);
      if (status !== undefined && this.#lines.length === 0)
        throw this.#failed(status === "" ? "gave no answer" : status);
    }
  }

  #line(line: string, reader: InternalJsonReader): void {
    if (line.startsWith(logMark) && reader.read(line.slice(logMark.length))) return;
    this.#lines.push(line);
    this.#arrived();
  }

  #failed(what: string): FirnError {
    return new FirnError("hook-failed", `program '${this.#options.command.join(" ")}' ${what}`);
  }
}
