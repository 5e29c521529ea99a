/** Forms of messages and progress: `--log-format` and `json-log-path`. */
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { type FirnEvent, InternalJsonReader, removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
beforeEach(() => {
  place = makePlace();
  writeFileSync(
    join(place.directory, "work/x.nix"),
    `derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh";
       args = [ "-c" "echo hi; echo '@nix {\\"action\\":\\"setPhase\\",\\"phase\\":\\"ph\\"}'; echo bye; exit 1" ]; }`,
  );
});
afterEach(() => removePath(place.directory));

/** One object of the log: its number left out, since that is another one in each run. */
type Entry = Readonly<Record<string, unknown>> & {
  readonly action: string;
  readonly level?: number;
  readonly msg?: string;
};

function entries(text: string, mark: string): Entry[] {
  const lines = text.trimEnd().split("\n");
  for (const line of lines) expect(line.startsWith(`${mark}{`), line).toBe(true);
  return lines.map((line) => JSON.parse(line.slice(mark.length)) as Entry);
}

test.skipIf(!sandboxWorks())(
  "a build as JSON: activities, log, phases and counts as the reference's, and nothing else on standard error",
  async () => {
    const { code, err } = await place.firn("build", "--no-link", "-f", "x.nix", "--log-format", "internal-json");
    expect(code).toBe(1);
    const log = entries(err, "@nix ");
    const build = log.find(({ type, action }) => action === "start" && type === 105);
    // Fields and levels as the reference 2.34.8 writes them for this derivation.
    expect(build).toMatchObject({ level: 3, parent: 0, text: expect.stringMatching(/^building '\S*-x\.drv'$/) });
    expect(build?.fields).toEqual([expect.stringMatching(/-x\.drv$/), "", 1, 1]);
    const told = log.filter(({ id }) => id === build?.id).map(({ action, type, fields }) => [action, type, fields]);
    expect(told.slice(1)).toEqual([
      ["result", 101, ["hi"]],
      ["result", 104, ["ph"]],
      ["result", 101, ["bye"]],
      ["stop", undefined, undefined],
    ]);
    const counts = log.find(({ type, action }) => action === "start" && type === 104);
    const progress = log.filter(({ id, type }) => id === counts?.id && type === 105).map(({ fields }) => fields);
    expect(progress).toEqual([
      [0, 1, 0, 0],
      [0, 1, 1, 0],
      [0, 1, 0, 1],
    ]);
    const messages = log.filter(({ action }) => action === "msg");
    expect(messages.map(({ level }) => level)).toEqual([3, 3, 0]);
    expect(messages.at(-1)?.msg).toMatch(
      /^\x1b\[31;1merror:\x1b\[0m Cannot build '\S*-x\.drv'\.\n {7}Reason: builder failed with exit code 1\./,
    );
    // What is written can be read again.
    const events: FirnEvent[] = [];
    const reader = new InternalJsonReader((event) => void events.push(event));
    for (const entry of log) expect(reader.read(JSON.stringify(entry))).toBe(true);
    expect(events.filter(({ kind }) => kind === "build-log")).toEqual([
      { kind: "build-log", drvPath: build?.fields === undefined ? "" : (build.fields as string[])[0], line: "hi" },
      { kind: "build-log", drvPath: build?.fields === undefined ? "" : (build.fields as string[])[0], line: "bye" },
    ]);
  },
);

test("messages of an evaluation as JSON", async () => {
  const { code, out, err } = await place.firn(
    ...["eval", "--log-format", "internal-json", "--expr", 'builtins.trace "x" (builtins.warn "y" 1)'],
  );
  expect([code, out]).toEqual([0, "1\n"]);
  expect(entries(err, "@nix ").map(({ level, msg }) => [level, msg])).toEqual([
    [0, "trace: x"],
    [1, "\x1b[35;1mevaluation warning:\x1b[0m y"],
  ]);
});

/** What the reference writes: `nix --log-format internal-json eval --expr '{ a = 1 + ; }'`. */
const syntaxError = `{"action":"msg","column":11,"file":"«string»:1:11","level":0,"line":1,"msg":"\\u001b[31;1merror:\\u001b[0m syntax error, unexpected ';'\\n       \\u001b[34;1mat \\u001b[35;1m«string»:1:11\\u001b[0m:\\n            1| { a = 1 + ; }\\n             |           \\u001b[31;1m^\\u001b[0m","raw_msg":"syntax error, unexpected ';'"}\n`;

test("an error as JSON has message, position and trace for programs", async () => {
  const expression = ["--expr", "{ a = 1 + ; }"];
  expect((await place.firn("eval", "--log-format", "internal-json", ...expression)).err).toBe(`@nix ${syntaxError}`);
  const file = join(place.directory, "errors.json");
  const plain = await place.firn("eval", "--json-log-path", file, ...expression);
  expect(plain.err).toMatch(/^error: syntax error, unexpected ';'\n {7}at «string»:1:11:\n/);
  expect(readFileSync(file, "utf8")).toBe(syntaxError);
  const thrown = ["--expr", 'let f = x: throw "oops"; in f 1'];
  const [error] = entries(
    (await place.firn("eval", "--log-format", "internal-json", "--show-trace", ...thrown)).err,
    "@nix ",
  );
  expect(error).toMatchObject({
    column: null,
    file: null,
    raw_msg: "oops",
    trace: [
      { column: 12, line: 1, raw_msg: "while calling the 'throw' builtin" },
      { column: 9, file: "«string»:1:9", line: 1, raw_msg: "while calling 'f'" },
      { column: 29, line: 1, raw_msg: "from call site" },
    ],
  });
});

test.skipIf(!sandboxWorks())("a log in a file, or for a socket, beside what is shown", async () => {
  const file = join(place.directory, "log.json");
  const flags = ["build", "--no-link", "-f", "x.nix", "--log-format", "raw-with-logs", "--json-log-path"];
  const shown = await place.firn(...flags, file);
  expect(shown.err).toContain("x> hi\n");
  expect(
    entries(readFileSync(file, "utf8"), "")
      .filter(({ type }) => type === 101)
      .map(({ fields }) => fields),
  ).toEqual([["hi"], ["bye"]]);
  let received = "";
  const socket = join(place.directory, "socket");
  const server = net.createServer((client) => client.on("data", (data) => void (received += data.toString())));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await place.firn(...flags, socket);
  await expect.poll(() => received).toContain('"fields":["bye"]');
  server.close();
  const missing = await place.firn(...flags, join(place.directory, "none/log.json"));
  expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("opening JSON log file")]);
});

test("an unknown format is refused", async () => {
  expect(await place.firn("eval", "--expr", "1", "--log-format", "foo")).toEqual({
    code: 1,
    out: "",
    err: "error: option 'log-format' has an invalid value 'foo'\n",
  });
});
