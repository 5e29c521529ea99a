/**
 * Switching a machine by its own programs: another machine, to which the system is copied by ssh first, or this one when only single
 * programs are run as root.
 */
import { FirnError } from "@firn/formats";
import { copyClosure } from "@firn/store";
import { ownCommand } from "@firn/store/surroundings";
import {
  activateNixos,
  type Elevation,
  type Machine,
  openSystem,
  requireNixos,
  type SshMachineOptions,
  sshMachine,
  thisMachine,
} from "@firn/system";
import { terminalText } from "../render/terminal-text.ts";
import type { Session } from "../session/session.ts";
import { storeOfHost } from "./other-hosts.ts";
import { systemProfile } from "./profiles.ts";
import type { SwitchTarget } from "./switch-target.ts";

/** Flags that are passed on to the machine's `firn os`. */
const forwarded = ["install-bootloader", "diff", "no-health-gate"];
const forwardedValues = ["profile-name", "confirm-within", "specialisation"];

/** Copies the system to another machine, if it is one, and switches it; resolves to the exit status. */
export async function switchByPrograms(
  session: Session,
  place: SshMachineOptions | { readonly elevation: Elevation },
  { path, action, back }: SwitchTarget,
): Promise<number> {
  const { io, invocation } = session;
  const { flags } = invocation;
  const host = "host" in place ? place.host : undefined;
  const machine: Machine = "host" in place ? sshMachine(place) : thisMachine(place.elevation);
  const store = await session.store();
  if (host !== undefined) await copyTo(session, host, path);
  session.progress.clear();
  const onLine = (line: string): void => io.err(`${terminalText(line, io.terminal)}\n`);
  if (host !== undefined && back !== undefined)
    throw new FirnError("usage", "'--rollback' is done on the machine itself");
  if (openSystem(store.location, path).manifest !== undefined) {
    const words = [...(host === undefined ? ownCommand() : ["firn"]), "os"];
    if (back !== undefined && (action === "switch" || action === "boot"))
      words.push("rollback", "--to", String(back.number), ...(action === "boot" ? ["--boot"] : []));
    else words.push(action, "--store-path", path);
    for (const name of forwarded) if (flags.has(name)) words.push(`--${name}`);
    for (const name of forwardedValues) {
      const value = flags.value(name);
      if (value !== undefined) words.push(`--${name}`, value);
    }
    return (await machine.run(words, { asRoot: true, keep: ["PATH", "NIXOS_NO_CHECK"], onLine })).status;
  }
  if (action === "switch" || action === "boot") {
    if (back === undefined) await requireNixos(machine, path, io.env);
    // The far end's profiles lie where every machine's do, wherever this one's store is.
    const profile = (await systemProfile(session)).replace(store.location.stateDir, "/nix/var/nix");
    const words = back === undefined ? ["-p", profile, "--set", path] : ["--rollback", "-p", profile];
    const set = await machine.run(["nix-env", ...words], { asRoot: true, onLine });
    if (set.status !== 0)
      throw new FirnError(
        "remote",
        `the profile of ${host === undefined ? "this machine" : `'${host}'`} could not be switched`,
      );
  }
  const specialisation = flags.value("specialisation");
  const status = await activateNixos({
    machine,
    path: back?.via ?? back?.link ?? path,
    action,
    installBootLoader: flags.has("install-bootloader"),
    environment: io.env,
    onLine,
    ...(specialisation === undefined ? {} : { specialisation }),
  });
  if (status !== 0)
    io.err(`error: 'switch-to-configuration ${action}' of ${host ?? "this machine"} ended with status ${status}\n`);
  return status;
}

async function copyTo(session: Session, host: string, path: string): Promise<void> {
  const remote = storeOfHost(session, host);
  const events = session.progress.event.bind(session.progress);
  const substitute = session.invocation.flags.has("use-substitutes");
  try {
    await copyClosure([path], { from: await session.store(), to: remote, substitute, events });
  } finally {
    await remote.close();
  }
}
