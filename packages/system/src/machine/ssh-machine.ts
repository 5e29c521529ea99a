/** A machine reached by ssh, as nixos-rebuild reaches a target host: one program at a time, in the environment of its login. */
import { type Elevation, elevatedThere, quoted } from "./elevation.ts";
import type { Machine, ProgramOptions, ProgramResult } from "./machine.ts";
import { thisMachine } from "./machine.ts";

/** The host, and the words of the commands that reach it. */
export interface SshMachineOptions {
  /** `user@host`. */
  readonly host: string;
  /** Words for ssh before the host, as NIX_SSHOPTS has them. */
  readonly sshOptions: readonly string[];
  /** The way in which commands that need root get it. */
  readonly elevation: Elevation;
}

/** Makes the machine. Its `root` is empty, but its files cannot be read from here. */
export function sshMachine(options: SshMachineOptions): Machine {
  const local = thisMachine();
  return {
    root: "",
    run: (argv: readonly string[], given: ProgramOptions = {}): Promise<ProgramResult> => {
      const words = elevatedThere(given.asRoot === true ? options.elevation : { kind: "none" }, argv, given);
      const { environment: _, keep: __, ...rest } = given;
      return local.run(["ssh", ...options.sshOptions, options.host, "--", ...words.map(quoted)], rest);
    },
  };
}
