import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backtickWords, nixScript, nixShellScript, shellWords } from "./script.ts";

test("backticks quote, a blank before the closing ones is dropped, three or more stand for themselves", () => {
  expect(backtickWords("shell --file ``<nixpkgs>`` a``b c``d `` x `` a#b `````` ``")).toEqual([
    ...["shell", "--file", "<nixpkgs>", "b c", "d", " x", "a#b", "```"],
  ]);
  expect(() => backtickWords("a ``b")).toThrow("unterminated quoted string in nix shebang");
  expect(() => backtickWords("a ```")).toThrow("unterminated quoted string in nix shebang");
  for (const char of "$*~<>|;()[]{}'\"\\") {
    expect(() => backtickWords(`a ${char}`)).toThrow(
      `unsupported unquoted character in nix shebang: ${char}. Use double backticks to escape?`,
    );
  }
  expect(() => backtickWords("a #b")).toThrow("unquoted nix shebang argument cannot start with #");
  expect(() => backtickWords("`a`")).toThrow("single backtick is not a supported syntax in the nix shebang.");
});

test("words of a shell", () => {
  expect(shellWords(`-p python3 "git.override { a = 1; }" 'x"y' a\\ b "\\""`)).toEqual([
    ...["-p", "python3", "git.override { a = 1; }", 'x"y', "a b", '"'],
  ]);
  expect(() => shellWords("a 'b")).toThrow("unterminated string in shebang");
});

test("scripts are found by their first line, and their lines for this program are read", () => {
  const directory = mkdtempSync(join(tmpdir(), "firn-script-"));
  const file = join(directory, "скрипт");
  const path = Buffer.from(file).toString("latin1");
  writeFileSync(file, "#! /usr/bin/env nix\n#! nix eval --expr ``\n# other\n#!nix\t1 ``\n\n#! nix --late\n");
  expect(nixScript([path, "a", "-b"], "/")).toEqual({
    path,
    directory,
    words: ["eval", "--expr", "\n1"],
    args: ["a", "-b"],
  });
  writeFileSync(file, "#! /usr/bin/env nix-shell\n#! nix-shell -i 'real bash'\ntext\n#! nix-shell -p x\n");
  expect(nixShellScript([path], "/")?.words).toEqual(["-i", "real bash", "-p", "x"]);
  expect(nixScript([path], "/")).toBeUndefined();
  writeFileSync(file, "#! nix eval\n");
  expect(nixScript([path], "/")?.words).toEqual(["eval"]);
  writeFileSync(file, "{ }\n");
  expect(nixShellScript([path], "/")).toBeUndefined();
  expect(nixScript(["/nowhere"], "/")).toBeUndefined();
  expect(nixScript(["-x"], "/")).toBeUndefined();
});
