/** The live block of builds, downloads and copies on a terminal, at times of a clock that the test moves. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FirnEvent } from "@firn/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Io } from "../io.ts";
import { buildTimesOf } from "./build-times.ts";
import { makeProgress, type ProgressOptions } from "./progress.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const drv = (name: string): string => `/nix/store/${"0".repeat(32)}-${name}.drv`;

interface Screen {
  readonly send: (...events: FirnEvent[]) => void;
  /** Waits and returns the live block. */
  readonly after: (seconds: number) => string[];
  /** Lines that stay. */
  readonly printed: () => string[];
  readonly finish: () => void;
}

function screen(more: Partial<ProgressOptions> & { readonly terminal?: boolean; readonly rows?: number } = {}): Screen {
  const { terminal = true, rows = 24, ...options } = more;
  const lines: string[] = [];
  let live = 0;
  const io: Io = {
    out: () => {},
    err: (text) => void lines.push(...text.slice(0, -1).split("\n")),
    control: (sequence) => {
      live = Number(/^\x1b\[(\d+)A\x1b\[J$/.exec(sequence)?.[1]);
      lines.splice(-live);
    },
    size: () => ({ columns: 60, rows }),
    terminal,
    env: {},
    cwd: "/",
    readStdin: async () => "",
  };
  const progress = makeProgress({ io, verbosity: 0, buildLogs: "hidden", ...options });
  return {
    send: (...events) => {
      for (const event of events) progress.event(event);
    },
    after(seconds) {
      vi.advanceTimersByTime(seconds * 1000);
      const all = [...lines];
      progress.clear();
      const block = all.slice(lines.length);
      return block;
    },
    printed() {
      progress.clear();
      return [...lines];
    },
    finish: () => progress.finish(),
  };
}

test("builds show their phase, their time, the time of the last build and the end of their log", () => {
  const times = {
    last: (path: string) => (path === drv("hello-2.12") ? 40 : undefined),
    took: () => {},
    save: () => {},
  };
  const { send, after } = screen({ times });
  send(
    { kind: "build-start", drvPath: drv("hello-2.12"), current: 1 },
    { kind: "build-start", drvPath: drv("other"), machine: "ssh://box", current: 2 },
    { kind: "build-phase", drvPath: drv("hello-2.12"), phase: "buildPhase" },
    { kind: "build-log", drvPath: drv("hello-2.12"), line: "one" },
    {
      kind: "build-log",
      drvPath: drv("hello-2.12"),
      line: "a line\tthat is \x1b[31mfar\x1b[0m longer than the terminal is wide, by much",
    },
  );
  expect(after(12)).toEqual([
    "├─ building hello-2.12 (buildPhase) 12 s, last time 40 s",
    "│    a line  that is far longer than the terminal is wide,…",
    "└─ building other on 'ssh://box' 12 s",
  ]);
  send({ kind: "build-end", drvPath: drv("hello-2.12"), ok: true, seconds: 13 });
  expect(after(1)).toEqual(["└─ building other on 'ssh://box' 13 s", "[1/1 built]"]);
});

test("downloads and copies to other stores show amount, speed and time left", () => {
  const { send, after } = screen();
  send(
    { kind: "transfer-start", id: 1, url: "https://cache.example/nar/x.nar.xz", size: 10 << 20 },
    { kind: "copy-start", path: "/nix/store/a", from: "https://cache.example", to: "local", size: 99 },
    { kind: "copy-start", path: `/nix/store/${"0".repeat(32)}-glibc`, from: "local", to: "ssh://box", size: 4 << 20 },
    { kind: "transfer-progress", id: 1, done: 2 << 20 },
    { kind: "copy-progress", path: `/nix/store/${"0".repeat(32)}-glibc`, done: 1 << 20, size: 4 << 20 },
  );
  expect(after(2)).toEqual([
    "├─ fetching x.nar.xz 2.0 of 10.0 MiB, 1.0 MiB/s, 8 s left",
    "└─ copying glibc to ssh://box 1.0 of 4.0 MiB, 0.5 MiB/s, 6…",
  ]);
  send(
    { kind: "copy-end", path: `/nix/store/${"0".repeat(32)}-glibc`, ok: true },
    { kind: "transfer-end", id: 1, ok: true, done: 10 << 20 },
  );
  expect(after(1)).toEqual([]);
});

test("more than the terminal is high is counted, names before logs", () => {
  const { send, after } = screen({ rows: 7 });
  for (const name of ["a", "b", "c"]) {
    send(
      { kind: "build-start", drvPath: drv(name), current: 1 },
      { kind: "build-log", drvPath: drv(name), line: "log" },
    );
  }
  expect(after(1)).toEqual(["├─ building a 1 s", "├─ building b 1 s", "└─ building c 1 s"]);
  for (const name of ["d", "e"]) send({ kind: "build-start", drvPath: drv(name), current: 1 });
  expect(after(1)).toEqual(["├─ building a 2 s", "├─ building b 2 s", "├─ building c 2 s", "└─ and 2 more"]);
});

test("the log of a build that fails beside others is shown at once, of the last one by its error", () => {
  const { send, printed } = screen();
  send(
    { kind: "build-start", drvPath: drv("bad"), current: 1 },
    { kind: "build-start", drvPath: drv("good"), current: 2 },
  );
  for (let n = 1; n <= 12; n++) send({ kind: "build-log", drvPath: drv("bad"), line: `line ${n}` });
  send({ kind: "build-end", drvPath: drv("bad"), ok: false, seconds: 3 });
  expect(printed()).toEqual([
    "bad failed after 3 s",
    ...Array.from({ length: 10 }, (_, index) => `bad> line ${index + 3}`),
  ]);
  send({ kind: "build-end", drvPath: drv("good"), ok: false, seconds: 3 });
  expect(printed().length).toBe(11);
});

test("without a terminal there are lines only", () => {
  const { send, after, printed } = screen({ terminal: false });
  send(
    { kind: "build-start", drvPath: drv("bad"), current: 1 },
    { kind: "build-start", drvPath: drv("good"), current: 2 },
    { kind: "build-log", drvPath: drv("bad"), line: "log" },
    { kind: "build-end", drvPath: drv("bad"), ok: false, seconds: 3 },
    { kind: "copy-start", path: "/nix/store/a", from: "local", to: "ssh://box", size: 4 },
    { kind: "copy-progress", path: "/nix/store/a", done: 2, size: 4 },
  );
  expect(after(5)).toEqual([]);
  expect(printed()).toEqual([
    `building '${drv("bad")}'...`,
    `building '${drv("good")}'...`,
    "copying path '/nix/store/a' to 'ssh://box'...",
  ]);
});

test("times of builds are kept by package, the newest thousand, and a damaged file counts as none", () => {
  const cache = mkdtempSync(join(tmpdir(), "firn-times-"));
  try {
    const open = () => buildTimesOf({ XDG_CACHE_HOME: cache })!;
    const first = open();
    expect(first.last(drv("hello-1.0"))).toBe(undefined);
    first.took(drv("hello-1.0"), 12.4);
    first.took(drv("quick-1.0"), 0.2);
    first.save();
    expect([open().last(drv("hello-2.0")), open().last(drv("quick-1.0"))]).toEqual([12, undefined]);
    const many = open();
    for (let n = 0; n < 1500; n++) many.took(drv(`p${n}x`), 5);
    many.save();
    expect([open().last(drv("hello-2.0")), open().last(drv("p499x")), open().last(drv("p500x"))]).toEqual([
      undefined,
      undefined,
      5,
    ]);
    const file = join(cache, "firn/build-times.json");
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8"))).length).toBe(1000);
    for (const text of ["{", "[1, null]", '{"hello": "12"}', "null"]) {
      writeFileSync(file, text);
      expect(open().last(drv("hello-2.0")), text).toBe(undefined);
    }
    expect(buildTimesOf({})).toBe(undefined);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
