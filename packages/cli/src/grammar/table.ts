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
  entry(main, "run", "run a Nix application", async () => (await import("../commands/run.ts")).command),
  entry(main, "build", "build a derivation or fetch a store path", async () => (await import("../commands/build.ts")).command),
  entry(main, "shell", "run a shell in which the specified packages are available", async () => (await import("../commands/shell.ts")).command),
  entry(main, "eval", "evaluate a Nix expression", async () => (await import("../commands/eval.ts")).command),
  entry(packages, "deb lock", "resolve Debian packages and write their lock file", async () => (await import("../commands/deb-lock.ts")).command),
  entry(stores, "store add", "add a file or directory to the Nix store", async () => (await import("../commands/store-add.ts")).command),
  entry(stores, "store add-path", "deprecated alias to store add", async () => (await import("../commands/store-add.ts")).command),
  entry(stores, "store add-file", "add a regular file to the Nix store by its flat hash", async () => (await import("../commands/store-add.ts")).addFile),
  entry(stores, "store info", "test whether a store can be accessed", async () => (await import("../commands/store-info.ts")).command),
  entry(tools, "hash convert", "convert between hash formats", async () => (await import("../commands/hash-convert.ts")).command),
  entry(tools, "hash file", "print cryptographic hash of a regular file", async () => (await import("../commands/hash-file.ts")).command),
  entry(tools, "hash path", "print cryptographic hash of the NAR serialisation of a path", async () => (await import("../commands/hash-path.ts")).command),
  entry(tools, "key generate-secret", "generate a secret key for signing store paths", async () => (await import("../commands/key-generate-secret.ts")).command),
  entry(tools, "key convert-secret-to-public", "generate a public key from a secret key read from standard input", async () => (await import("../commands/key-convert-secret-to-public.ts")).command),
  entry(tools, "nar pack", "serialise a path to stdout in NAR format", async () => (await import("../commands/nar-pack.ts")).command),
  entry(tools, "config show", "show the Nix configuration or the value of a specific setting", async () => (await import("../commands/config-show.ts")).command),
];

/** The old commands, by the name they are called by. */
export const legacyTable: ReadonlyMap<string, () => Promise<(words: readonly string[], io: Io) => Promise<number>>> =
  new Map();
