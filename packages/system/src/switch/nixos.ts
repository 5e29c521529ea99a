/** Switching to a system of NixOS: profile and `switch-to-configuration`, as nixos-rebuild has them do it. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { type Machine, thisMachine } from "../machine/machine.ts";
import { findGenerations, type Generation } from "../profile/generations.ts";

/** A call of a system's own switching program. */
export interface NixosActivation {
  readonly machine: Machine;
  /** The system, or a profile that leads to it. */
  readonly path: string;
  readonly action: "switch" | "boot" | "test" | "dry-activate";
  readonly specialisation?: string;
  readonly installBootLoader: boolean;
  /** Environment of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
}

/** The command that runs a switch in a unit of its own, so that it outlives the session that started it. */
const transientUnit = [
  "systemd-run",
  "-E",
  "LOCALE_ARCHIVE",
  "-E",
  "NIXOS_INSTALL_BOOTLOADER",
  "-E",
  "NIXOS_NO_CHECK",
  "--collect",
  "--no-ask-password",
  "--pipe",
  "--quiet",
  "--service-type=exec",
  "--unit=nixos-rebuild-switch-to-configuration",
];

/**
 * Fails with `not-a-system` for a path that cannot be a system, before a profile is switched to it.
 * `NIXOS_REBUILD_I_UNDERSTAND_THE_CONSEQUENCES_PLEASE_BREAK_MY_SYSTEM` turns the check off.
 */
export async function requireNixos(
  machine: Machine,
  path: string,
  environment: NixosActivation["environment"],
): Promise<void> {
  if ((environment.NIXOS_REBUILD_I_UNDERSTAND_THE_CONSEQUENCES_PLEASE_BREAK_MY_SYSTEM ?? "") !== "") return;
  if ((await machine.run(["test", "-f", join(path, "nixos-version")])).status === 0) return;
  throw new FirnError("not-a-system", `'${path}' is not a NixOS system: it lacks 'nixos-version'`, {
    hint: "nothing was changed",
  });
}

/** Runs `bin/switch-to-configuration`; resolves to its exit status. Fails with `no-specialisation`. */
export async function activateNixos(activation: NixosActivation): Promise<number> {
  const { machine, action, specialisation, environment } = activation;
  let { path } = activation;
  if (specialisation !== undefined) {
    if (action !== "switch" && action !== "test") {
      throw new FirnError("usage", "'--specialisation' can only be used with 'switch' and 'test'");
    }
    path = join(path, "specialisation", specialisation);
    // Whatever the machine, the system is in this one's store.
    if ((await thisMachine().run(["test", "-e", path])).status !== 0)
      throw new FirnError("no-specialisation", `specialisation not found: ${specialisation}`);
  }
  const plain =
    (await machine.run(["test", "-d", "/run/systemd/system"])).status !== 0 ||
    (environment.NIXOS_REBUILD_NO_SYSTEMD_RUN ?? "") !== "";
  const program = [...(plain ? [] : transientUnit), join(path, "bin/switch-to-configuration"), action];
  const { status } = await machine.run(program, {
    environment: { NIXOS_INSTALL_BOOTLOADER: activation.installBootLoader ? "1" : "0" },
    keep: ["PATH", "LOCALE_ARCHIVE", "NIXOS_NO_CHECK"],
    asRoot: true,
    onLine: activation.onLine,
  });
  return status;
}

/**
 * Returns the generation that `--rollback` means for `test` and `build`, which leave the profile alone: the newest one that
 * is not current, as in nixos-rebuild. Fails with `no-generation`.
 */
export function otherGeneration(profile: string): Generation {
  const { generations, current } = findGenerations(profile);
  const found = generations.findLast(({ number }) => number !== current);
  if (found === undefined) throw new FirnError("no-generation", "could not find previous generation");
  return found;
}
