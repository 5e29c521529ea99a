/**
 * `builtin:write-tree`: a tree of files and links that the attribute `manifest` describes, without a process: what a system makes anew with every change
 * (its units, /etc) is a few hundred small files.
 */

import * as path from "node:path";
import { FirnError, isJsonObject, type JsonValue, parseJson } from "@firn/formats";
import { disk, TreeWriter } from "@firn/store";
import * as fs from "@firn/store/files";
import { attribute, type BuiltinContext } from "./context.ts";
import { findInput, type InputView, isThere } from "./input-path.ts";
import { absentPrograms, type ProgramPlaces } from "./unit-programs.ts";

/** A piece of a text: bytes as they stand, or the contents of a file of an input. */
type TextPiece = string | { readonly file: string };

/** A file of the manifest; at `instead` where one of the paths `unless` exists: an absolute one in the inputs, another in this tree. */
interface TextEntry {
  /** Its pieces, in order. */
  readonly text: readonly TextPiece[];
  readonly mode: number;
  readonly unless: readonly string[];
  readonly instead: string | undefined;
}

/** A link of the manifest; to `otherwise` where its target, a path in an input, does not exist. */
interface LinkEntry {
  readonly target: string;
  readonly otherwise: string | undefined;
}

/** Links to every file below a directory of an input, which may be missing. */
interface Source {
  readonly from: string;
  /** The directory of the tree that they are made in; "" for its root. */
  readonly to: string;
  /** Patterns of the shell: names directly in `from` that are left out. */
  readonly except: readonly string[];
}

/** The attribute `manifest`, which is JSON. */
interface Manifest {
  readonly files: ReadonlyMap<string, TextEntry | LinkEntry>;
  /** Of two files at one place the first is linked, and none where the manifest has a file there, above or below. */
  readonly sources: readonly Source[];
  /** Places of the programs that units of this tree start; the absence of one is an error. */
  readonly programs: ProgramPlaces | undefined;
}

/** Makes output `out`. Errors `bad-derivation`, `bad-tree`, `forbidden-path`, `not-found`. */
export async function writeTree(context: BuiltinContext): Promise<void> {
  const manifest = readManifest(parseJson(attribute(context, "manifest")));
  const view: InputView = { store: context.store, allows: (storePath) => context.inputPaths.has(storePath) };
  const tree = treeOf(manifest, view);
  const out = context.output("out");
  // The file without a name is the output itself.
  if (!tree.has("")) disk.mkdirs(out);
  const writer = new TreeWriter(out);
  try {
    for (const [name, entry] of tree) {
      const place = name === "" ? "" : `/${name}`;
      if ("target" in entry) writer.symlink(entry.target, place);
      else writeFile(writer, place, { ...entry, text: contentsOf(entry, view) });
    }
  } finally {
    writer.close();
  }
  if (manifest.programs === undefined) return;
  const absent = absentPrograms(view, manifest.programs, textsOf(tree));
  if (absent.length === 0) return;
  for (const line of absent) context.log(line);
  throw new FirnError(
    "not-found",
    "name the package that has it in environment.systemPackages, or a program that its package has",
  );
}

/** Returns the bytes of a text whose pieces are put together. */
function contentsOf({ text }: TextEntry, view: InputView): Buffer {
  return Buffer.concat(
    text.map((piece) => {
      if (typeof piece === "string") return Buffer.from(piece, "latin1");
      const found = findInput(view, piece.file);
      if (found?.status.isFile() !== true) throw new FirnError("not-found", `'${piece.file}' is no file`);
      return fs.readFileSync(found.real);
    }),
  );
}

function writeFile(writer: TreeWriter, place: string, { text, mode }: { text: Buffer; mode: number }): void {
  const fd = writer.create(place, mode);
  try {
    disk.write(fd, text);
  } finally {
    fs.closeSync(fd);
  }
}

type Tree = Map<string, TextEntry | Pick<LinkEntry, "target">>;

