/** A machine reached by ssh, as nixos-rebuild reaches a target host: one program at a time, in the environment of its login. */
import { type Elevation, elevatedInput, elevatedThere, quoted } from "./elevation.ts";
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
      const elevation: Elevation = given.asRoot === true ? options.elevation : { kind: "none" };
      const words = elevatedThere(elevation, argv, given);
      const input = elevatedInput(elevation, given.input);
      const { environment: _, keep: __, input: ___, ...others } = given;
      const rest: ProgramOptions = { ...others, ...(input === undefined ? {} : { input }) };
      return local.run(["ssh", ...options.sshOptions, options.host, "--", ...words.map(quoted)], rest);
    },
  };
}
