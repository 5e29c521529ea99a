/** Events as JSON objects in the reference's log format `internal-json`: reading and writing. */
import {
  FirnError,
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  jsonNumber,
  parseJson,
  printJson,
  type SourcePosition,
  wire,
} from "@firn/formats";
import type { EventSink, FirnEvent, MessageLevel } from "../events.ts";
import { type Notice, NoticeReader, NoticeWriter } from "./daemon-events.ts";

type Entries = Readonly<Record<string, JsonValue | undefined>>;

function object(entries: Entries): JsonValue {
  const present = Object.entries(entries).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  return new Map(present);
}

function fieldsOf(fields: readonly (string | bigint)[]): JsonValue | undefined {
  return fields.length === 0
    ? undefined
    : fields.map((field) => (typeof field === "string" ? field : jsonNumber(field)));
}

function noticeEntries(notice: Notice): Entries {
  switch (notice.kind) {
    case "next":
      return { action: "msg", level: jsonNumber(0), msg: notice.text };
    case "start-activity": {
      const { id, level, type, text, fields, parent } = notice;
      return {
        action: "start",
        id: jsonNumber(id),
        level: jsonNumber(level),
        type: jsonNumber(type),
        text,
        parent: jsonNumber(parent),
        fields: fieldsOf(fields),
      };
    }
    case "stop-activity":
      return { action: "stop", id: jsonNumber(notice.id) };
    case "result":
      return {
        action: "result",
        id: jsonNumber(notice.id),
        type: jsonNumber(notice.type),
        fields: fieldsOf(notice.fields),
      };
  }
}

const warningLabel = /^(?:\x1b\[35;1m)?(evaluation warning|warning):(?:\x1b\[0m)? /;

/** Returns a message of a level as a JSON object on one line; warnings get their label, as the reference's have it. */
export function messageJson(level: MessageLevel, text: string): string {
  return printJson(object(messageEntries(level, text)));
}

function messageEntries(level: MessageLevel, text: string): Entries {
  const [label = "", name = "warning"] = (level === "warn" && warningLabel.exec(text)) || [];
  const msg = level === "warn" ? `\x1b[35;1m${name}:\x1b[0m ${text.slice(label.length)}` : text;
  return { action: "msg", level: jsonNumber(wire.verbosities.indexOf(level)), msg };
}

/**
 * Returns an error as a JSON object on one line: `text` is what a terminal would show, and message, position and trace (from the inside out; when
 * `showTrace` is set and there is one) stand beside it for programs.
 */
export function errorJson(text: string, error: FirnError, showTrace: boolean): string {
  const entriesOf = (message: string, position: SourcePosition | undefined): Entries => ({
    column: position === undefined ? null : jsonNumber(position.column),
    file: position === undefined ? null : `${position.file}:${position.line}:${position.column}`,
    line: position === undefined ? null : jsonNumber(position.line),
    raw_msg: message,
  });
  const frames = error.trace.filter(({ message }) => message !== "");
  const trace = frames.map(({ message, position }) => object(entriesOf(message, position)));
  return printJson(
    object({
      ...messageEntries("error", text),
      ...entriesOf(error.message, error.position),
      trace: showTrace && trace.length > 0 ? trace : undefined,
    }),
  );
}

/** Counts of one kind of work. */
interface Totals {
  readonly id: bigint;
  done: number;
  expected: number;
  running: number;
  failed: number;
}

/** Turns events into JSON objects, and counts builds and copies for programs that show how far the whole is. */
export class InternalJsonWriter {
  readonly #write: (json: string) => void;
  readonly #notices: NoticeWriter;
  #totals: { readonly whole: bigint; readonly builds: Totals; readonly copies: Totals } | undefined;

  /** Takes what writes an object, one a call and without a line break. */
  constructor(write: (json: string) => void) {
    this.#write = write;
    this.#notices = new NoticeWriter((notice) => this.#notice(notice));
  }

  /** Takes an event. */
  event(event: FirnEvent): void {
    if (event.kind === "message") {
      this.#write(messageJson(event.level, event.text));
      return;
    }
    this.#notices.write(event);
    switch (event.kind) {
      case "build-start":
        this.#count("builds", { running: 1 });
        return;
      case "build-end":
        this.#count("builds", { running: -1, ...(event.ok ? { done: 1 } : { failed: 1 }) });
        return;
      case "copy-start":
        this.#count("copies", { running: 1 });
        return;
      case "copy-end":
        this.#count("copies", { running: -1, ...(event.ok ? { done: 1 } : { failed: 1 }) });
    }
  }

  /** Announces builds and copies to come. */
  expect({ builds, copies }: { readonly builds: number; readonly copies: number }): void {
    this.#count("builds", { expected: builds });
    this.#count("copies", { expected: copies });
  }

  /** Ends the counts. */
  end(): void {
    if (this.#totals === undefined) return;
    const { whole, builds, copies } = this.#totals;
    for (const id of [copies.id, builds.id, whole]) this.#notice({ kind: "stop-activity", id });
    this.#totals = undefined;
  }

  #count(kind: "builds" | "copies", change: Partial<Record<"done" | "expected" | "running" | "failed", number>>): void {
    this.#totals ??= {
      whole: this.#begin("realise"),
      builds: this.#beginTotals("builds"),
      copies: this.#beginTotals("copyPaths"),
    };
    const totals = this.#totals[kind];
    totals.done += change.done ?? 0;
    totals.expected += change.expected ?? 0;
    totals.running += change.running ?? 0;
    totals.failed += change.failed ?? 0;
    const { id, done, expected, running, failed } = totals;
    const fields = [done, Math.max(expected, done + running), running, failed].map(BigInt);
    this.#notice({ kind: "result", id, type: wire.resultTypes.progress, fields });
  }

  #beginTotals(type: "builds" | "copyPaths"): Totals {
    return { id: this.#begin(type), done: 0, expected: 0, running: 0, failed: 0 };
  }

  #begin(type: "realise" | "builds" | "copyPaths"): bigint {
    const id = this.#notices.newId();
    const activity = { id, level: 0, type: wire.activityTypes[type], text: "", fields: [], parent: 0n };
    this.#notice({ kind: "start-activity", ...activity });
    return id;
  }

  #notice(notice: Notice): void {
    this.#write(printJson(object(noticeEntries(notice))));
  }
}

