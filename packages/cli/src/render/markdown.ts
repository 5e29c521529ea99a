/**
 * Markdown for a terminal, laid out as the reference lays out its documentation: paragraphs filled, code and quotations
 * behind a bar, lists with dots. Without colours the marks are removed.
 */
import { byteStringOf, textOf } from "@firn/formats";

/** Options of the layout. */
export interface MarkdownOptions {
  readonly columns: number;
  readonly colors: boolean;
}

type Block =
  | { readonly kind: "heading" | "paragraph"; readonly text: string }
  | { readonly kind: "code"; readonly lines: readonly string[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | {
      readonly kind: "list";
      readonly loose: boolean;
      readonly items: readonly { readonly mark: string; readonly blocks: readonly Block[] }[];
    };

const maxNesting = 20;
/** Length above which texts are not laid out. */
const maxLength = 200_000;
/** Limit of the line length for readability on wide terminals. */
const maxColumns = 80;
const itemStart = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;

function isBlank(line: string | undefined): boolean {
  return line !== undefined && /^\s*$/.test(line);
}

function startsBlock(line: string): boolean {
  return /^ {0,3}(?:#{1,6}(?: |$)|```|~~~|>)/.test(line) || itemStart.test(line);
}

// ---- blocks

function parseBlocks(lines: readonly string[], nesting = 0): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = /^( {0,3})(`{3,}|~{3,})/.exec(line);
    const heading = /^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/.exec(line);
    if (isBlank(line)) at++;
    else if (fence !== null) {
      const [, indent = "", mark = ""] = fence;
      const code: string[] = [];
      at++;
      while (at < lines.length && !(lines[at] ?? "").trimStart().startsWith(mark)) {
        code.push((lines[at++] ?? "").replace(new RegExp(`^ {0,${indent.length}}`), ""));
      }
      at++;
      blocks.push({ kind: "code", lines: code });
    } else if (heading !== null) {
      blocks.push({ kind: "heading", text: heading[1] ?? "" });
      at++;
    } else if (line.startsWith("    ")) {
      const code: string[] = [];
      while (at < lines.length && ((lines[at] ?? "").startsWith("    ") || isBlank(lines[at]))) {
        code.push((lines[at++] ?? "").slice(4));
      }
      while (isBlank(code.at(-1))) code.pop();
      blocks.push({ kind: "code", lines: code });
    } else if (/^ {0,3}>/.test(line) && nesting < maxNesting) {
      const inner: string[] = [];
      while (at < lines.length && !isBlank(lines[at]) && (inner.length === 0 || /^ {0,3}>/.test(lines[at] ?? ""))) {
        inner.push((lines[at++] ?? "").replace(/^ {0,3}> ?/, ""));
      }
      blocks.push({ kind: "quote", blocks: parseBlocks(inner, nesting + 1) });
    } else if (itemStart.test(line) && nesting < maxNesting) {
      const { list, next } = parseList(lines, at, nesting);
      blocks.push(list);
      at = next;
    } else {
      const text: string[] = [line];
      at++;
      while (at < lines.length && !isBlank(lines[at]) && !startsBlock(lines[at] ?? "")) text.push(lines[at++] ?? "");
      blocks.push({ kind: "paragraph", text: text.map((part) => part.trimStart()).join("\n") });
    }
  }
  return blocks;
}

function parseList(lines: readonly string[], from: number, nesting: number): { list: Block; next: number } {
  const items: { mark: string; blocks: Block[] }[] = [];
  let loose = false;
  let at = from;
  const ordered = (mark: string) => /\d/.test(mark);
  const first = itemStart.exec(lines[at] ?? "")?.[2] ?? "-";
  while (at < lines.length) {
    const start = itemStart.exec(lines[at] ?? "");
    if (start === null || ordered(start[2] ?? "") !== ordered(first)) break;
    const mark = start[2] ?? "";
    const width = start[0].length;
    const inner = [(lines[at++] ?? "").slice(width)];
    let blanks = 0;
    while (at < lines.length) {
      const line = lines[at] ?? "";
      if (isBlank(line)) blanks++;
      else if (line.search(/\S/) >= Math.min(width, 2 + (start[1] ?? "").length)) blanks = 0;
      else if (blanks > 0 || startsBlock(line)) break;
      inner.push(line.slice(Math.min(width, Math.max(0, line.search(/\S/)))));
      at++;
    }
    const following = itemStart.exec(lines[at] ?? "");
    const last = following === null || ordered(following[2] ?? "") !== ordered(first);
    const blocks = parseBlocks(inner, nesting + 1);
    if (blanks > 0 && !last) loose = true;
    if (blocks.length > 1 && blocks.some((block, i) => i > 0 && block.kind !== "list")) loose = true;
    items.push({ mark: ordered(mark) ? ` ${mark.replace(")", ".")} ` : "  · ", blocks });
  }
  return { list: { kind: "list", loose, items }, next: at };
}

// ---- inline

interface Piece {
  readonly text: string;
  /** Terminal codes. */
  readonly style: string;
  readonly link?: string;
}

const inline =
  /\\([!-/:-@[-`{-~])|(`+)(.+?)\2(?!`)|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s](?:[^*]*[^*\s])?)\*|(?<![\w])_([^_\s](?:[^_]*[^_\s])?)_(?![\w])|\[([^\]]*)\]\(([^()\s]*(?:\([^()]*\)[^()\s]*)?)\)|<(https?:[^>\s]+)>/s;

