/**
 * The `firn` program: finds the command, parses its arguments, runs it and renders what it throws. Nothing that a
 * command does not need is loaded: the table names modules, and they are imported when their turn comes.
 */
import { basename } from "node:path";
import { nixVersion } from "@firn/formats/nix-version";
import type { Command, CommandEntry } from "./grammar/command.ts";
import { commandTable, legacyTable } from "./grammar/table.ts";
import { type Io, processIo } from "./io.ts";
import { startEvaluatorFor } from "./start-evaluator.ts";

/** Firn's own version. */
const firnVersion = "0.1.0";

/** Runs one command line, `argv[0]` being the name it was called by; resolves to the exit status. */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const program = basename(argv[0] ?? "firn");
  const words = argv.slice(1);
  try {
    const legacy = legacyTable.get(program) ?? legacyTable.get(words[0] ?? "");
    if (legacy !== undefined) {
      const called = legacyTable.has(program);
      const run = await legacy();
      return await run(called ? words : words.slice(1), io);
    }
    return await runNew(words, io);
  } catch (error) {
    const { renderFailure } = await import("./render/failure.ts");
    const called = legacyTable.has(program);
    const legacy = called || legacyTable.has(words[0] ?? "");
    return await renderFailure(error, { io, program: called ? program : "firn", words, legacy });
  }
}

async function runNew(words: readonly string[], io: Io): Promise<number> {
  if (words[0] === "--version") {
    io.out(`firn (Nix) ${nixVersion}, Firn ${firnVersion}\n`);
    return 0;
  }
  const { entry, matched, leading, rest } = findCommand(words);
  if (entry === undefined) {
    const { showGroup } = await import("./grammar/help.ts");
    return showGroup({ table: commandTable, matched, rest, wantsHelp: wantsHelp([...leading, ...rest]) }, io);
  }
  const args = [...leading, ...rest];
  if (wantsHelp(args)) {
    const { showCommandHelp } = await import("./grammar/help.ts");
    io.out(await showCommandHelp(entry, await entry.load()));
    return 0;
  }
  const command = await entry.load();
  return runParsed(command, args, io);
}

async function runParsed(command: Command, args: readonly string[], io: Io): Promise<number> {
  const { parseArguments } = await import("./grammar/parse.ts");
  const { settingKind } = await import("./grammar/settings.ts");
  return command.run(parseArguments(command, args, settingKind), io);
}

function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).includes("--help");
}

interface Found {
  readonly entry: CommandEntry | undefined;
  readonly matched: readonly string[];
  /** Flags that stood before the command's name. */
  readonly leading: readonly string[];
  readonly rest: readonly string[];
}

/** The longest command path at the start of the words; flags may come before it, as in `firn --offline build`. */
function findCommand(words: readonly string[]): Found {
  let start = 0;
  while (start < words.length && (words[start] ?? "").startsWith("-")) {
    const word = words[start] ?? "";
    start += word === "--option" ? 3 : ["--store", "--log-format", "--max-jobs", "-j"].includes(word) ? 2 : 1;
  }
  const leading = words.slice(0, start);
  const matched: string[] = [];
  let candidates = commandTable;
  for (let next = start; next < words.length; next++) {
    const word = words[next] ?? "";
    const narrowed = candidates.filter((entry) => entry.path[matched.length] === word);
    if (narrowed.length === 0) break;
    matched.push(word);
    candidates = narrowed;
    const exact = narrowed.find((entry) => entry.path.length === matched.length);
    if (exact !== undefined) return { entry: exact, matched, leading, rest: words.slice(next + 1) };
  }
  return { entry: undefined, matched, leading, rest: words.slice(start + matched.length) };
}

// Run only as a program, so that tests can import runCommandLine.
if (import.meta.main) {
  await startEvaluatorFor(basename(process.env.FIRN_ARGV0 ?? "firn"), process.argv.slice(2));
  const code = await runCommandLine([process.env.FIRN_ARGV0 ?? "firn", ...process.argv.slice(2)], processIo());
  process.exitCode = code;
}
