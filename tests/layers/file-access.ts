/** Finds in source text how it reaches the file system. */

/** Functions of `node:fs` that change what lies at a path, without `Sync`; making a directory changes nothing that is there. */
const changing = new Set([
  ...["rm", "rmdir", "unlink", "rename", "cp", "copyFile", "link", "symlink", "truncate", "createWriteStream"],
  ...["chmod", "lchmod", "chown", "lchown", "utimes", "lutimes", "writeFile", "appendFile", "mkdtempDisposable"],
]);

/** Functions of the store that read files or trees at a path. */
const reading = new Set([
  ...[
    "OpenDirectory",
    "TreeWriter",
    "dumpPath",
    "entriesIn",
    "hashTree",
    "readFileChunks",
    "readStoreFile",
    "withPlace",
  ],
]);

/** Found where a text reaches the file system in a way that cannot be seen through. */
export const hidden = "a way other than importing names";

interface Imported {
  /** Names imported from a module, by their names there. */
  readonly names: string[];
  /** Local names of the whole module. */
  readonly wholes: string[];
  /** The text without these imports. */
  readonly rest: string;
}

function uncommented(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(?<=^|\s)\/\/.*$/gm, "");
}

function importsFrom(text: string, module: RegExp): Imported {
  const names: string[] = [];
  const wholes: string[] = [];
  const statement =
    /^import\s+(type\s)?\s*(?:(?:\*\s+as\s+)?(\w+)\s*,?\s*)?(?:\{([^}]*)\})?\s*from\s+(["'])([^"']+)\4;?/gm;
  const rest = text.replaceAll(statement, (all, type, whole, list, _quote, from) => {
    if (!module.test(from)) return all;
    if (type !== undefined) return "";
    if (whole !== undefined) wholes.push(whole);
    for (const item of (list ?? "").split(",")) {
      const name = item.trim().split(/\s+as\s+/)[0];
      if (name !== "" && !name.startsWith("type ")) names.push(name);
    }
    return "";
  });
  return { names, wholes, rest };
}

/** Names of `node:fs` that a text uses, and `hidden` where that cannot be told. */
function usedOfFs(text: string): string[] {
  const { names, wholes, rest } = importsFrom(text, /^(?:node:)?fs(?:\/promises)?$/);
  const found = [...names];
  if (/["'`](?:node:)?fs(?:\/promises)?["'`]|\bgetBuiltinModule\b/.test(rest)) found.push(hidden);
  for (const whole of wholes) {
    for (const [, member] of rest.matchAll(
      new RegExp(`(?<!\\w|(?<!\\.\\.)\\.)${whole}\\b(?:\\s*\\??\\.\\s*(\\w+))?`, "g"),
    )) {
      found.push(member === undefined || member === "promises" ? hidden : member);
    }
  }
  return found.map((name) => (name === "promises" || name === "default" ? hidden : name));
}

/** The arguments of a call that starts at `at`, split at the commas between them. */
function argumentsAt(text: string, at: number): string[] {
  const parts = [""];
  let depth = 0;
  for (const char of text.slice(at)) {
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    if (depth === 0) break;
    if (char === "," && depth === 1) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Whether the flags of `open` only read. */
function onlyReads(flags: string | undefined): boolean {
  if (flags === undefined || /^\s*["']rs?["']\s*$/.test(flags)) return true;
  return /\bO_RDONLY\b/.test(flags) && !/\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/.test(flags);
}

/** How a text changes what lies at paths, by other means than the store's: names of `node:fs`, and of `disk` those that follow links. */
export function changesByPath(source: string): string[] {
  const text = uncommented(source);
  const used = usedOfFs(text);
  const found = used.filter((name) => name === hidden || changing.has(name.replace(/Sync$/, "")));
  if (used.includes("open") || used.includes("openSync")) {
    for (const call of text.matchAll(/\bopen(?:Sync)?(?=\()/g)) {
      if (!onlyReads(argumentsAt(text, call.index + call[0].length)[1])) found.push(`${call[0]} for writing`);
    }
  }
  for (const [call] of text.matchAll(/\bdisk\.(?:chmod|chown|setMtime)\b/g)) found.push(call);
  return [...new Set(found)].sort();
}

/** What a text uses that could read files: names of `node:fs`, and functions of the store that read by path. */
export function readsFiles(source: string): string[] {
  const text = uncommented(source);
  const store = importsFrom(text, /^@firn\/store$/);
  const found = [...usedOfFs(text), ...store.names.filter((name) => reading.has(name))];
  if (store.wholes.length > 0 || /["'`]@firn\/store["'`]/.test(store.rest)) found.push(hidden);
  return [...new Set(found)].sort();
}
