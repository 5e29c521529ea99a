/** Events as messages of the worker protocol, and back. */
import { wire } from "@firn/formats";
import { buildStartText, type EventSink, type FirnEvent, type MessageLevel } from "../events.ts";

const { activityTypes, resultTypes, verbosities } = wire;

/** Messages of a daemon that are no end of its work. */
export type Notice = Exclude<wire.StderrMessage, { readonly kind: "last" | "error" | "read" | "write" }>;

/** An activity of the daemon that events are made of. */
type Activity =
  | { readonly kind: "build"; readonly drvPath: string; readonly started: number }
  | { readonly kind: "transfer"; readonly id: number; done: number }
  | { readonly kind: "copy"; readonly path: string };

/** The first id of transfers of daemons; this process counts its own from one. */
let transfers = 2 ** 40;

/** Turns messages of one connection into events. */
export class NoticeReader {
  readonly #events: EventSink;
  readonly #activities = new Map<bigint, Activity>();
  #building = 0;

  constructor(events: EventSink) {
    this.#events = events;
  }

  /** Takes a message. */
  read(notice: Notice): void {
    switch (notice.kind) {
      case "next":
        this.#events({ kind: "message", level: "error", text: notice.text.replace(/\n+$/, "") });
        return;
      case "start-activity":
        this.#start(notice);
        return;
      case "stop-activity":
        this.#stop(notice.id);
        return;
      case "result":
        this.#result(notice);
    }
  }

  /** Ends all activities: the connection is over. */
  end(): void {
    for (const id of [...this.#activities.keys()]) this.#stop(id, false);
  }

  #start({ id, level, type, text, fields }: Notice & { readonly kind: "start-activity" }): void {
    const [first = "", second = "", third = ""] = fields.map(String);
    switch (type) {
      case activityTypes.build: {
        this.#activities.set(id, { kind: "build", drvPath: first, started: Date.now() });
        this.#building++;
        const machine = second === "" ? {} : { machine: second };
        this.#events({ kind: "build-start", drvPath: first, ...machine, current: this.#building });
        return;
      }
      case activityTypes.copyPath:
        this.#activities.set(id, { kind: "copy", path: first });
        this.#events({ kind: "copy-start", path: first, from: second, to: third, size: 0 });
        return;
      case activityTypes.fileTransfer: {
        const transfer = transfers++;
        this.#activities.set(id, { kind: "transfer", id: transfer, done: 0 });
        this.#events({ kind: "transfer-start", id: transfer, url: first });
        return;
      }
      default:
        if (text !== "") this.#events({ kind: "message", level: verbosities[level] ?? "vomit", text: `${text}...` });
    }
  }

  #stop(id: bigint, ok = true): void {
    const activity = this.#activities.get(id);
    this.#activities.delete(id);
    switch (activity?.kind) {
      case undefined:
        return;
      case "build": {
        this.#building--;
        const seconds = (Date.now() - activity.started) / 1000;
        this.#events({ kind: "build-end", drvPath: activity.drvPath, ok, seconds });
        return;
      }
      case "copy":
        this.#events({ kind: "copy-end", path: activity.path, ok });
        return;
      case "transfer":
        this.#events({ kind: "transfer-end", id: activity.id, ok, done: activity.done });
    }
  }

  #result({ id, type, fields }: Notice & { readonly kind: "result" }): void {
    const activity = this.#activities.get(id);
    const [first = ""] = fields.map(String);
    if (type === resultTypes.postBuildLogLine) {
      this.#events({ kind: "message", level: "notice", text: first });
    } else if (activity?.kind === "build") {
      const { drvPath } = activity;
      if (type === resultTypes.buildLogLine) this.#events({ kind: "build-log", drvPath, line: first });
      else if (type === resultTypes.setPhase) this.#events({ kind: "build-phase", drvPath, phase: first });
    } else if (activity?.kind === "transfer" && type === resultTypes.progress) {
      activity.done = Number(fields[0] ?? 0);
      const size = Number(fields[1] ?? 0);
      const total = size === 0 ? {} : { size };
      this.#events({ kind: "transfer-progress", id: activity.id, done: activity.done, ...total });
    }
  }
}

/** Turns events into messages of one connection. */
export class NoticeWriter {
  readonly #send: (notice: Notice) => void;
  /** Number of the most talkative level that the client wants; three is the reference's `info`. */
  verbosity = 3;
  readonly #activities = new Map<string, bigint>();
  #next = BigInt(process.pid) << 32n;

  constructor(send: (notice: Notice) => void) {
    this.#send = send;
  }

  /** Returns the number of an activity beside those of events. */
  newId(): bigint {
    return this.#next++;
  }

  /** Takes an event. */
  write(event: FirnEvent): void {
    switch (event.kind) {
      case "message":
        this.#message(event.level, event.text);
        return;
      case "build-start": {
        const { drvPath, machine = "" } = event;
        const fields = [drvPath, machine, 1n, 1n];
        this.#start(`build ${drvPath}`, { type: activityTypes.build, text: buildStartText(event), fields });
        return;
      }
      case "build-phase":
        this.#result(`build ${event.drvPath}`, resultTypes.setPhase, [event.phase]);
        return;
      case "build-log":
        this.#result(`build ${event.drvPath}`, resultTypes.buildLogLine, [event.line]);
        return;
      case "build-end":
        this.#stop(`build ${event.drvPath}`);
        return;
      case "transfer-start": {
        const text = `downloading '${event.url}'`;
        this.#start(`transfer ${event.id}`, { type: activityTypes.fileTransfer, text, fields: [event.url] });
        return;
      }
      case "transfer-progress": {
        const fields = [BigInt(event.done), BigInt(event.size ?? 0), 0n, 0n];
        this.#result(`transfer ${event.id}`, resultTypes.progress, fields);
        return;
      }
      case "transfer-end":
        this.#stop(`transfer ${event.id}`);
        return;
      case "copy-start": {
        const { path, from, to } = event;
        const text = `copying path '${path}' from '${from}' to '${to}'`;
        this.#start(`copy ${path}`, { type: activityTypes.copyPath, text, fields: [path, from, to] });
        return;
      }
      case "copy-progress": {
        const fields = [BigInt(event.done), BigInt(event.size), 0n, 0n];
        this.#result(`copy ${event.path}`, resultTypes.progress, fields);
        return;
      }
      case "copy-end":
        this.#stop(`copy ${event.path}`);
    }
  }

  #message(level: MessageLevel, text: string): void {
    if (verbosities.indexOf(level) > this.verbosity) return;
    this.#send({ kind: "next", text: `${level === "warn" ? "warning: " : ""}${text}\n` });
  }

  #start(
    key: string,
    activity: { readonly type: number; readonly text: string; readonly fields: readonly (string | bigint)[] },
  ): void {
    const id = this.#next++;
    this.#activities.set(key, id);
    this.#send({ kind: "start-activity", id, level: verbosities.indexOf("info"), ...activity, parent: 0n });
  }

  #result(key: string, type: number, fields: readonly (string | bigint)[]): void {
    const id = this.#activities.get(key);
    if (id !== undefined) this.#send({ kind: "result", id, type, fields });
  }

  #stop(key: string): void {
    const id = this.#activities.get(key);
    this.#activities.delete(key);
    if (id !== undefined) this.#send({ kind: "stop-activity", id });
  }
}
