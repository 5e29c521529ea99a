/** Parts that a repl and the debuggers inside it share: the terminal, the greeting, and the source of completions. */
import { completeLine, Repl } from "@firn/flake";
import { nixVersion } from "@firn/formats";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { type LoopEnd, ReplCommands } from "./commands.ts";
import { historyFile, openHistory } from "./history.ts";
import { type LineReader, pipedLines } from "./input.ts";
import { readLoop } from "./loop.ts";
import { terminalLines } from "./terminal.ts";

const sessions = new WeakMap<EvaluationSession, ReplSession>();

/** Returns the repl session of a session, made at the first call. */
export function replSessionOf(session: EvaluationSession): ReplSession {
  let found = sessions.get(session);
  if (found === undefined) {
    found = new ReplSession(session);
    sessions.set(session, found);
  }
  return found;
}

/** The terminal of a repl, shared with the debuggers that open inside it. */
export class ReplSession {
  private readonly session: EvaluationSession;
  private readonly interactive: boolean;
  private readonly quiet: boolean;
  /** True when the session runs with the debugger: its commands are then available everywhere. */
  private readonly debugging: boolean;
  private readonly repls: Repl[] = [];
  private reader: LineReader | undefined;
  private greeted = false;

  constructor(session: EvaluationSession) {
    const { io, invocation } = session;
    this.session = session;
    this.interactive =
      io.input === undefined && process.stdin.isTTY === true && process.stdout.isTTY === true && io.env.TERM !== "dumb";
    this.quiet = invocation.flags.count("quiet") > 1;
    this.debugging = invocation.flags.has("debugger");
    // Whoever reads the output may stop reading it.
    io.unimportant?.();
    process.stdout.on("error", leaveQuietly);
  }

  notice(text: string): void {
    this.session.progress.clear();
    if (!this.quiet) this.session.io.err(`${text}\n`);
  }

  /** Prints the greeting, once. */
  greet(): void {
    if (!this.greeted) this.notice(`Nix ${nixVersion}${this.debugging ? " debugger" : ""}\nType :? for help.`);
    this.greeted = true;
  }

  /** Opens a repl with only the global names. */
  async repl(installables: Parameters<typeof Repl.open>[0]["installables"]): Promise<Repl> {
    const { session } = this;
    const evaluation = await session.evaluation();
    return Repl.open({
      evaluator: evaluation.evaluator,
      directory: session.io.cwd,
      patient: this.interactive,
      autoArgs: () => session.installables.autoArguments(),
      loadFlake: (reference) =>
        evaluation.getFlake(reference, { action: "use ':load-flake'", baseDirectory: session.io.cwd }),
      fetchPath: (url) => evaluation.pathOfUrl(url),
      installables,
      event: (event) => {
        if (event.kind === "loading") {
          const name = event.name;
          this.notice(event.what === "file" ? `Loading "${name}"...` : `Loading ${event.what} '${name}'...`);
          return;
        }
        const { count, first } = event;
        this.notice(`Added ${count} variables.`);
        this.notice(first.join(", "));
        if (count > first.length) this.notice(`... and ${count - first.length} more; view with :ll`);
      },
    });
  }

  /** Reads and runs lines until the user ends the loop; `stopped` is true when the debugger has stopped an evaluation. */
  async serve(repl: Repl, options: { readonly stopped: boolean }): Promise<LoopEnd> {
    const { session } = this;
    this.reader ??= this.interactive ? this.terminal() : pipedLines(session.io);
    this.repls.push(repl);
    try {
      const commands = new ReplCommands(session, repl, {
        debugging: this.debugging,
        shownErrors: this.debugging && !options.stopped,
      });
      return await readLoop({ session, lines: this.reader, commands });
    } finally {
      this.repls.pop();
    }
  }

  private terminal(): LineReader {
    const { session } = this;
    const { io } = session;
    return terminalLines({
      history: openHistory(historyFile(io.env), (text) => session.progress.warn(text)),
      complete: async (line) => {
        const repl = this.repls.at(-1);
        if (repl === undefined) return { replaced: "", candidates: [] };
        return completeLine(repl, line, { directory: io.cwd, debugging: this.debugging });
      },
      interrupt: () => session.interruptWork(),
    });
  }

  close(): void {
    this.reader?.close();
    process.stdout.off("error", leaveQuietly);
  }
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}
