/** The chains of references from one path to another as a tree, also with the files that hold them. */
import { byteString, storePathHashPart } from "@firn/formats";
import type { LeadingPath, TreeAccess } from "@firn/store";
import { colors } from "./colors.ts";

/** A tree to show. */
export interface WhyTree {
  readonly from: string;
  readonly to: string;
  readonly leading: ReadonlyMap<string, LeadingPath>;
  /** True for every chain instead of a shortest one. */
  readonly all: boolean;
  /** Returns a path's files, whose contents are searched for references; undefined when they are not shown. */
  readonly filesOf?: (path: string) => TreeAccess;
  readonly line: (text: string) => void;
}

const { normal, grey, green, blue } = colors;

const bars = {
  last: byteString(Buffer.from("└───")),
  branch: byteString(Buffer.from("├───")),
  line: byteString(Buffer.from("│   ")),
  none: "    ",
  arrow: byteString(Buffer.from("→ ")),
  dots: byteString(Buffer.from("…")),
};

/** Prints the tree. */
export function printWhyTree(tree: WhyTree): void {
  if (tree.filesOf === undefined) tree.line(tree.from);
  new Printer(tree).node(tree.from, "", "");
}

class Printer {
  private readonly tree: WhyTree;
  private readonly visited = new Set<string>();

  constructor(tree: WhyTree) {
    this.tree = tree;
  }

  /** Prints what leads on from a path; returns false when the end is reached and no other chain is wanted. */
  node(path: string, first: string, tail: string): boolean {
    const { from, to, all, leading, filesOf, line } = this.tree;
    const seen = this.visited.has(path);
    if (filesOf !== undefined) line(`${first}${seen ? grey : ""}${first === "" ? "" : bars.arrow}${path}${normal}`);
    if (path === to && !all && from !== to) return false;
    if (seen) return true;
    if (filesOf !== undefined) this.visited.add(path);
    const next = leading.get(path)?.next ?? [];
    const hits = filesOf === undefined ? new Map<string, string[]>() : this.hits(filesOf(path), next);
    for (const [index, reference] of next.entries()) {
      const last = all ? index === next.length - 1 : true;
      const below = tail + (last ? bars.none : bars.line);
      const found = hits.get(reference) ?? [];
      for (const [at, hit] of (all ? found : found.slice(0, 1)).entries()) {
        const mark = at === 0 ? (last ? bars.last : bars.branch) : last ? bars.none : bars.line;
        line(`${tail}${mark}${hit}`);
      }
      if (filesOf === undefined) {
        const again = this.visited.has(reference) ? grey : "";
        line(`${tail}${last ? bars.last : bars.branch}${again}${reference}${normal}`);
        this.visited.add(path);
      }
      if (!this.node(reference, below, below)) return false;
      if (!all && from === to) return false;
    }
    return true;
  }

  /** Returns the places in a path's files where references stand, each with what is around it. */
  private hits(files: TreeAccess, references: readonly string[]): Map<string, string[]> {
    const hits = new Map<string, string[]>();
    const add = (reference: string, text: string): void => {
      hits.set(reference, [...(hits.get(reference) ?? []), text]);
    };
    const visit = (place: string): void => {
      const entry = files.find(place);
      const shown = place === "" ? "/" : place.slice(1);
      switch (entry?.kind) {
        case "directory":
          for (const name of entry.names) visit(`${place}/${name}`);
          return;
        case "symlink":
          for (const reference of references) {
            const part = storePathHashPart(reference);
            const at = entry.target.indexOf(part);
            if (at >= 0) add(reference, `${shown} -> ${this.coloured(entry.target, at, reference)}`);
          }
          return;
        case "regular": {
          const contents = Buffer.concat([...files.read(place)]);
          for (const reference of references) {
            const part = storePathHashPart(reference);
            const at = contents.indexOf(part, 0, "latin1");
            if (at < 0) continue;
            const start = Math.max(0, at - margin);
            const around = printable(byteString(contents.subarray(start, at + part.length + margin)));
            add(reference, `${shown}: ${bars.dots}${this.coloured(around, at - start, reference)}${bars.dots}`);
          }
          return;
        }
        case undefined:
          return;
      }
    };
    visit("");
    return hits;
  }

  private coloured(text: string, at: number, reference: string): string {
    const end = at + storePathHashPart(reference).length;
    const colour = reference === this.tree.to ? green : blue;
    return `${text.slice(0, at)}${colour}${text.slice(at, end)}${normal}${text.slice(end)}`;
  }
}

/** Number of bytes that are shown before and after a reference in a file. */
const margin = 32;

function printable(text: string): string {
  return text.replace(/[^ -~]/g, ".");
}
