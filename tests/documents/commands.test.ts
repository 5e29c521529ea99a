import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandTable } from "../../packages/cli/src/grammar/table.ts";
import { commandReference } from "../../scripts/command-reference.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/commands.md is what scripts/command-reference.ts writes", async () => {
  expect(readFileSync(join(root, "docs/commands.md"), "utf8")).toBe(await commandReference());
});

test("it has every command, and none that is internal", async () => {
  const text = await commandReference();
  for (const { path, style } of commandTable) {
    const heading = `\n### ${style === "old" ? "" : "firn "}${path.join(" ")}\n`;
    expect([path, text.includes(heading)]).toEqual([path, style !== "internal"]);
  }
});