/** Returns the files and links that a manifest comes to, by place. */
function treeOf({ files, sources }: Manifest, view: InputView): Tree {
  const tree: Tree = new Map();
  const depending: [string, TextEntry][] = [];
  for (const [name, entry] of files) {
    if ("text" in entry) {
      if (entry.instead === undefined) tree.set(name, entry);
      else depending.push([name, entry]);
    } else {
      const { target, otherwise } = entry;
      tree.set(name, { target: otherwise === undefined || isThere(view, target) ? target : otherwise });
    }
  }
  // Directories that the manifest needs: no link is made in their place.
  const directories = new Set([...tree.keys()].flatMap(parentsOf));
  const declared = new Set(tree.keys());
  for (const source of sources) {
    for (const file of filesBelow(view, source.from)) {
      if (source.except.some((pattern) => path.matchesGlob(file.split("/")[0] ?? "", pattern))) continue;
      const place = source.to === "" ? file : `${source.to}/${file}`;
      if (tree.has(place) || directories.has(place) || parentsOf(place).some((parent) => declared.has(parent)))
        continue;
      tree.set(place, { target: `${source.from}/${file}` });
    }
  }
  for (const [name, entry] of depending) {
    const taken = entry.unless.some((other) => (other.startsWith("/") ? isThere(view, other) : tree.has(other)));
    tree.set(taken ? (entry.instead ?? name) : name, entry);
  }
  return tree;
}

/** The directories above a place of a tree, without its root. */
function parentsOf(place: string): string[] {
  const names = place.split("/");
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join("/"));
}

/** Returns all that lies below a directory and is none itself, links unfollowed, as relative paths. */
function filesBelow(view: InputView, directory: string): string[] {
  const found = findInput(view, directory);
  if (found?.status.isDirectory() !== true) return [];
  const files: string[] = [];
  const walk = (real: string, prefix: string): void => {
    for (const entry of fs.readdirSync(real, { encoding: "latin1", withFileTypes: true })) {
      const name = prefix + entry.name;
      if (entry.isDirectory()) walk(`${real}/${entry.name}`, `${name}/`);
      else files.push(name);
    }
  };
  walk(found.real, "");
  return files.sort();
}

function* textsOf(tree: Tree): Generator<[string, string]> {
  for (const name of [...tree.keys()].sort()) {
    const entry = tree.get(name);
    if (entry !== undefined && "text" in entry)
      yield [name, entry.text.filter((piece) => typeof piece === "string").join("")];
  }
}

function readManifest(value: JsonValue): Manifest {
  const manifest = members(value, "manifest");
  const programs = manifest.get("programs");
  return {
    files: new Map([...members(manifest.get("files"), "files")].map(([name, entry]) => [name, readEntry(entry, name)])),
    sources: list(manifest.get("sources"), "sources").map((entry) => {
      const source = members(entry, "sources");
      const [from, to] = [string(source, "from"), string(source, "to")];
      return { from, to, except: strings(source, "except") };
    }),
    programs: programs === undefined ? undefined : readPlaces(members(programs, "programs")),
  };
}

type Members = ReadonlyMap<string, JsonValue>;

function readEntry(value: JsonValue, name: string): TextEntry | LinkEntry {
  const entry = members(value, name);
  if (!entry.has("text")) return { target: string(entry, "target"), otherwise: optional(entry, "otherwise") };
  const mode = optional(entry, "mode") ?? "644";
  if (!/^[0-7]{3,4}$/.test(mode)) throw malformed("mode");
  return {
    text: readText(entry.get("text")),
    mode: Number.parseInt(mode, 8),
    unless: strings(entry, "unless"),
    instead: optional(entry, "instead"),
  };
}

/** Reads a text: a string, or a list of strings and `{ file }`. */
function readText(value: JsonValue | undefined): readonly TextPiece[] {
  if (typeof value === "string") return [value];
  return list(value, "text").map((piece) =>
    typeof piece === "string" ? piece : { file: string(members(piece, "text"), "file") },
  );
}

function readPlaces(places: Members): ProgramPlaces {
  return { options: string(places, "options"), env: string(places, "env"), sw: string(places, "sw") };
}

function malformed(what: string): FirnError {
  return new FirnError("bad-derivation", `attribute 'manifest' is malformed at '${what}'`);
}

function members(value: JsonValue | undefined, what: string): Members {
  if (!isJsonObject(value)) throw malformed(what);
  return value;
}

function list(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(what);
  return value;
}

function optional(from: Members, name: string): string | undefined {
  const value = from.get(name);
  if (value !== undefined && typeof value !== "string") throw malformed(name);
  return value;
}

function string(from: Members, name: string): string {
  const value = optional(from, name);
  if (value === undefined) throw malformed(name);
  return value;
}

function strings(from: Members, name: string): string[] {
  return list(from.get(name), name).map((value) => {
    if (typeof value !== "string") throw malformed(name);
    return value;
  });
}
