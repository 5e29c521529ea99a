/** Documentation as Markdown, in the reference's form. Texts are byte strings. */
import { byteStringOf } from "@firn/formats";
import type { Documentation } from "@firn/language";

const ellipsis = "\xe2\x80\xa6";

/** Returns the text that `:doc` shows; undefined when there is none. */
export async function documentationText(found: Documentation): Promise<string | undefined> {
  switch (found.kind) {
    case "builtin": {
      // All pages are one module, loaded when the first is wanted.
      const { builtinDocs } = await import("@firn/language/docs");
      const page = builtinDocs(found.name);
      if (page === undefined) return undefined;
      const args = (page.args ?? []).map((name) => `*${name}*`).join(" ");
      const synopsis = args === "" ? "" : `**Synopsis:** \`builtins.${found.name}\` ${args}\n\n`;
      return byteStringOf(synopsis + page.doc);
    }
    case "function": {
      const { name, position, comment } = found;
      let text = name === undefined ? "Function " : `Function \`${name}\`\\\n`;
      if (position !== undefined) text += `${name === undefined ? "" : `  ${ellipsis} `}defined at ${position}`;
      return comment === undefined || comment === "" ? text : `${text}\n\n${comment}`;
    }
    case "attribute": {
      const { name, position, comment } = found;
      const text = `Attribute \`${name}\`\n\n  ${ellipsis} defined at ${position}\n\n`;
      return text + (comment === undefined || comment === "" ? "No documentation found.\n\n" : comment);
    }
  }
}
