/** The debugger's side of the terminal: a repl with the variables around the place where the evaluation stopped. */
import type { DebuggerStop } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { StopAnswer } from "@firn/language";
import type { DebuggerFrontEnd, EvaluationSession } from "../session/evaluation-session.ts";
import { breakpointText, errorText } from "./commands.ts";
import { replSessionOf } from "./repl-session.ts";

/** Opens the debugger for a session. */
export function openDebugger(session: EvaluationSession): DebuggerFrontEnd {
  const replSession = replSessionOf(session);
  return {
    async stop(stop: DebuggerStop): Promise<StopAnswer> {
      announce(session, stop);
      const repl = await replSession.repl(async () => []);
      try {
        await repl.select(0);
        replSession.greet();
        const end = await replSession.serve(repl, { stopped: true });
        // There is no error that could end the program.
        if (end === "quit" && (stop.kind === "step" || stop.kind === "trace")) process.exit(0);
        return end;
      } finally {
        await repl.close();
      }
    },
    close: () => replSession.close(),
  };
}

function announce(session: EvaluationSession, stop: DebuggerStop): void {
  const { io, progress } = session;
  progress.clear();
  switch (stop.kind) {
    case "error": {
      const { code, message, ...details } = stop.error;
      io.err(`${errorText(new FirnError(code, message, details), { showTrace: false, terminal: io.terminal })}\n\n`);
      if (stop.inTry) {
        io.err("This exception occurred in a 'tryEval' call. Use --ignore-try to skip these.\n\n");
      }
      return;
    }
    case "breakpoint":
      io.err(`${breakpointText(io.terminal)}\n\n`);
      return;
    case "step":
    case "trace":
      return;
  }
}
