/** `--upgrade` and `--upgrade-all`: root's channels are updated before a system is built, as nixos-rebuild does it. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { existsSync, readdirSync, statSync } from "@firn/store/files";
import { type OsConfiguration, thisMachine } from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { terminalText } from "../render/terminal-text.ts";
import type { Session } from "../session/session.ts";
import { elevationOf } from "./other-hosts.ts";

/** The flags. */
export const upgradeFlags: readonly Flag[] = [
  {
    name: "upgrade",
    description: "First update root's channel 'nixos', and channels that have a file '.update-on-nixos-rebuild'.",
  },
  { name: "upgrade-all", description: "First update all of root's channels." },
];

/** Updates the channels that the flags name. */
export async function upgradeChannels(session: Session, configuration: OsConfiguration): Promise<void> {
  const { io, invocation, progress } = session;
  const all = invocation.flags.has("upgrade-all");
  if (!all && !invocation.flags.has("upgrade")) return;
  const elevation = await elevationOf(session);
  if (elevation.kind === "none" && process.getuid?.() !== 0) {
    throw new FirnError("usage", "channels are updated by root: run the command as root or with --elevate");
  }
  const directory = join((await session.store()).location.stateDir, "profiles/per-user/root/channels");
  const isChosen = (name: string): boolean => {
    const path = join(directory, name);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
    return all || name === "nixos" || existsSync(join(path, ".update-on-nixos-rebuild"));
  };
  const names = existsSync(directory) ? readdirSync(directory).filter(isChosen) : [];
  const machine = thisMachine(elevation);
  for (const name of names) {
    const { status } = await machine.run(["nix-channel", "--update", name], {
      asRoot: true,
      onLine: (line) => io.err(`${terminalText(line, io.terminal)}\n`),
    });
    if (status !== 0) progress.warn(`the channel '${name}' could not be updated`);
  }
  if (names.length === 0) progress.warn("'--upgrade(-all)' flag passed but no channels to update");
  if (configuration.kind === "flake") progress.warn("'--upgrade(-all)' flag has no effect for flake-based systems");
}
