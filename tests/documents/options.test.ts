/** The page of options is made of the modules. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { optionReference } from "../../scripts/option-reference.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("docs/options.md is what scripts/option-reference.ts writes", () => {
  expect(readFileSync(join(root, "docs/options.md"), "utf8")).toBe(optionReference());
});
