/** Documentation as Markdown, in the reference's form. Texts are byte strings. */
import type { Documentation } from "@firn/language";

const ellipsis = "\xe2\x80\xa6";

/** The text that `:doc` shows; undefined when there is nothing to say. */
export function documentationText(found: Documentation): string | undefined {
  switch (found.kind) {
    case "builtin":
      return undefined;
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
