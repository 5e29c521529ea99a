/** The names and kinds of settings, for parsers of arguments, without reading any values. */
import { type SettingKind, type SettingName, settingsTable } from "./table.ts";

const names = new Map<string, SettingName>();
for (const [name, definition] of Object.entries(settingsTable)) {
  names.set(name, name as SettingName);
  for (const alias of definition.aliases ?? []) names.set(alias, name as SettingName);
}

/** Returns the setting called `name`, also by an old name. */
export function settingNamed(name: string): SettingName | undefined {
  return names.get(name);
}

/** Returns every name of a setting, old ones included. */
export function settingNames(): string[] {
  return [...names.keys()];
}

/** Tells whether `extra-NAME` appends to a setting. */
export function appendsTo(name: SettingName): boolean {
  return ["list", "set", "map"].includes(settingsTable[name].kind);
}

/** Returns the kind of a setting, for argument parsers: booleans may be flags. */
export function settingKind(name: SettingName): SettingKind {
  return settingsTable[name].kind;
}
