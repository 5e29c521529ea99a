import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Words with which a comment asks a question, in place of naming its subject or its action. */
const question = /^(?:What|Whether|How|Where|Who|Whom|Whose|Something|Which|When|Why)\b/;

/** Finds the doc comments of a source text that begin with a question word, or that stand directly over another one. */
function unclearComments(text: string): string[] {
  const { comments, errors } = parseSync("source.ts", text);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  return comments
    .filter(({ type, value }) => type === "Block" && value.startsWith("*"))
    .map(({ value, end }) => ({
      first: value.slice(1).replace(/^[\s*]+/, ""),
      doubled: /^\n[ \t]*\/\*\*/.test(text.slice(end)),
    }))
    .filter(({ first, doubled }) => question.test(first) || doubled)
    .map(({ first }) => first.split("\n")[0]!.trim());
}

test("doc comments of the packages begin with their subject or a verb", () => {
  const found: Record<string, string[]> = {};
  for (const { file, text } of sourceFiles(root)) {
    const unclear = unclearComments(text);
    if (unclear.length > 0) found[file] = unclear;
  }
  expect(found).toEqual({});
});

test.each([
  ["a question word", "/** Whether a path is valid. */\nexport const a = 1;\n", ["Whether a path is valid."]],
  ["one after a line break", "/**\n * How it ends:\n * soon.\n */\nexport const a = 1;\n", ["How it ends:"]],
  ["a comment over another", "/** The old. */\n/** The new. */\nexport const a = 1;\n", ["The old."]],
])("%s is found", (_what, text, found) => {
  expect(unclearComments(text)).toEqual(found);
});

test("other comments and strings may ask", () => {
  const text = [
    "/** The header. */",
    "",
    "/** Tells whether a path is valid. */",
    "// What for?",
    "/* Why not? */",
    'export const a = "/** How? */";',
    "/** Whatever is left. */",
    "export const b = 1;",
  ];
  expect(unclearComments(text.join("\n"))).toEqual([]);
});
