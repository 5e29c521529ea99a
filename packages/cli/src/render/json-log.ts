/** The setting `json-log-path`: the log of a command as JSON objects, one a line, in a file or for a socket. */
import net from "node:net";
import { machineError, withSocketPath } from "@firn/store";
import * as fs from "@firn/store/files";
import { jsonProgress } from "./json-progress.ts";
import type { Progress } from "./progress-sink.ts";

/** Returns a renderer that also writes all it gets to a place, if one is given. Error `system-error`. */
export function withJsonLog(shown: Progress, place: string | undefined): Progress {
  if (place === undefined || place === "") return shown;
  const log = openJsonLog(place);
  const written = jsonProgress(
    (json) => log.write(`${json}\n`),
    () => true,
  );
  return {
    event(event) {
      written.event(event);
      shown.event(event);
    },
    warn(text) {
      written.warn(text);
      shown.warn(text);
    },
    expect(plan) {
      written.expect(plan);
      shown.expect(plan);
    },
    clear: () => shown.clear(),
    finish() {
      written.finish();
      log.close();
      shown.finish();
    },
  };
}

interface Log {
  write(line: string): void;
  close(): void;
}

/** Opens the log at a place. Error `system-error`. */
export function openJsonLog(place: string): Log {
  try {
    if (fs.statSync(place, { throwIfNoEntry: false })?.isSocket() === true) return socketLog(place);
    const fd = fs.openSync(place, "a", 0o644);
    return {
      write: (line) => void fs.writeSync(fd, Buffer.from(line, "latin1")),
      close: () => fs.closeSync(fd),
    };
  } catch (error) {
    throw machineError(error, `opening JSON log file '${place}'`) ?? error;
  }
}

function socketLog(place: string): Log {
  const socket = withSocketPath(place, (path) => net.connect(path));
  // The log is for whoever listens; that nobody does any more must not end the command.
  socket.on("error", () => undefined);
  return {
    write: (line) => void socket.write(Buffer.from(line, "latin1")),
    close: () => void socket.end(),
  };
}
