/** Path arithmetic on absolute paths as text; no file is looked at. */
import { canonicalPath } from "@firn/formats";

/** Returns `relative` resolved against `directory`; an absolute path is returned unchanged. */
export function joinPath(directory: string, relative: string): string {
  if (relative.charCodeAt(0) === 47) return canonicalPath(relative);
  // Most begin like this, and are canonical without it.
  const rest = relative.startsWith("./") ? relative.slice(2) : relative;
  return canonicalPath(`${directory}/${rest}`);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function baseNameOfPath(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns the path that a literal (`./a`, `/a`, `~/a`) means in a source of `directory`; a final slash stays, for interpolations. */
export function pathOfLiteral(text: string, directory: string, home: { homeDirectory(): string }): string {
  if (text.charCodeAt(0) === 126) return home.homeDirectory() + text.slice(1);
  const value = text.charCodeAt(0) === 47 ? joinPath("/", text) : joinPath(directory, text);
  return text.length > 1 && text.endsWith("/") ? `${value}/` : value;
}
