/** The names of settings and their kinds: what a parser of arguments has to know, without reading any. */
import { type SettingKind, type SettingName, settingsTable } from "./table.ts";

const names = new Map<string, SettingName>();
for (const [name, definition] of Object.entries(settingsTable)) {
  names.set(name, name as SettingName);
  for (const alias of definition.aliases ?? []) names.set(alias, name as SettingName);
}

/** The setting called `name`, also by an old name. */
export function settingNamed(name: string): SettingName | undefined {
  return names.get(name);
}

/** Every name of a setting, old ones included. */
export function settingNames(): string[] {
  return [...names.keys()];
}

/** Tells whether `extra-NAME` appends to a setting. */
export function appendsTo(name: SettingName): boolean {
  return ["list", "set", "map"].includes(settingsTable[name].kind);
}

/** Kind of a setting, for argument parsers: booleans may be flags. */
export function settingKind(name: SettingName): SettingKind {
  return settingsTable[name].kind;
}
