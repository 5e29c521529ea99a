/**
 * Gathers the pages of the builtins (packages/language/src/builtins/pages) into one module, so that the pure language
 * package has them without reading files.
 *
 *   node scripts/builtin-pages.ts                write the module
 *   node scripts/builtin-pages.ts --reference    also put the reference's answers into the examples
 *
 * FIRN_REFERENCE names the command that runs the reference's programs (default: real-nix in the user's cache).
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const builtins = fileURLToPath(new URL("../packages/language/src/builtins", import.meta.url));
const pages = join(builtins, "pages");

/** The text of the module for the pages as they are. */
export function pagesModule(): string {
  const entries = readdirSync(pages)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => {
      const text = readFileSync(join(pages, file), "utf8");
      return `  [\n    ${JSON.stringify(file.slice(0, -".md".length))},\n    ${JSON.stringify(text)},\n  ],\n`;
    });
  return `/** The pages of the builtins by name. Made by scripts/builtin-pages.ts; edit pages/NAME.md instead. */\nexport const pageTexts: ReadonlyMap<string, string> = new Map([\n${entries.join("")}]);\n`;
}

/** Where the module lies. */
export const pagesModuleFile = join(builtins, "page-texts.ts");

/** An example's code with the reference's answer as its last line. */
function answered(code: string): string {
  const reference = process.env.FIRN_REFERENCE ?? join(homedir(), ".cache", "firn-reference", "real-nix");
  const plain = code.replace(/^# (?:=>|error:).*\n/m, "");
  const done = spawnSync(reference, ["nix-instantiate", "--eval", "--strict", "-E", plain], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
  if (done.status === 0) return `${plain}# => ${done.stdout}`;
  const message = done.stderr.slice(done.stderr.lastIndexOf("error: ") + "error: ".length).split("\n")[0];
  return `${plain}# error: ${message}\n`;
}

if (import.meta.main) {
  if (process.argv.includes("--reference")) {
    for (const file of readdirSync(pages)) {
      const text = readFileSync(join(pages, file), "utf8");
      const fresh = text.replace(/(```nix\n)([\s\S]*?)(```)/g, (whole, open: string, code: string, close: string) =>
        /^# (?:=>|error:)/m.test(code) ? open + answered(code) + close : whole,
      );
      if (fresh !== text) writeFileSync(join(pages, file), fresh);
    }
  }
  writeFileSync(pagesModuleFile, pagesModule());
}
