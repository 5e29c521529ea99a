/** Progress as JSON objects of the reference's format `internal-json`, for programs that show it. */
import { InternalJsonWriter, type MessageLevel } from "@firn/store";
import type { Progress } from "./progress-sink.ts";

/** Makes the renderer that writes objects; `shows` tells which messages are wanted. */
export function jsonProgress(record: (json: string) => void, shows: (level: MessageLevel) => boolean): Progress {
  const writer = new InternalJsonWriter(record);
  const progress: Progress = {
    event(event) {
      if (event.kind !== "message" || shows(event.level)) writer.event(event);
    },
    warn: (text) => progress.event({ kind: "message", level: "warn", text }),
    expect: (plan) => writer.expect(plan),
    clear: () => undefined,
    finish: () => writer.end(),
  };
  return progress;
}
