/** Programs that the repl starts: editors, and Firn's own commands. */
import { FirnError } from "@firn/formats";
import { startProgram } from "@firn/store";
import { ownCommand } from "@firn/store/surroundings";
import { editorCommand } from "../programs/editor.ts";
import { TerminalFilter } from "../render/terminal-filter.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";

function run(session: EvaluationSession, program: string, args: readonly string[]): Promise<void> {
  const { io } = session;
  session.progress.clear();
  return new Promise((resolve, reject) => {
    // Programs talk to the terminal itself, except where the repl's own streams are not the process's.
    const own = io.input === undefined;
    const stdio = own ? "inherit" : (["ignore", "pipe", "inherit"] as const);
    const child = startProgram(program, args, {
      stdio: typeof stdio === "string" ? stdio : [...stdio],
      cwd: io.cwd,
      env: { ...io.env },
    });
    child.stdout?.on("data", (chunk: Buffer) => io.out(chunk));
    child.on("error", (error) => {
      reject(new FirnError("program-failed", `executing '${program}': ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else {
        const how = code === null ? `was killed by signal ${signal ?? ""}` : `failed with exit code ${code}`;
        reject(new FirnError("program-failed", `program '${program}' ${how}`));
      }
    });
  });
}

/** Opens a file in $EDITOR, at a line if the editor supports it; line 0 is none. */
export async function openEditor(session: EvaluationSession, path: string, line: number): Promise<void> {
  const { program, args } = editorCommand(session.io.env, line);
  await run(session, program, [...args, path]);
}

/** Runs a command of Firn with the settings of this session. */
export async function runFirn(session: EvaluationSession, words: readonly string[]): Promise<void> {
  const settings = session.invocation.settings.flatMap(([key, value]) => ["--option", key, value]);
  const [program = "", ...own] = ownCommand();
  await run(session, program, [...own, ...words, ...settings]);
}

/** Shows a long text (a byte string) in $PAGER when standard output is a terminal. */
export async function page(session: EvaluationSession, bytes: string): Promise<void> {
  const { io, progress } = session;
  progress.clear();
  const pager = io.env.NIX_PAGER ?? io.env.PAGER ?? "less";
  const terminal = io.input === undefined && process.stdout.isTTY === true;
  if (!terminal || pager === "" || pager === "cat" || bytes.split("\n").length < (process.stdout.rows ?? 24)) {
    io.out(Buffer.from(bytes, "latin1"));
    return;
  }
  await new Promise<void>((resolve) => {
    const child = startProgram("/bin/sh", ["-c", pager], {
      stdio: ["pipe", "inherit", "inherit"],
      env: { LESS: "FRSXMK", ...io.env },
    });
    // Leaving the pager before the end of the text is no error; a pager that is not there has said so.
    child.stdin.on("error", () => undefined);
    child.on("error", () => resolve());
    child.on("close", () => resolve());
    child.stdin.end(new TerminalFilter().filter(Buffer.from(bytes, "latin1")));
  });
}
