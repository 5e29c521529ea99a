/** The part of an image that holds sources, code that is not lowered yet, and the scopes that both need. */

import { ImageMismatch, type ImageReader, type ImageWriter, type Table } from "../heap/tables.ts";
import { parentOf } from "../syntax/path-text.ts";
import { addRoot, allRoots } from "./code-scopes.ts";
import { evaluation } from "./interpret.ts";
import { globalNames } from "./load.ts";
import { type LowerContext, notesAndPatterns, scopeOfNote, takeNotes } from "./lower.ts";
import type { Scope } from "./scope.ts";
import { addSource, allSources, type Source, type SourceOrigin } from "./source.ts";

const origins: readonly SourceOrigin[] = ["file", "string", "stdin", "internal"];

/** Scopes by number, each once; 0 is none. Cells: up, position of the `with`, room + 1, number of names or -1, (name, slot) … */
class ScopeWriter {
  private readonly numbers = new Map<Scope, number>();
  private readonly byContent = new Map<string, number>();
  private readonly cells: number[] = [];
  private count = 0;
  private readonly names = new Map<string, number>();

  numberOf(scope: Scope | null): number {
    if (scope === null) return 0;
    const known = this.numbers.get(scope);
    if (known !== undefined) return known;
    const names = scope.names === null ? [] : [...scope.names].flatMap(([name, slot]) => [this.nameOf(name), slot]);
    const count = scope.names === null ? -1 : scope.names.size;
    const cells = [this.numberOf(scope.up), scope.withPosition, (scope.room ?? -1) + 1, count, ...names];
    // The scopes of kept code are made anew for each part of it.
    const content = cells.join(" ");
    let number = this.byContent.get(content);
    if (number === undefined) {
      number = ++this.count;
      this.byContent.set(content, number);
      for (const cell of cells) this.cells.push(cell);
    }
    this.numbers.set(scope, number);
    return number;
  }

  private nameOf(name: string): number {
    let number = this.names.get(name);
    if (number === undefined) {
      number = this.names.size;
      this.names.set(name, number);
    }
    return number;
  }

  save(to: ImageWriter): void {
    to.cells("scopes", this.cells);
    to.texts("names in scopes", [...this.names.keys()]);
  }
}

/** Returns a function that makes scopes by their numbers, each once. */
function scopesOf(from: ImageReader): (number: number) => Scope | null {
  const cells = from.cells("scopes");
  const names = from.texts("names in scopes");
  const starts = [0];
  for (let at = 0; at < cells.length; at += 4 + 2 * Math.max(0, cells[at + 3]!)) starts.push(at);
  const made: (Scope | undefined)[] = [];
  const scopeAt = (number: number): Scope | null => {
    if (number === 0) return null;
    const known = made[number];
    if (known !== undefined) return known;
    const at = starts[number]!;
    const room = cells[at + 2]! - 1;
    const count = cells[at + 3]!;
    const slots = new Map<string, number>();
    for (let i = 0; i < count; i++) slots.set(names[cells[at + 4 + 2 * i]!]!, cells[at + 5 + 2 * i]!);
    const scope = {
      up: scopeAt(cells[at]!),
      names: count < 0 ? null : slots,
      withPosition: cells[at + 1]!,
      ...(room < 0 ? {} : { room }),
    };
    made[number] = scope;
    return scope;
  };
  return scopeAt;
}

/** Writes the sources. Of files whose hash the host knows, the text stays where it is. */
function saveSources(to: ImageWriter): void {
  const sources = allSources();
  to.cells(
    "sources",
    sources.flatMap(({ origin, length }) => [origins.indexOf(origin), length]),
  );
  to.texts(
    "names and hashes of sources",
    sources.flatMap(({ name, directory, hash, text }) => [
      name,
      directory === parentOf(name) ? "" : directory,
      hash ?? "",
      hash === undefined ? text : "",
    ]),
  );
}

function loadSources(from: ImageReader): void {
  if (allSources().length > 0) throw new ImageMismatch("there are sources already");
  const { code } = evaluation();
  const cells = from.cells("sources");
  const texts = from.texts("names and hashes of sources");
  for (let i = 0; 2 * i < cells.length; i++) {
    const [name = "", directory = "", hash = "", text = ""] = texts.slice(4 * i, 4 * i + 4);
    const origin = origins[cells[2 * i]!]!;
    if (hash === "") addSource(origin, name, directory === "" ? parentOf(name) : directory, text);
    else if (code === undefined) throw new ImageMismatch("no texts of files are known");
    else code.fileSource(name, hash, cells[2 * i + 1]!);
  }
}

/** Sources, the roots of code, and what is not lowered yet. */
export const codeTable: Table = {
  save(to) {
    saveSources(to);
    const scopes = new ScopeWriter();
    const { roots, scopes: rootScopes } = allRoots();
    to.cells("roots", roots);
    to.cells(
      "scopes of roots",
      rootScopes.map((scope) => scopes.numberOf(scope)),
    );
    const { notes, patterns } = notesAndPatterns();
    to.cells("patterns", [patterns]);
    const cells = new Int32Array(4 * notes.length);
    notes.forEach((note, i) => {
      if (note === null) return;
      const { context, offset, name } = note;
      cells.set([context.source.index, offset, name, scopes.numberOf(scopeOfNote(note))], 4 * i);
    });
    to.cells("notes", cells);
    scopes.save(to);
  },
  load(from) {
    loadSources(from);
    const scopeAt = scopesOf(from);
    const rootScopes = from.cells("scopes of roots");
    from.cells("roots").forEach((root, i) => {
      addRoot(root, scopeAt(rootScopes[i]!));
    });
    const notes = from.cells("notes");
    const owner = evaluation();
    const shared = { parser: owner.parser, isGlobal: globalNames(owner), lazy: true };
    const contexts = new Map<Source, LowerContext>();
    takeNotes(notes.length / 4, from.cells("patterns")[0]!, (index) => {
      const source = allSources()[notes[4 * index]!]!;
      let context = contexts.get(source);
      if (context === undefined) {
        context = { ...shared, source };
        contexts.set(source, context);
      }
      return {
        context,
        offset: notes[4 * index + 1]!,
        name: notes[4 * index + 2]!,
        scope: () => scopeAt(notes[4 * index + 3]!),
        expr: undefined,
      };
    });
  },
};