function pieces(text: string, style: readonly string[] = []): Piece[] {
  const all: Piece[] = [];
  for (let rest = text; rest !== ""; ) {
    const { made, after } = firstPieces(rest, style);
    all.push(...made);
    rest = after;
  }
  return all;
}

/** Returns the text up to the end of its first marked part, and the rest. */
function firstPieces(text: string, style: readonly string[]): { made: Piece[]; after: string } {
  const found = inline.exec(text);
  if (found === null) return { made: [{ text, style: style.join(";") }], after: "" };
  const [all, escaped, , code, strong, strong2, emphasis, emphasis2, label, target, url] = found;
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + all.length);
  const head: Piece[] = before === "" ? [] : [{ text: before, style: style.join(";") }];
  let middle: Piece[];
  if (escaped !== undefined) middle = [{ text: escaped, style: style.join(";") }];
  else if (code !== undefined) {
    middle = [{ text: code.replaceAll("\n", " "), style: [...withBold(style), "94"].join(";") }];
  } else if (strong !== undefined || strong2 !== undefined) middle = pieces(strong ?? strong2 ?? "", withBold(style));
  else if (emphasis !== undefined || emphasis2 !== undefined) {
    middle = pieces(emphasis ?? emphasis2 ?? "", [...style, "3"]);
  } else if (url !== undefined) middle = [{ text: url, style: "4;32", link: url }];
  else {
    const link = target ?? "";
    middle = pieces(label ?? "", ["1", "93"]).map((piece) => ({ ...piece, link }));
    // What can be followed is written out.
    if (/^[a-z]+:/.test(link)) middle.push({ text: " ", style: "" }, { text: link, style: "4;32", link });
  }
  return { made: [...head, ...middle], after };
}

function withBold(style: readonly string[]): string[] {
  return style.includes("1") ? [...style] : ["1", ...style];
}

// ---- lines

class Renderer {
  private readonly options: MarkdownOptions;

  constructor(options: MarkdownOptions) {
    this.options = options;
  }

  private styled({ text, style, link }: Piece): string {
    if (!this.options.colors || text === "") return text;
    const marked = style === "" ? text : `\x1b[${style}m${text}\x1b[0m`;
    return link === undefined ? marked : `\x1b]8;;${link}\x1b\\${marked}\x1b]8;;\x1b\\`;
  }

  /** Fills lines with the words of a text; a backslash or two spaces before a line end force a new line. */
  private fill(text: string, width: number, style: readonly string[] = []): string[] {
    const lines: string[] = [];
    for (const part of text.split(/(?:\\| {2,})\n/)) {
      let line = "";
      let used = 0;
      let space: Piece | undefined;
      let word: Piece[] = [];
      const flush = (): void => {
        const length = word.reduce((sum, piece) => sum + [...piece.text].length, 0);
        if (length === 0) return;
        if (used > 0 && used + 1 + length > width) {
          lines.push(line);
          line = "";
          used = 0;
        } else if (used > 0 && space !== undefined) {
          line += " ";
          used++;
        }
        for (const piece of word) line += this.styled(piece);
        used += length;
        word = [];
        space = undefined;
      };
      for (const piece of pieces(part.trimStart(), style)) {
        for (const token of piece.text.split(/(\s+)/)) {
          if (token === "") continue;
          if (/^\s+$/.test(token)) {
            flush();
            space = piece;
          } else word.push({ ...piece, text: token });
        }
      }
      flush();
      lines.push(line);
    }
    return lines;
  }

  blocks(blocks: readonly Block[], width: number, tight = false): string[] {
    const lines: string[] = [];
    for (const [i, block] of blocks.entries()) {
      if (i > 0 && !tight) lines.push("");
      lines.push(...this.block(block, width));
    }
    return lines;
  }

  private bar(lines: readonly string[], style: string): string[] {
    return lines.map((line) => this.styled({ text: "  │ ", style }) + line);
  }

  private block(block: Block, width: number): string[] {
    switch (block.kind) {
      case "paragraph":
        return this.fill(block.text, width);
      case "heading":
        return this.fill(block.text, width, ["1", "91"]);
      case "code":
        return this.bar(
          block.lines.map((text) => this.styled({ text, style: "1" })),
          "1;94",
        );
      case "quote":
        return this.bar(this.blocks(block.blocks, width - 4), "93");
      case "list": {
        const lines: string[] = [];
        for (const [i, item] of block.items.entries()) {
          if (i > 0 && block.loose) lines.push("");
          const inner = this.blocks(item.blocks, width - 4, !block.loose);
          // The reference ends the text of a short item with a space.
          if (!block.loose && item.blocks.length === 1) inner.push(`${inner.pop() ?? ""} `);
          inner.forEach((line, n) => {
            lines.push((n === 0 ? this.styled({ text: item.mark, style: "93" }) : "    ") + line);
          });
        }
        return lines;
      }
    }
  }
}

/** Lays out a text; the result has neither empty lines around it nor a final line end. */
export function renderMarkdown(markdown: string, options: MarkdownOptions): string {
  if (markdown.length > maxLength) return markdown.trim();
  const lines = new Renderer(options).blocks(
    parseBlocks(textOf(markdown).split("\n")),
    Math.min(options.columns, maxColumns) - 1,
  );
  return byteStringOf(lines.join("\n").trim());
}
