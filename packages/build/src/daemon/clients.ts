/** The decision who may use a daemon, and with which rights (manual: "nix.conf", `allowed-users` and `trusted-users`). */
import { FirnError } from "@firn/formats";
import { groupName, isGroupMember, type PeerCredentials, type Settings, userName } from "@firn/store";
import type { ClientRights } from "./client-settings.ts";

/** A client that is let in. */
export interface AdmittedClient {
  readonly rights: ClientRights;
  /** Its name for messages. */
  readonly user: string;
}

/** Decides by the kernel's word for a client, undefined when there is none. Error `not-privileged` when it is not let in. */
export function admitClient(peer: PeerCredentials | undefined, settings: Settings): AdmittedClient {
  const user = peer === undefined ? undefined : (userName(peer.uid) ?? String(peer.uid));
  const group = peer === undefined ? undefined : (groupName(peer.gid) ?? String(peer.gid));
  const matches = (names: readonly string[]): boolean => names.some((name) => matchesName(name, user, group));
  const trusted = matches(settings.get("trusted-users"));
  const buildUsers = settings.get("build-users-group");
  const builder = buildUsers !== "" && group === buildUsers;
  if (builder || (!trusted && !matches(settings.get("allowed-users")))) {
    throw new FirnError("not-privileged", `user '${user ?? "<unknown>"}' is not allowed to connect to the Nix daemon`);
  }
  const owner = peer !== undefined && (peer.uid === 0 || peer.uid === process.geteuid?.());
  return { rights: !trusted ? "untrusted" : owner ? "owner" : "trusted", user: user ?? "<unknown>" };
}

function matchesName(name: string, user: string | undefined, group: string | undefined): boolean {
  if (name === "*" || name === user) return true;
  if (!name.startsWith("@")) return false;
  const wanted = name.slice(1);
  return wanted === group || (user !== undefined && isGroupMember(user, wanted));
}
