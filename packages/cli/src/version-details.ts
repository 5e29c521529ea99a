/** The lines of a verbose `--version` about this installation, as the reference has them. */
import { configFiles, machineLocation } from "@firn/store";
import type { Invocation } from "./grammar/invocation.ts";
import type { Io } from "./io.ts";
import { commandSettings } from "./session/session.ts";

/** Returns the lines below the version, with an end of line each. Error `bad-setting`. */
export function versionDetails(invocation: Invocation, io: Io): string {
  const settings = commandSettings(invocation, io);
  const [system, ...user] = configFiles(io.env);
  const { storeDir, stateDir } = machineLocation(io.env);
  // The files are read from the last to the first, so that the first one counts most.
  const lines = [
    `System type: ${settings.get("system")}`,
    `Additional system types: ${settings.get("extra-platforms").join(", ")}`,
    "Features: gc, signed-caches",
    `System configuration file: "${system}"`,
    `User configuration files: ${user.reverse().join(":")}`,
    `Store directory: ${storeDir}`,
    `State directory: "${stateDir}"`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}
