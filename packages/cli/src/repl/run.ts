/** The loop of `firn repl`: asks for lines, runs commands, prints what comes of them. */
import { completeLine, type Handle, Repl, showFlakeRef } from "@firn/flake";
import { byteStringOf, FirnError, textOf } from "@firn/formats";
import type { EvaluationSession } from "../evaluation-session.ts";
import { ReplCommands } from "./commands.ts";
import { historyFile, openHistory } from "./history.ts";
import { type LineReader, pipedLines } from "./input.ts";
import { readLoop } from "./loop.ts";
import { terminalLines } from "./terminal.ts";

/** Runs the repl until its end; gives the exit status. */
export async function runRepl(session: EvaluationSession): Promise<number> {
  const { io, invocation } = session;
  const evaluation = await session.evaluation();
  const quiet = invocation.flags.count("quiet") > 0;
  const notice = (text: string): void => {
    session.progress.clear();
    if (!quiet) io.err(`${text}\n`);
  };
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && io.env.TERM !== "dumb";
  const repl = await Repl.open({
    client: evaluation.client,
    directory: byteStringOf(io.cwd),
    patient: interactive,
    autoArgs: () => session.autoArgs(),
    loadFlake: (reference) => evaluation.getFlake(textOf(reference), "use ':load-flake'"),
    fetchPath: (url) => evaluation.pathOfUrl(url),
    installables: () => installablesOf(session),
    event(event) {
      if (event.kind === "loading") {
        const name = textOf(event.name);
        notice(event.what === "file" ? `Loading "${name}"...` : `Loading ${event.what} '${name}'...`);
        return;
      }
      notice(`Added ${event.count} variables.`);
      notice(textOf(event.first.join(", ")));
      if (event.count > event.first.length) notice(`... and ${event.count - event.first.length} more; view with :ll`);
    },
  });
  notice("Nix 2.34.8\nType :? for help.");
  const commands = new ReplCommands(session, repl);
  let lines: LineReader | undefined;
  const interrupt = (): void => session.interruptWork();
  process.on("SIGINT", interrupt);
  // Whoever reads the output may stop reading it.
  process.stdout.on("error", leaveQuietly);
  try {
    await repl.start([]);
    lines = interactive ? terminal(session, repl) : pipedLines(io);
    await readLoop({ session, lines, commands });
    return 0;
  } finally {
    lines?.close();
    process.off("SIGINT", interrupt);
    process.stdout.off("error", leaveQuietly);
  }
}

function terminal(session: EvaluationSession, repl: Repl): LineReader {
  const { io } = session;
  return terminalLines({
    history: openHistory(historyFile(io.env), (text) => session.progress.warn(text)),
    complete: (line) => completeLine(repl, line, { directory: io.cwd, debugging: false }),
    interrupt: () => session.interruptWork(),
  });
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

/** The values of the command line's installables; with `--file` or `--expr` the whole value when none is named. */
async function installablesOf(session: EvaluationSession): Promise<{ what: string; value: Handle }[]> {
  const { flags } = session.invocation;
  const words = await session.words();
  if (words.length === 0 && !flags.has("file") && !flags.has("expr")) return [];
  const evaluation = await session.evaluation();
  evaluation.forgetFlakes();
  session.forgetRoot();
  const values: { what: string; value: Handle }[] = [];
  for (const installable of session.installables(words)) {
    if (installable.kind === "store-path") {
      throw new FirnError("usage", `'${installable.path}' is a store path, not a value`);
    }
    const what =
      installable.kind === "attribute" ? installable.path : `${showFlakeRef(installable.ref)}#${installable.fragment}`;
    const lookup = { defaults: [""], prefixes: [`packages.${session.system}.`, `legacyPackages.${session.system}.`] };
    const { value } = await session.find(installable, lookup);
    values.push({ what: byteStringOf(what), value });
  }
  return values;
}
