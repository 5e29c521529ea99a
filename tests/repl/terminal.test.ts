/** The repl at a terminal: editing, completion, history, several lines, Ctrl-C. Needs python3 for a pseudo-terminal. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

const driver = fileURLToPath(new URL("./terminal.py", import.meta.url));
const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

interface Session {
  readonly seen: string;
  /** The text that did not come. */
  readonly missed: string | null;
  readonly status: number | null;
}

/** What to wait for, and what to type then. */
type Step = readonly [wait: string, type: string];

function atTerminal(steps: readonly Step[], args: readonly string[] = ["repl"], more = ""): Promise<Session> {
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", main, ...args];
  const child = spawn("python3", [driver, ...command], {
    cwd: join(place.directory, "work"),
    env: { ...place.environment, TERM: "xterm", NIX_CONFIG: `substituters =\nflake-registry =\n${more}` },
  });
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("utf8")));
    child.on("error", reject);
    child.on("close", () => (out === "" ? reject(new Error(err)) : resolve(JSON.parse(out) as Session)));
    child.stdin.end(JSON.stringify(steps));
  });
}

const prompt = "nix-repl> ";
const ctrlC = "\x03";
const ctrlD = "\x04";
const up = "\x1b[A";
const historyPath = (): string => join(place.directory, "home/.local/share/nix/repl-history");

describe.skipIf(!hasPython)("at a terminal", () => {
  test("TAB completes variables, attributes, paths and commands", async () => {
    writeFileSync(join(place.directory, "work/somefile.nix"), "1");
    const done = await atTerminal([
      [prompt, "longname = { attribute = 40; }\r"],
      [prompt, "longn\t.attr\t + 2\r"],
      ["42", "builtins.le\t\t"],
      ["builtins.lessThan", "ngth [ ]\r"],
      ["0", ":trace-e\t false\r"],
      ["not showing error traces", "import ./somef\t\r"],
      ["1", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
    expect(done.seen).toContain("builtins.length");
  });

  test("an incomplete expression and an incomplete definition go on in the next line", async () => {
    const done = await atTerminal([
      [prompt, "1 +\r"],
      ["        > ", "41\r"],
      ["42", "set = {\r"],
      ["        > ", "  a = 43;\r"],
      ["        > ", "}\r"],
      [prompt, "set.a\r"],
      ["43", "[ 1\r"],
      ["        > ", ctrlC],
      [prompt, "4 + 40\r"],
      ["44", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
  });

  test("lines are kept and come back, also in the next session", async () => {
    const first = await atTerminal([
      [prompt, "1000 + 1\r"],
      ["1001", `${up}\r`],
      ["1001", "1000 + 2\r"],
      ["1002", ctrlD],
    ]);
    expect(first).toMatchObject({ missed: null, status: 0 });
    expect(readFileSync(historyPath(), "utf8")).toBe("1000 + 1\n1000 + 2\n");
    const second = await atTerminal([
      [prompt, `${up}${up}\r`],
      ["1001", ctrlD],
    ]);
    expect(second).toMatchObject({ missed: null, status: 0 });
  });

  test("a history that cannot be kept is told once and does no harm", async () => {
    mkdirSync(historyPath(), { recursive: true });
    const done = await atTerminal([
      ["history cannot be kept", ""],
      [prompt, "40 + 2\r"],
      ["42", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
  });

  test("Ctrl-C clears the line, or stops an evaluation and not the repl", async () => {
    const done = await atTerminal([
      [prompt, "abc"],
      ["abc", ctrlC],
      ["^C", "l = builtins.genList (x: x) 20000\r"],
      [prompt, "slow = builtins.foldl' (a: b: builtins.foldl' (p: q: p + q) a l) 0 l\r"],
      [prompt, "slow\r"],
      ["slow\r\r\n", ctrlC],
      ["interrupted by the user", "builtins.length l\r"],
      ["20000", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
  });

  test("Ctrl-C stops output", async () => {
    const done = await atTerminal([
      [prompt, ":p builtins.genList (x: x) 400000\r"],
      ["12", ctrlC],
      ["interrupted by the user", "40 + 2\r"],
      ["42", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
    expect(done.seen).not.toContain("399999");
  });

  test("pasted lines are run one after the other", async () => {
    const done = await atTerminal([
      [prompt, "a = 20\rb = 22\ra + b\r"],
      ["\x1b[36;1m42", ctrlD],
    ]);
    expect(done).toMatchObject({ missed: null, status: 0 });
  });

  test("the debugger opens where it is asked for, knows the variables, and goes on", async () => {
    const done = await atTerminal(
      [
        [prompt, "nam\t\r"],
        ["\x1b[36;1m41", ":bt\r"],
        ["while calling", ctrlC],
        [prompt, ":c\r"],
        ["42", ""],
      ],
      ["eval", "--debugger", "--expr", "(name: builtins.break name + 1) 41"],
    );
    expect(done).toMatchObject({ missed: null, status: 0 });
  });
});

test("whoever stops reading the output ends the repl quietly", async () => {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "repl"], {
    cwd: join(place.directory, "work"),
    env: place.environment,
  });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("utf8")));
  child.stdout.once("data", () => child.stdout.destroy());
  // It may be gone before it has read everything.
  child.stdin.on("error", () => undefined);
  child.stdin.end(":p builtins.genList (x: x) 30000\n".repeat(3));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, err }).toEqual({ code: 0, err: "Nix 2.34.8\nType :? for help.\n" });
});

describe.skipIf(!hasPython || !sandboxWorks())("building at a terminal", () => {
  test("Ctrl-C stops a build, leaves no half path and the repl as it was", async () => {
    const host = ["/bin", "/lib", "/lib64", "/usr"].filter((item) => existsSync(item));
    const script = "echo started > $out; echo under-way; sleep 60";
    const done = await atTerminal(
      [
        [prompt, 'd = derivation { name = "slow"; system = builtins.currentSystem; builder = "/bin/sh"; '],
        ["/bin/sh", `PATH = "/bin:/usr/bin"; args = [ "-c" "${script}" ]; }\r`],
        [prompt, ":b d\r"],
        ["under-way", ctrlC],
        ["interrupted by the user", "d.name\r"],
        ["slow", ctrlD],
      ],
      ["repl", "--print-build-logs"],
      `sandbox-paths = ${host.join(" ")}\n`,
    );
    expect(done).toMatchObject({ missed: null, status: 0 });
    const left = readdirSync(join(place.store, "nix/store")).filter((name) => !name.endsWith(".drv"));
    expect(left.filter((name) => name !== ".links")).toEqual([]);
  });
});
