/** Every command: its words, one line about it, and the module that has it. Nothing here loads a command. */
import type { Io } from "../io.ts";
import type { CommandEntry } from "./command.ts";

const main = "Main commands";
const packages = "Packages, profiles and flakes";
const stores = "Stores and caches";
const tools = "Utilities";

function entry(category: string, path: string, description: string, load: CommandEntry["load"]): CommandEntry {
  return { category, path: path.split(" "), description, load };
}

/** The commands of the new command line, in the order of the help. */
export const commandTable: readonly CommandEntry[] = [
  entry(main, "eval", "evaluate a Nix expression", async () => (await import("../commands/eval.ts")).command),
];

/** The old commands, by the name they are called by. */
export const legacyTable: ReadonlyMap<string, () => Promise<(words: readonly string[], io: Io) => Promise<number>>> =
  new Map([]);
void packages;
void stores;
void tools;
