/** The form of messages and progress: the flag `--log-format`, and the form as JSON objects for other programs. */
import { FirnError } from "@firn/formats";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";

/** A form of messages and progress: JSON for programs, plain lines, or a live block where there is a terminal; with logs of builds or not. */
export interface LogFormat {
  readonly form: "json" | "plain" | "live";
  readonly buildLogs: boolean;
}

const formats: Readonly<Record<string, LogFormat>> = {
  "internal-json": { form: "json", buildLogs: false },
  raw: { form: "plain", buildLogs: false },
  "raw-with-logs": { form: "plain", buildLogs: true },
  bar: { form: "live", buildLogs: false },
  "bar-with-logs": { form: "live", buildLogs: true },
};

/** The names of the formats, sorted. */
export const logFormatNames: readonly string[] = Object.keys(formats).sort();

/** Returns the format that a command line asks for; undefined when it does not say. Error `bad-log-format`. */
export function logFormatOf({ flags }: Invocation): LogFormat | undefined {
  const name = flags.value("log-format");
  if (name === undefined) return undefined;
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format === undefined) throw new FirnError("bad-log-format", `option 'log-format' has an invalid value '${name}'`);
  return format;
}

/** Returns the ends of a command whose messages have the form that the command line asks for. */
export async function formattedIo(io: Io, format: LogFormat | undefined): Promise<Io> {
  const { control: _moving, ...plain } = io;
  switch (format?.form) {
    case undefined:
    case "live":
      return io;
    case "plain":
      return { ...plain, terminal: false };
    case "json": {
      const { messageJson } = await import("@firn/store");
      const record = (json: string): void => io.err(`@nix ${json}\n`);
      return {
        ...plain,
        terminal: false,
        record,
        err(text) {
          const [, label] = /^(error|warning|evaluation warning|trace):/.exec(text) ?? [];
          const level =
            label === "error" || label === "trace" ? "error" : label?.endsWith("warning") === true ? "warn" : "info";
          record(messageJson(level, text.replace(/^warning: /, "").trimEnd()));
        },
      };
    }
  }
}
