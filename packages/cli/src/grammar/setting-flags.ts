/** Settings as flags, from the table of settings; it is loaded only when a word may name one. */
import { commonFlags } from "./flags.ts";
import type { SettingFlags } from "./parse.ts";

const none: SettingFlags = { find: () => undefined, names: () => [] };
const common: ReadonlySet<string> = new Set(commonFlags(undefined).map(({ name }) => `--${name}`));

/** Returns the settings that the flags among some words can name. */
export async function settingFlagsFor(words: readonly string[]): Promise<SettingFlags> {
  if (!words.some((word) => word.startsWith("--") && !common.has(word))) return none;
  const { appendsTo, settingKind, settingNamed, settingNames } = await import("@firn/store/setting-names");
  return {
    find(name) {
      const known = settingNamed(name);
      if (known === undefined) return undefined;
      const kind = settingKind(known);
      return {
        boolean: kind === "boolean" || kind === "sandbox",
        appendable: appendsTo(known),
        relaxable: kind === "sandbox",
      };
    },
    names: settingNames,
  };
}
