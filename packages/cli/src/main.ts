/**
 * The `firn` program: finds the command, parses its arguments, runs it and renders its errors. Modules are imported only when
 * needed: the table names them.
 */
import { basename } from "node:path";
import { machineError } from "@firn/store/machine-error";
import { calledProgram, processArguments } from "@firn/store/surroundings";
import type { Command, CommandEntry } from "./grammar/command.ts";
import { findCommand } from "./grammar/find-command.ts";
import type { Invocation } from "./grammar/invocation.ts";
import { type CommandLine, HelpWanted, parseArguments } from "./grammar/parse.ts";
import { settingFlagsFor } from "./grammar/setting-flags.ts";
import { commandTable } from "./grammar/table.ts";
import { type Io, processIo } from "./io.ts";
import { startEvaluatorFor } from "./start-evaluator.ts";
import { versionText } from "./version.ts";

/** The part of a command line that was parsed so far, for messages about its failure. */
interface ParsedSoFar {
  entry?: CommandEntry;
  invocation?: Invocation;
  /** The ends of the command, when its messages have another form. */
  io?: Io;
}

/** Runs one command line, with `argv[0]` as the name by which the program was called; resolves to the exit status. */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  // The file of the published package stands for its name.
  const called = basename(argv[0] ?? "firn", ".mjs");
  // `firn nix …` is the reference's program, as `firn nix-build …` is its old commands.
  const [program, words] = called === "firn" && argv[1] === "nix" ? ["nix", argv.slice(2)] : [called, argv.slice(1)];
  const index = io.env.NIX_GET_COMPLETIONS;
  if (index !== undefined) return (await import("./completion/complete.ts")).complete(argv, index, io);
  const understood: ParsedSoFar = {};
  try {
    return await run(program, words, { io, understood });
  } catch (error) {
    try {
      const { renderFailure } = await import("./render/failure.ts");
      const { entry, invocation } = understood;
      const old = entry !== undefined && entry.style === "old";
      const name = entry !== undefined && old ? entry.path[0]! : program;
      return await renderFailure(error, {
        io: understood.io ?? io,
        program: name,
        mainProgram: mainProgram(program),
        invocation,
        old,
      });
    } catch (another) {
      // Where nothing can be opened any more, not even the module that renders errors can be loaded.
      const known = machineError(error) ?? machineError(another);
      if (known === undefined) throw another;
      io.err(`error: ${known.message}\n${known.hint === undefined ? "" : `       ${known.hint}\n`}`);
      return 1;
    }
  }
}

/** The flags that stand before the name of a command, when none follows. */
const noCommand: Command = { positionals: [], flags: [], run: () => Promise.resolve(0) };

async function run(
  program: string,
  words: readonly string[],
  { io, understood, directory }: { readonly io: Io; readonly understood: ParsedSoFar; readonly directory?: string },
): Promise<number> {
  const settingFlags = await settingFlagsFor(words);
  const found = findCommand(program, words, settingFlags);
  const { entry, matched, words: rest, help, version } = found;
  if (found.deprecated !== undefined) {
    io.err(`warning: '${found.deprecated}' is a deprecated alias for '${matched.join(" ")}'\n`);
  }
  if (help) return showHelp(program, matched, io);
  if (entry === undefined) {
    const group = { program, mainProgram: program, words: found.leading, settingFlags };
    if (version) return showVersion(program, parseArguments(noCommand, group), io);
    if (matched.length === 0 && directory === undefined) {
      const script = (await import("./grammar/script.ts")).nixScript(words, io.cwd);
      if (script !== undefined) {
        const line = [...script.words, script.path, ...script.args];
        return run(program, line, { io, understood, directory: script.directory });
      }
    }
    (await import("./session/session.ts")).commandSettings(parseArguments(noCommand, group), io);
    const { refuseGroup } = await import("./grammar/help.ts");
    return refuseGroup(commandTable, { program, matched, words: rest });
  }
  understood.entry = entry;
  const command = await entry.load();
  const name = entry.style === "old" ? entry.path[0]! : program;
  const script = command.readScript?.(rest, io.cwd);
  const line = { program: name, mainProgram: mainProgram(program), words: script?.words ?? rest, settingFlags };
  const plain = parsed(command, line);
  if (plain === "help") return showHelp(program, matched, io);
  const base = script?.directory ?? directory;
  const invocation: Invocation = {
    ...plain,
    ...(base === undefined ? {} : { directory: base }),
    ...(script === undefined ? {} : { script }),
  };
  understood.invocation = invocation;
  if (invocation.flags.has("version")) return showVersion(name, invocation, io);
  if (!invocation.flags.has("log-format")) return command.run(invocation, io);
  const { formattedIo, logFormatOf } = await import("./render/log-format.ts");
  understood.io = await formattedIo(io, logFormatOf(invocation));
  return command.run(invocation, understood.io);
}

function parsed(command: Command, line: CommandLine): Invocation | "help" {
  try {
    return parseArguments(command, line);
  } catch (error) {
    if (error instanceof HelpWanted) return "help";
    throw error;
  }
}

/** Returns the name of the new command line: `nix` for users who call that or an old name. */
function mainProgram(program: string): string {
  return program.startsWith("nix") ? "nix" : program;
}

async function showVersion(program: string, invocation: Invocation, io: Io): Promise<number> {
  io.unimportant?.();
  io.out(versionText(program));
  const { flags } = invocation;
  if (flags.has("verbose") || flags.has("debug"))
    io.out((await import("./version-details.ts")).versionDetails(invocation, io));
  return 0;
}

async function showHelp(program: string, matched: readonly string[], io: Io): Promise<number> {
  const { helpText } = await import("./grammar/help.ts");
  io.unimportant?.();
  io.out(await helpText(commandTable, program, matched));
  return 0;
}

// Run only as a program, so that tests can import runCommandLine.
if (import.meta.main) {
  const { name: program } = calledProgram();
  const words = processArguments();
  await startEvaluatorFor(program, words);
  process.exitCode = await runCommandLine([program, ...words], processIo());
}
