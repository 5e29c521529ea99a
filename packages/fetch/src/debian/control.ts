/**
 * Debian control data (deb822): the paragraphs of Packages, Sources and Release files, and dependency fields.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
import { FirnError } from "@firn/formats";

/** The fields of one paragraph; continuation lines are kept, each after a newline, without their leading space. */
export type Paragraph = ReadonlyMap<string, string>;

/** Parses one paragraph. Fails with `deb-control` on a line that is neither a field nor a continuation. */
export function parseParagraph(text: string): Paragraph {
  const fields = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (name === "") throw new FirnError("deb-control", "Debian control data starts with a continuation line");
      fields.set(name, `${fields.get(name)}\n${line.slice(1)}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) {
      throw new FirnError("deb-control", `line '${line.slice(0, 80)}' of Debian control data is not a field`);
    }
    name = line.slice(0, colon);
    if (fields.has(name)) throw new FirnError("deb-control", `duplicate field '${name}' in Debian control data`);
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

/** Splits control data into its paragraphs without parsing them: an index holds 60,000 and most are never looked at. */
export function* splitParagraphs(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf("\n\n", start);
    const stop = end < 0 ? text.length : end;
    if (stop > start) yield text.slice(start, stop);
    start = stop + 2;
  }
}

/** A comparison operator of a version constraint. */
export type Relation = "<<" | "<=" | "=" | ">=" | ">>";

/** One alternative of a dependency: a package name, optionally with a version constraint. */
export interface Dependency {
  readonly name: string;
  readonly relation?: Relation;
  readonly version?: string;
}

const alternative = /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?$/;

/** Parses `a (>= 1) | b, c` into its groups of alternatives. Fails with `deb-control` on anything else. */
export function parseDependencies(field: string): Dependency[][] {
  const groups: Dependency[][] = [];
  for (const group of field.split(",")) {
    if (group.trim() === "") continue;
    groups.push(group.split("|").map(parseAlternative));
  }
  return groups;
}

function parseAlternative(text: string): Dependency {
  const match = alternative.exec(text.trim());
  if (match === null) throw new FirnError("deb-control", `'${text.trim()}' is not a Debian package relation`);
  const [, name = "", relation, version] = match;
  if (relation === undefined || version === undefined) return { name };
  return { name, relation: relation as Relation, version };
}
