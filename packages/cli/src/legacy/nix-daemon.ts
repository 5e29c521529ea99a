/** `nix-daemon`: the daemon under its old name. */
import { daemonFlags, runDaemon } from "../commands/daemon.ts";
import type { Command } from "../grammar/command.ts";

/** `nix-daemon`. */
export const command: Command = {
  style: "old",
  positionals: [],
  flags: [...daemonFlags, { name: "daemon", description: "Do nothing more: it is a daemon already." }],
  run: runDaemon,
};
