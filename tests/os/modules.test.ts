/** The module system of os/lib: what each case gives is what nixpkgs' lib gave under the real Nix (scripts/record-modules.ts). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../cli/run-firn.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cases = join(root, "tests/os/modules");
let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

const topics = readdirSync(cases).flatMap((file) => (file.endsWith(".exp") ? [file.slice(0, -".exp".length)] : []));

describe.each(topics)("%s", (topic) => {
  const expected = JSON.parse(readFileSync(join(cases, `${topic}.exp`), "utf8")) as Record<string, unknown>;
  let answers: Record<string, unknown>;
  beforeAll(async () => {
    const expression = `import ${cases}/cases.nix { lib = import ${join(root, "os/lib")}; topic = ${cases}/${topic}.nix; }`;
    const { code, out, err } = await place.firn("eval", "--impure", "--json", "--expr", expression);
    if (code !== 0) throw new Error(err);
    answers = JSON.parse(out) as Record<string, unknown>;
  });

  test("has an answer recorded for every case", () => {
    expect(Object.keys(answers).sort()).toEqual(Object.keys(expected).sort());
  });
  test.each(Object.keys(expected))("%s", (name) => {
    expect(answers[name]).toEqual(expected[name]);
  });
});
