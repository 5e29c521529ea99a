/** Lines that were entered before, kept where the reference keeps them: one a line, the newest last. */

import { dirname, join } from "node:path";
import { disk, machineError } from "@firn/store";
import { appendFileSync, readFileSync, writeFileSync } from "@firn/store/files";
import { homeDirectory } from "@firn/store/surroundings";

const kept = 1000;

/** Returns the history file for an environment: `$XDG_DATA_HOME/nix/repl-history`. */
export function historyFile(env: Readonly<Record<string, string | undefined>>): string {
  const home = env.HOME === undefined || env.HOME === "" ? homeDirectory() : env.HOME;
  const data =
    env.XDG_DATA_HOME === undefined || env.XDG_DATA_HOME === "" ? join(home, ".local/share") : env.XDG_DATA_HOME;
  return join(env.NIX_DATA_HOME ?? join(data, "nix"), "repl-history");
}

/** Lines of earlier sessions, and a method to add to them. */
export interface History {
  /** Lines, oldest first. */
  readonly lines: readonly string[];
  add(line: string): void;
}

/** Opens the history; `warn` is called once when it cannot be read or kept. */
export function openHistory(file: string, warn: (text: string) => void): History {
  let usable = true;
  const guarded = <T>(work: () => T, otherwise: T): T => {
    if (!usable) return otherwise;
    try {
      return work();
    } catch (error) {
      const failed = machineError(error);
      if (failed === undefined) throw error;
      usable = false;
      warn(`history cannot be kept in '${file}': ${failed.message}`);
      return otherwise;
    }
  };
  const lines = guarded(() => {
    disk.mkdirs(dirname(file));
    writeFileSync(file, "", { flag: "a", mode: 0o600 });
    const all = readFileSync(file, "latin1")
      .split("\n")
      .filter((line) => line !== "");
    if (all.length <= kept) return all;
    const last = all.slice(-kept);
    writeFileSync(file, `${last.join("\n")}\n`);
    return last;
  }, []);
  let previous = lines.at(-1);
  return {
    lines,
    add(line) {
      if (line.trim() === "" || line === previous) return;
      previous = line;
      guarded(() => appendFileSync(file, `${line}\n`), undefined);
    },
  };
}
