import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** Files that a page's links lead to, relative to the checkout. */
function targets(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/^( {4}|```)[\s\S]*?$/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.split("#")[0] ?? "")
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
    .map((target) => relative(root, join(root, dirname(page), target)));
}

test.each(pages)("links of %s lead somewhere", (page) => {
  expect(targets(page).filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

test("docs/README.md leads to every page of docs, or to its directory", () => {
  const reached = new Set(targets("docs/README.md"));
  const all = pages.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  expect(all.filter((page) => !reached.has(page) && !reached.has(dirname(page)))).toEqual([]);
});
