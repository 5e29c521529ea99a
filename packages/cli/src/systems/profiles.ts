/** Built systems: their profile, generations and store paths. */
import { join } from "node:path";
import { followLinksToStore } from "@firn/flake";
import { FirnError } from "@firn/formats";
import type { PathFacts } from "@firn/store";
import type { Flag } from "../grammar/command.ts";
import type { Session } from "../session/session.ts";

/** The flag `--profile-name NAME`. */
export const profileNameFlag: Flag = {
  name: "profile-name",
  short: "p",
  labels: ["name"],
  description: "Use the generations of profiles/system-profiles/NAME instead of profiles/system.",
};

/** Returns the profile with the generations of systems: `profiles/system` of the store, or one below `system-profiles`. */
export async function systemProfile(session: Pick<Session, "store" | "invocation">): Promise<string> {
  const name = session.invocation.flags.value("profile-name") ?? "system";
  const { stateDir } = (await session.store()).location;
  if (name === "system") return join(stateDir, "profiles", "system");
  if (name === "" || name.startsWith(".") || name.includes("/")) {
    throw new FirnError("bad-profile", `'${name}' is not a name for a system profile`);
  }
  return join(stateDir, "profiles", "system-profiles", name);
}

/** Returns the store path that a path is or leads to by links. Fails with `not-in-store`. */
export function storePathOf(store: Pick<PathFacts, "storeDir">, path: string): string {
  const found = followLinksToStore(path, store.storeDir);
  if (found === undefined) throw new FirnError("not-in-store", `'${path}' is not in the Nix store`);
  return found
    .split("/")
    .slice(0, store.storeDir.split("/").length + 1)
    .join("/");
}
