/** The `nix.conf` format: `name = value`, comments, `include` and `!include`. What the names mean is the settings' business. */
import { FirnError } from "../base/error.ts";

/** One `name = value`. */
export interface ConfSetting {
  readonly name: string;
  readonly value: string;
}

/** A setting with the file and line that it was read from. */
export interface PlacedSetting extends ConfSetting {
  readonly file: string;
  /** Line number, counted from 1. */
  readonly line: number;
}

/** Gives the text of an included file, or undefined when it does not exist; gets the path as written and the including file's path. */
export type ConfReader = (path: string, from: string) => { readonly path: string; readonly text: string } | undefined;

const MAX_INCLUDES = 64;

/** Settings in order of appearance, those of includes in place. Error `bad-conf` in the reference's words. */
export function parseNixConf(text: string, path: string, read: ConfReader): PlacedSetting[] {
  return parseAt(text, path, { read, depth: 0 });
}

function parseAt(text: string, path: string, context: { read: ConfReader; depth: number }): PlacedSetting[] {
  if (context.depth > MAX_INCLUDES) throw new FirnError("bad-conf", `includes are nested too deeply in "${path}"`);
  const settings: PlacedSetting[] = [];
  for (const [index, full] of text.split("\n").entries()) {
    const hash = full.indexOf("#");
    const line = hash < 0 ? full : full.slice(0, hash);
    const tokens = line.split(/[ \t\n\r]+/).filter((token) => token !== "");
    const [name, second] = tokens;
    if (name === undefined) continue;
    const syntax = (): FirnError =>
      new FirnError("bad-conf", `syntax error in configuration line '${line}' in "${path}"`);
    if (second === undefined) throw syntax();
    if (name === "include" || name === "!include") {
      if (tokens.length !== 2) throw syntax();
      const file = context.read(second, path);
      if (file !== undefined) settings.push(...parseAt(file.text, file.path, { ...context, depth: context.depth + 1 }));
      else if (name === "include") {
        throw new FirnError("bad-conf", `file "${second}" included from "${path}" not found`);
      }
      continue;
    }
    if (second !== "=") throw syntax();
    settings.push({ name, value: tokens.slice(2).join(" "), file: path, line: index + 1 });
  }
  return settings;
}
