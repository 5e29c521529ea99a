/** Queries and commands of a switch to systemd. */
import { FirnError } from "@firn/formats";
import type { Machine, ProgramOptions } from "../machine/machine.ts";

/** A unit that systemd has loaded. */
export interface RunningUnit {
  readonly name: string;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
}

/** The systemd of a machine. */
export class Systemd {
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Returns every loaded unit. */
  async units(): Promise<RunningUnit[]> {
    const text = await this.ask("list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager");
    return text.split("\n").flatMap((line) => {
      const [name, load, active, sub] = line.trim().split(/\s+/);
      if (name === undefined || load === undefined || active === undefined || sub === undefined) return [];
      return [{ name, load, active, sub }];
    });
  }

  /** Applies `verb` to units; does nothing for an empty list. Resolves to true when systemd did all of it. */
  async change(
    verb: "stop" | "start" | "restart" | "reload" | "reset-failed",
    units: readonly string[],
    onLine?: (line: string) => void,
  ): Promise<boolean> {
    if (units.length === 0) return true;
    const options: ProgramOptions = onLine === undefined ? {} : { onLine };
    return (await this.machine.run(["systemctl", verb, "--no-ask-password", "--", ...units], options)).status === 0;
  }

  /** Reads all units again; with `reexec` systemd itself is started anew. */
  async reload(reexec = false): Promise<void> {
    const verb = reexec ? "daemon-reexec" : "daemon-reload";
    const { status, stderr } = await this.machine.run(["systemctl", verb]);
    if (status !== 0) throw new FirnError("systemd", `'systemctl ${verb}' failed: ${stderr.trim()}`);
  }

  private async ask(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.machine.run(["systemctl", ...args]);
    if (status !== 0) {
      throw new FirnError("systemd", `'systemctl ${args[0] ?? ""}' failed: ${stderr.trim()}`, {
        hint: "this machine must run systemd to be switched; 'firn os boot' prepares the next start only",
      });
    }
    return stdout;
  }
}
