/** Listings of trees: `firn store ls`, `firn nar ls` and their JSON. */
import { FirnError, type JsonValue, jsonNumber } from "@firn/formats";
import type { TreeAccess, TreeEntry } from "@firn/store";
import type { Flag } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import { printJsonResult, printLine } from "./output.ts";

/** Flags of commands that list trees. */
export const listingFlags: readonly Flag[] = [
  ...jsonFlags,
  { name: "recursive", short: "R", description: "List subdirectories recursively." },
  { name: "long", short: "l", description: "Show detailed file information." },
  { name: "directory", short: "d", description: "Show directories rather than their contents." },
];

/** The place in a tree that is listed; `shown` names it in errors. */
export interface ListingPlace {
  readonly tree: TreeAccess;
  /** `""` for the root, `/a/b` below it. */
  readonly path: string;
  readonly shown: string;
}

/** Prints the listing that the flags ask for. Errors `not-found`, `usage`. */
export function printListing(io: Io, invocation: Invocation, { tree, path, shown }: ListingPlace): void {
  const { flags } = invocation;
  if (flags.has("json") && flags.has("directory")) throw new UsageError("'--directory' is useless with '--json'");
  const entry = tree.find(path);
  if (entry === undefined) throw new FirnError("not-found", `path '${shown}' does not exist`);
  const recursive = flags.has("recursive");
  if (flags.has("json")) {
    printJsonResult(io, listingJson(tree, { path, entry }, recursive), invocation);
    return;
  }
  const line = (found: TreeEntry, name: string): void =>
    printLine(io, flags.has("long") ? longLine(found, name) : name);
  const list = (directory: string, names: readonly string[], prefix: string): void => {
    for (const name of names) {
      const below = `${directory}/${name}`;
      const found = tree.find(below);
      if (found === undefined) continue;
      line(found, `${prefix}/${name}`);
      if (recursive && found.kind === "directory") list(below, found.names, `${prefix}/${name}`);
    }
  };
  if (entry.kind !== "directory") line(entry, path.slice(path.lastIndexOf("/") + 1));
  else {
    if (flags.has("directory")) line(entry, ".");
    if (recursive || !flags.has("directory")) list(path, entry.names, ".");
  }
}

function longLine(entry: TreeEntry, name: string): string {
  switch (entry.kind) {
    case "regular":
      return `${entry.executable ? "-r-xr-xr-x" : "-r--r--r--"} ${String(entry.size).padStart(20)} ${name}`;
    case "symlink":
      return `lrwxrwxrwx ${"0".padStart(20)} ${name} -> ${entry.target}`;
    case "directory":
      return `dr-xr-xr-x ${"0".padStart(20)} ${name}`;
  }
}

/** Returns an object and, for a directory, those in it: all below it, or only their names. */
function listingJson(
  tree: TreeAccess,
  { path, entry }: { readonly path: string; readonly entry: TreeEntry },
  recursive: boolean,
): JsonValue {
  switch (entry.kind) {
    case "regular": {
      const members = new Map<string, JsonValue>();
      if (entry.executable) members.set("executable", true);
      if (entry.offset !== undefined && entry.offset > 0) members.set("narOffset", jsonNumber(entry.offset));
      members.set("size", jsonNumber(entry.size));
      return members.set("type", "regular");
    }
    case "symlink":
      return new Map([
        ["target", entry.target],
        ["type", "symlink"],
      ]);
    case "directory": {
      const entries = new Map<string, JsonValue>();
      for (const name of entry.names) {
        const below = `${path}/${name}`;
        const found = recursive ? tree.find(below) : undefined;
        entries.set(name, found === undefined ? new Map() : listingJson(tree, { path: below, entry: found }, true));
      }
      return new Map<string, JsonValue>([
        ["entries", entries],
        ["type", "directory"],
      ]);
    }
  }
}
