/** Settings as flags: which names are settings, and whether they take a value. */
import { settingKind as kindOf, settingNamed } from "@firn/store";
import type { SettingKind } from "./parse.ts";

/** How a setting is given on the command line; undefined when there is no such setting. */
export const settingKind: SettingKind = (name) => {
  const known = settingNamed(name);
  if (known === undefined) return undefined;
  return kindOf(known) === "boolean" ? "boolean" : "value";
};
