/** `firn repl` and the debugger give the reference's transcripts, byte for byte. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandboxWorks } from "@firn/build";
import { removePath } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";
import { formatTranscript, readCase, replConfig } from "./cases.ts";

const root = import.meta.dirname;
const names = readdirSync(root)
  .filter((file) => file.endsWith(".in"))
  .map((file) => file.slice(0, -".in".length));
const host = ["/bin", "/lib", "/lib64", "/usr"].filter((item) => existsSync(item));

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => removePath(place.directory));

async function transcript(name: string): Promise<string> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "firn-repl-")));
  cpSync(join(root, "files"), directory, { recursive: true });
  const { input, args } = readCase(root, name, directory);
  const env = { NIX_CONFIG: `${replConfig}sandbox-paths = ${host.join(" ")}\n` };
  const { out, err, code } = await place.firnWith({ cwd: directory, env, input }, ...args);
  await removePath(directory);
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  return formatTranscript({ out: bytes(out), err: bytes(err), code, directory });
}

const expected = (name: string): string => readFileSync(join(root, `${name}.exp`), "latin1");

describe("transcripts", () => {
  test.each(names.filter((name) => !name.startsWith("build-")))("%s", async (name) => {
    expect(await transcript(name)).toBe(expected(name));
  });
});

describe.skipIf(!sandboxWorks())("transcripts with builds", () => {
  test.each(names.filter((name) => name.startsWith("build-")))("%s", async (name) => {
    expect(await transcript(name)).toBe(expected(name));
  });
});
