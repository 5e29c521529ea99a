/** The module system of os/lib: what each case gives is what nixpkgs' lib gave under the real Nix (scripts/record-modules.ts). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate, toPlain } from "@firn/language";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cases = join(root, "tests/os/modules");

/** The .nix files below a directory, as the in-memory host takes them: at the place they have in the repository. */
function filesBelow(directory: string): Record<string, string> {
  const names = readdirSync(join(root, directory), { recursive: true, encoding: "utf8" });
  const nix = names.filter((name) => name.endsWith(".nix")).map((name) => join(directory, name));
  return Object.fromEntries(nix.map((name) => [`/${name}`, readFileSync(join(root, name), "utf8")]));
}
const files = { ...filesBelow("os/lib"), ...filesBelow("tests/os/modules") };
const value = (expression: string): unknown => toPlain(evaluate(expression, { files }));

const topics = readdirSync(cases).flatMap((file) => (file.endsWith(".json") ? [file.slice(0, -".json".length)] : []));

describe.each(topics)("%s", (topic) => {
  const expected = JSON.parse(readFileSync(join(cases, `${topic}.json`), "utf8")) as Record<string, unknown>;
  const answers = value(
    `import /tests/os/modules/cases.nix { lib = import /os/lib; topic = /tests/os/modules/${topic}.nix; }`,
  ) as Record<string, unknown>;

  test("has an answer recorded for every case", () => {
    expect(Object.keys(answers).sort()).toEqual(Object.keys(expected).sort());
  });
  test.each(Object.keys(expected))("%s", (name) => {
    expect(answers[name]).toEqual(expected[name]);
  });
});