/** Reads lines of the log format `internal-json` and turns them into events. */
export class InternalJsonReader {
  readonly #notices: NoticeReader;
  readonly #events: EventSink;

  constructor(events: EventSink) {
    this.#events = events;
    this.#notices = new NoticeReader(events);
  }

  /** Takes the JSON object of a line; returns false when it is none of this format. */
  read(text: string): boolean {
    const value = parsed(text);
    if (!isJsonObject(value)) return false;
    const whole = (name: string): number => {
      const found = value.get(name);
      return isJsonNumber(found) ? Number(found.number) : 0;
    };
    const id = BigInt(whole("id"));
    const type = whole("type");
    const fields = fieldsFrom(value.get("fields"));
    const level = whole("level");
    switch (value.get("action")) {
      case "msg":
        this.#events({ kind: "message", ...messageOf(wire.verbosities[level] ?? "vomit", textOf(value.get("msg"))) });
        return true;
      case "start":
        this.#notices.read({
          kind: "start-activity",
          id,
          level,
          type,
          fields,
          text: textOf(value.get("text")),
          parent: BigInt(whole("parent")),
        });
        return true;
      case "stop":
        this.#notices.read({ kind: "stop-activity", id });
        return true;
      case "result":
        this.#notices.read({ kind: "result", id, type, fields });
        return true;
      default:
        return false;
    }
  }

  /** Ends all activities. */
  end(): void {
    this.#notices.end();
  }
}

/** Returns a message without the label that its level stands for. */
function messageOf(level: MessageLevel, text: string): { readonly level: MessageLevel; readonly text: string } {
  const label = level === "warn" ? warningLabel.exec(text) : null;
  return { level, text: label?.[1] === "warning" ? text.slice(label[0].length) : text };
}

function parsed(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return undefined;
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function fieldsFrom(value: JsonValue | undefined): (string | bigint)[] {
  if (!Array.isArray(value)) return [];
  return value.map((field: JsonValue) => {
    if (isJsonNumber(field)) return /^-?\d+$/.test(field.number) ? BigInt(field.number) : 0n;
    return typeof field === "string" ? field : "";
  });
}
