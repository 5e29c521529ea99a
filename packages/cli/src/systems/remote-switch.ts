/** Switching another machine: the system is copied there by ssh, then the machine's own programs do what is done here. */
import { FirnError } from "@firn/formats";
import { copyClosure, SshStore } from "@firn/store";
import { activateNixos, openSystem, requireNixos, type SshMachineOptions, sshMachine } from "@firn/system";
import { terminalText } from "../render/terminal-text.ts";
import type { Session } from "../session/session.ts";
import { systemProfile } from "./profiles.ts";
import type { SwitchTarget } from "./switch-target.ts";

/** Flags that are passed on to the remote `firn os`. */
const forwarded = ["install-bootloader", "diff", "no-health-gate"];
const forwardedValues = ["profile-name", "confirm-within"];

/** Copies the system and switches the machine; resolves to the exit status. */
export async function switchRemotely(
  session: Session,
  host: SshMachineOptions,
  { path, action, back }: SwitchTarget,
): Promise<number> {
  const { io, invocation } = session;
  const { flags } = invocation;
  const machine = sshMachine(host);
  const store = await session.store();
  const remote = new SshStore({
    host: host.host,
    sshOptions: host.sshOptions,
    environment: io.env,
    events: (event) => session.progress.event(event),
  });
  try {
    await copyClosure([path], { from: store, to: remote, events: (event) => session.progress.event(event) });
  } finally {
    await remote.close();
  }
  session.progress.clear();
  const onLine = (line: string): void => io.err(`${terminalText(line, io.terminal)}\n`);
  if (back !== undefined) throw new FirnError("usage", "'--rollback' is done on the machine itself");
  if (openSystem(store.location, path).manifest !== undefined) {
    const words = ["firn", "os", action, "--store-path", path];
    for (const name of forwarded) if (flags.has(name)) words.push(`--${name}`);
    for (const name of forwardedValues) {
      const value = flags.value(name);
      if (value !== undefined) words.push(`--${name}`, value);
    }
    return (await machine.run(words, { asRoot: true, onLine })).status;
  }
  if (action === "switch" || action === "boot") {
    await requireNixos(machine, path, io.env);
    // The far end's profiles lie where every machine's do, wherever this one's store is.
    const profile = (await systemProfile(session)).replace(store.location.stateDir, "/nix/var/nix");
    const set = await machine.run(["nix-env", "-p", profile, "--set", path], { asRoot: true, onLine });
    if (set.status !== 0) throw new FirnError("remote", `the profile of '${host.host}' could not be switched`);
  }
  const specialisation = flags.value("specialisation");
  const status = await activateNixos({
    machine,
    path,
    action,
    installBootLoader: flags.has("install-bootloader"),
    environment: io.env,
    onLine,
    ...(specialisation === undefined ? {} : { specialisation }),
  });
  if (status !== 0)
    io.err(`error: 'switch-to-configuration ${action}' of '${host.host}' ended with status ${status}\n`);
  return status;
}
