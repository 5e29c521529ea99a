/** The systemd units of a generation: each with its drop-ins, and the differences between two generations' units. */
import type { GenerationTree } from "../generation/generation-tree.ts";

/** Settings of a unit by section and name; a name that is given again adds a value, as in systemd. */
export type UnitSettings = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** One unit. */
export type Unit =
  | { readonly kind: "settings"; readonly settings: UnitSettings }
  /** A unit that is switched off: a link to `/dev/null` or an empty file. */
  | { readonly kind: "masked" };

const ownDirectory = "etc/systemd/system";
const directories = [ownDirectory, "usr/lib/systemd/system"];
const suffixes = [
  "service",
  "socket",
  "target",
  "timer",
  "path",
  "mount",
  "automount",
  "swap",
  "slice",
  "scope",
  "device",
];

/** Returns the kind of a unit by its name; undefined for other names. */
export function unitType(name: string): string | undefined {
  const suffix = name.slice(name.lastIndexOf(".") + 1);
  return suffixes.includes(suffix) ? suffix : undefined;
}

/** Reads unit text (a byte string). Later settings of a list add to it, an empty one empties it, as systemd has it. */
export function parseUnit(
  text: string,
  into: Map<string, Map<string, string[]>> = new Map(),
): Map<string, Map<string, string[]>> {
  let section: Map<string, string[]> | undefined;
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    const heading = /^\[(.*)\]$/.exec(trimmed);
    if (heading !== null) {
      const name = heading[1] ?? "";
      section = into.get(name) ?? new Map();
      into.set(name, section);
      continue;
    }
    const equals = trimmed.indexOf("=");
    if (section === undefined || equals < 0) continue;
    const key = trimmed.slice(0, equals).trim();
    const value = trimmed.slice(equals + 1).trim();
    if (value === "") section.set(key, []);
    else section.set(key, [...(section.get(key) ?? []), value]);
  }
  return into;
}

/** Reads a unit of a generation; an instance such as `getty@tty1.service` comes from its template. Undefined when there is none. */
export function readUnit(tree: GenerationTree, name: string): Unit | undefined {
  const template = name.replace(/@[^.]*\./, "@.");
  let settings: Map<string, Map<string, string[]>> | undefined;
  search: for (const candidate of name === template ? [name] : [name, template]) {
    for (const directory of directories) {
      const path = `${directory}/${candidate}`;
      const entry = tree.entry(path);
      if (entry === undefined || entry.kind === "directory") continue;
      if (entry.kind === "outside" || entry.size === 0) return { kind: "masked" };
      settings = parseUnit(tree.text(path) ?? "");
      break search;
    }
  }
  if (settings === undefined) return undefined;
  for (const { directory, file } of dropIns(tree, name, template)) {
    parseUnit(tree.text(`${directory}/${file}`) ?? "", settings);
  }
  return { kind: "settings", settings };
}

/** Returns the drop-ins of a unit in the order of their names; a name in `/etc` hides the same one in `/usr`. */
function dropIns(tree: GenerationTree, name: string, template: string): { directory: string; file: string }[] {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (const unit of name === template ? [name] : [name, template]) {
      const path = `${directory}/${unit}.d`;
      for (const file of tree.names(path)) if (file.endsWith(".conf") && !found.has(file)) found.set(file, path);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, directory]) => ({ directory, file }));
}

/** Returns the names of the units that the configuration itself declares: files and drop-ins in `etc/systemd/system`. */
export function declaredUnits(tree: GenerationTree): string[] {
  const names = new Set<string>();
  for (const name of tree.names(ownDirectory)) {
    const unit = name.endsWith(".d") ? name.slice(0, -2) : name;
    if (unitType(unit) !== undefined) names.add(unit);
  }
  return [...names].sort();
}

/** Returns the last value of a setting. */
export function setting(unit: Unit | undefined, section: string, key: string): string | undefined {
  return unit?.kind === "settings" ? unit.settings.get(section)?.get(key)?.at(-1) : undefined;
}

/** Reads a boolean setting as systemd does. */
export function booleanSetting(
  unit: Unit | undefined,
  key: string,
  standard: boolean,
  sections = ["Unit", "Service"],
): boolean {
  for (const section of sections) {
    const value = setting(unit, section, key);
    if (value !== undefined) return /^(1|yes|y|true|t|on)$/i.test(value);
  }
  return standard;
}

/** Settings whose changes need no action on a running unit. */
const harmless: ReadonlySet<string> = new Set([
  "X-Reload-Triggers",
  "Description",
  "Documentation",
  "OnFailure",
  "OnSuccess",
  "OnFailureJobMode",
  "IgnoreOnIsolate",
  "StopWhenUnneeded",
  "RefuseManualStart",
  "RefuseManualStop",
  "AllowIsolate",
  "CollectMode",
  "SourcePath",
]);

/** The action that a running unit needs when its settings change. */
export type UnitChange = "none" | "reload" | "restart";

/** Compares the settings of a unit before and after. */
export function compareUnits(before: UnitSettings, after: UnitSettings): UnitChange {
  let change: UnitChange = "none";
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    // How a unit is enabled is not how it runs.
    if (name === "Install") continue;
    const old = before.get(name) ?? new Map<string, readonly string[]>();
    const now = after.get(name) ?? new Map<string, readonly string[]>();
    for (const key of new Set([...old.keys(), ...now.keys()])) {
      if (sameValues(old.get(key), now.get(key))) continue;
      if (name === "Unit" && harmless.has(key)) {
        if (key === "X-Reload-Triggers" && now.has(key)) change = "reload";
        continue;
      }
      // A mount's options are changed by remounting, its device is not.
      if (name === "Mount" && key === "Options") {
        change = "reload";
        continue;
      }
      return "restart";
    }
  }
  return change;
}

function sameValues(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
