/** A machine reached by ssh, as nixos-rebuild reaches a target host: one program at a time, in the environment of its login. */
import type { Machine, ProgramOptions, ProgramResult } from "./machine.ts";
import { thisMachine } from "./machine.ts";

/** The host, and the words of the commands that reach it. */
export interface SshMachineOptions {
  /** `user@host`. */
  readonly host: string;
  /** Words for ssh before the host, as NIX_SSHOPTS has them. */
  readonly sshOptions: readonly string[];
  /** Words before commands that need root, such as `sudo`. */
  readonly elevate: readonly string[];
}

/** Makes the machine. Its `root` is empty, but its files cannot be read from here. */
export function sshMachine(options: SshMachineOptions): Machine {
  const local = thisMachine();
  return {
    root: "",
    run: (argv: readonly string[], given: ProgramOptions = {}): Promise<ProgramResult> => {
      const words = [...(given.asRoot === true ? options.elevate : []), ...inLoginEnvironment(argv, given)];
      const { environment: _, keep: __, ...rest } = given;
      return local.run(["ssh", ...options.sshOptions, options.host, "--", ...words.map(quoted)], rest);
    },
  };
}

/** Returns a command with which the remote shell keeps the chosen variables of its login and gives the program those and no others. */
function inLoginEnvironment(argv: readonly string[], { keep = [], environment = {} }: ProgramOptions): string[] {
  const assignments = [
    ...["PATH", ...keep.filter((name) => name !== "PATH")].map((name) => `${name}="\${${name}-}"`),
    ...Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`),
  ];
  return ["/bin/sh", "-c", `exec /usr/bin/env -i ${assignments.join(" ")} "$@"`, "sh", ...argv];
}

/** Quotes a word for a shell. */
function quoted(word: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
