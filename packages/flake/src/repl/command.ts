/** Commands and lines of the repl. */

const names = {
  ":?": "help",
  ":help": "help",
  ":a": "add",
  ":add": "add",
  ":b": "build",
  ":bl": "build-links",
  ":e": "edit",
  ":edit": "edit",
  ":i": "install",
  ":l": "load",
  ":load": "load",
  ":lf": "load-flake",
  ":load-flake": "load-flake",
  ":ll": "last-loaded",
  ":last-loaded": "last-loaded",
  ":p": "print",
  ":print": "print",
  ":q": "quit",
  ":quit": "quit",
  ":r": "reload",
  ":reload": "reload",
  ":sh": "shell",
  ":t": "type",
  ":u": "use",
  ":doc": "doc",
  ":log": "log",
  ":te": "trace-enable",
  ":trace-enable": "trace-enable",
} as const;

const debuggerNames = {
  ":env": "environment",
  ":bt": "backtrace",
  ":backtrace": "backtrace",
  ":st": "select-trace",
  ":c": "continue",
  ":continue": "continue",
  ":s": "step",
  ":step": "step",
} as const;

type CommandName = (typeof names)[keyof typeof names] | (typeof debuggerNames)[keyof typeof debuggerNames];

/** A parsed line. */
export type ReplCommand =
  | { readonly kind: "nothing" }
  /** An expression or definitions. */
  | { readonly kind: "line"; readonly text: string }
  /** A command; `word` is its name as it was written. */
  | { readonly kind: "command"; readonly name: CommandName; readonly word: string; readonly argument: string }
  | { readonly kind: "unknown"; readonly word: string };

/** Returns all command words, for completion. */
export function replCommandWords(debugging: boolean): string[] {
  return [...Object.keys(names), ...(debugging ? Object.keys(debuggerNames) : [])];
}

/** Parses a line (or several that belong together); the debugger has a few more commands. */
export function parseReplLine(input: string, debugging: boolean): ReplCommand {
  const line = input.replace(/^[ \n\r\t]+|[ \n\r\t]+$/g, "");
  if (line === "") return { kind: "nothing" };
  if (!line.startsWith(":")) return { kind: "line", text: line };
  const end = line.search(/[ \n\r\t]/);
  const word = end < 0 ? line : line.slice(0, end);
  const argument = end < 0 ? "" : line.slice(end).replace(/^[ \n\r\t]+/, "");
  const known: Readonly<Record<string, CommandName>> = debugging ? { ...names, ...debuggerNames } : names;
  const name = Object.hasOwn(known, word) ? known[word] : undefined;
  return name === undefined ? { kind: "unknown", word } : { kind: "command", name, word, argument };
}
