/** The contents of a suite's Packages and Sources indices: binary packages by name, virtual packages, source files. */
import { FirnError } from "@firn/formats";
import { parseDependencies, parseParagraph, splitParagraphs } from "./control.ts";
import { compareDebianVersions } from "./version.ts";

/** A binary package as an index describes it; dependency fields are parsed only when a resolver asks. */
export interface DebPackage {
  readonly name: string;
  readonly version: string;
  readonly archive: string;
  /** Path below the archive's root, `pool/…`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly depends: string;
  readonly provides: string;
  readonly priority: string;
  readonly essential: boolean;
  readonly description: string;
}

/** A source package's upstream and packaging files, by file name. */
export interface DebSource {
  readonly name: string;
  readonly version: string;
  readonly archive: string;
  readonly files: ReadonlyMap<string, { readonly path: string; readonly size: number; readonly sha256: string }>;
}

/** Binary packages of one or more suites: the newest version of each name, and the providers of each virtual name. */
export interface PackageIndex {
  readonly packages: Map<string, DebPackage>;
  readonly providers: Map<string, { readonly by: string; readonly version: string | undefined }[]>;
}

/** Returns an empty index, to be filled with {@link addPackages}. */
export function emptyIndex(): PackageIndex {
  return { packages: new Map(), providers: new Map() };
}

/** Adds the packages of one Packages file; a newer version of a name replaces an older one. */
export function addPackages(index: PackageIndex, archive: string, text: string): void {
  const entries: DebPackage[] = [];
  for (const paragraph of splitParagraphs(text)) entries.push(readPackage(archive, paragraph));
  indexPackages(index, entries);
}

/** Adds packages that are parsed already. */
export function indexPackages(index: PackageIndex, entries: Iterable<DebPackage>): void {
  for (const entry of entries) {
    const known = index.packages.get(entry.name);
    if (known !== undefined && compareDebianVersions(known.version, entry.version) >= 0) continue;
    index.packages.set(entry.name, entry);
  }
  index.providers.clear();
  for (const entry of index.packages.values()) if (entry.provides !== "") addProviders(index, entry);
}

function addProviders(index: PackageIndex, entry: DebPackage): void {
  for (const group of parseDependencies(entry.provides)) {
    for (const provided of group) {
      const list = index.providers.get(provided.name) ?? [];
      list.push({ by: entry.name, version: provided.version });
      index.providers.set(provided.name, list);
    }
  }
}

function readPackage(archive: string, paragraph: string): DebPackage {
  const name = field(paragraph, "Package");
  const preDepends = field(paragraph, "Pre-Depends");
  const depends = field(paragraph, "Depends");
  const entry = {
    name,
    version: field(paragraph, "Version"),
    archive,
    path: field(paragraph, "Filename"),
    size: Number(field(paragraph, "Size")),
    sha256: field(paragraph, "SHA256"),
    depends: [preDepends, depends].filter((part) => part !== "").join(", "),
    provides: field(paragraph, "Provides"),
    priority: field(paragraph, "Priority"),
    essential: field(paragraph, "Essential") === "yes",
    description: field(paragraph, "Description"),
  };
  if (!/^[a-z0-9][a-z0-9+.-]*$/.test(name) || entry.version === "") {
    throw new FirnError("deb-index", `the package index has an entry without a proper name and version: '${name}'`);
  }
  checkFile(name, entry);
  return entry;
}

function checkFile(name: string, file: { path: string; size: number; sha256: string }): void {
  // Debian keeps its files in pool/, others elsewhere.
  const pathOk = /^[A-Za-z0-9][A-Za-z0-9+._~%/-]+$/.test(file.path) && !file.path.split("/").includes("..");
  if (!pathOk || !/^[0-9a-f]{64}$/.test(file.sha256) || !Number.isSafeInteger(file.size)) {
    throw new FirnError("deb-index", `the package index has no usable file for package '${name}'`);
  }
}

/** Returns the value of a one-line field, or "" when the paragraph lacks it. */
function field(paragraph: string, name: string): string {
  const key = `${name}: `;
  const start = paragraph.startsWith(key) ? 0 : paragraph.indexOf(`\n${key}`) + 1;
  if (start === 0 && !paragraph.startsWith(key)) return "";
  const end = paragraph.indexOf("\n", start);
  return paragraph.slice(start + key.length, end < 0 ? paragraph.length : end).trim();
}

/** Finds the newest version of each wanted source package in a Sources file. */
export function findSources(archive: string, text: string, wanted: ReadonlySet<string>): Map<string, DebSource> {
  const found = new Map<string, DebSource>();
  for (const paragraph of splitParagraphs(text)) {
    if (!wanted.has(field(paragraph, "Package"))) continue;
    const source = readSource(archive, paragraph);
    const known = found.get(source.name);
    if (known === undefined || compareDebianVersions(known.version, source.version) < 0) found.set(source.name, source);
  }
  return found;
}

function readSource(archive: string, paragraph: string): DebSource {
  const fields = parseParagraph(paragraph);
  const name = fields.get("Package") ?? "";
  const directory = fields.get("Directory") ?? "";
  const files = new Map<string, { path: string; size: number; sha256: string }>();
  for (const line of (fields.get("Checksums-Sha256") ?? "").split("\n")) {
    const [sha256, size, file] = line.trim().split(/\s+/);
    if (sha256 === undefined || size === undefined || file === undefined) continue;
    const entry = { path: `${directory}/${file}`, size: Number(size), sha256 };
    checkFile(name, entry);
    files.set(file, entry);
  }
  return { name, version: fields.get("Version") ?? "", archive, files };
}
