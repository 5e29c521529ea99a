import { join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { lstatSync, mkdirSync, realpathSync, renameSync, symlinkSync } from "@firn/store/files";
import { calledProgram } from "@firn/store/surroundings";
import type { Command, CommandTable } from "../grammar/command.ts";
import { printLine } from "../render/output.ts";

/** Makes `firn compat`, which makes a directory of links to this program under the names of Nix's commands, for PATH. */
export function compatCommand(table: CommandTable): Command {
  return {
    positionals: [{ label: "directory", kind: "directory" }],
    flags: [],
    async run(invocation, io) {
      const directory = resolve(io.cwd, invocation.positionals[0]!);
      const program = realpathSync(calledProgram().file);
      mkdirSync(directory, { recursive: true });
      for (const name of commandNames(table)) placeLink(program, join(directory, name));
      printLine(io, directory);
      return 0;
    },
  };
}

/** Returns `nix` and every old command. */
function commandNames(table: CommandTable): string[] {
  return ["nix", ...table.filter(({ style }) => style === "old").map(({ path }) => path.join("-"))];
}

/** Makes a link, in place of another link at most. Fails with `exists` when something else has the name. */
function placeLink(program: string, link: string): void {
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSymbolicLink()) {
    throw new FirnError("exists", `'${link}' is there already and is no symbolic link`, {
      hint: "name an empty directory",
    });
  }
  const temporary = `${link}.${process.pid}`;
  symlinkSync(program, temporary);
  renameSync(temporary, link);
}
