/** The module system of os/lib: what each case gives is what nixpkgs' lib gave under the real Nix (scripts/record-modules.ts). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cases = join(root, "tests/os/modules");
const topics = readdirSync(cases).flatMap((file) => (file.endsWith(".exp") ? [file.slice(0, -".exp".length)] : []));
let place: Place;
let answers: Record<string, Record<string, unknown>>;

beforeAll(async () => {
  place = makePlace();
  const answer = (topic: string) => `"${topic}" = import ./cases.nix { inherit lib; topic = ./${topic}.nix; };`;
  const expression = `let lib = import ${join(root, "os/lib")}; in { ${topics.map(answer).join(" ")} }`;
  const { code, out, err } = await place.firnWith({ cwd: cases }, "eval", "--impure", "--json", "--expr", expression);
  if (code !== 0) throw new Error(err);
  answers = JSON.parse(out) as typeof answers;
});
afterAll(() => place.remove());

describe.each(topics)("%s", (topic) => {
  const expected = JSON.parse(readFileSync(join(cases, `${topic}.exp`), "utf8")) as Record<string, unknown>;

  test("has an answer recorded for every case", () => {
    expect(Object.keys(answers[topic] ?? {}).sort()).toEqual(Object.keys(expected).sort());
  });
  test.each(Object.keys(expected))("%s", (name) => {
    expect(answers[topic]?.[name]).toEqual(expected[name]);
  });
});
