/** `firn __build-remote`: the build hook of another program, which asks on standard input and is answered on standard error. */
import { clientConnection, logDescriptor, logMark, serveBuildHook } from "@firn/build";
import { FirnError } from "@firn/formats";
import { type EventSink, errorJson, hasErrorCode, InternalJsonWriter, openMachineStore } from "@firn/store";
import * as fs from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { commandSettings } from "../session/session.ts";

/** `firn __build-remote VERBOSITY`. */
export const command: Command = {
  positionals: [{ label: "verbosity" }],
  flags: [],
  async run(invocation, io) {
    const settings = commandSettings(invocation, io);
    const client = clientConnection(process.stdin, process.stdout);
    const say = (json: string): void => io.err(`${logMark}${json}\n`);
    const writer = new InternalJsonWriter(say);
    const events: EventSink = (event) => writer.event(event);
    try {
      await serveBuildHook({
        connection: client,
        settings,
        events,
        environment: io.env,
        signal: new AbortController().signal,
        answer: (line) => io.err(`${line}\n`),
        log: writeLog,
        openStore: () => openMachineStore({ settings, environment: io.env, events }),
      });
      return 0;
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      say(errorJson(`error: ${error.message}`, error, false));
      return 1;
    } finally {
      process.stdin.destroy();
    }
  },
};

/** Writes a line to the descriptor for logs; a program that has none to give, or has closed it, gets no log. */
function writeLog(line: string): void {
  try {
    // Where none was given the number is one of the runtime's own.
    const kind = fs.fstatSync(logDescriptor);
    if (kind.isFIFO() || kind.isSocket() || kind.isFile()) {
      fs.writeSync(logDescriptor, Buffer.from(`${line}\n`, "latin1"));
    }
  } catch (error) {
    if (!hasErrorCode(error, "EBADF", "EPIPE")) throw error;
  }
}
