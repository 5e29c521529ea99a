/** The settings that a client may change for its connection. */
import { FirnError, type wire } from "@firn/formats";
import { type EventSink, type SettingName, type Settings, settingNamed } from "@firn/store";

/**
 * The rights of a client: `untrusted` may build, fetch from known caches and add what proves itself; `trusted` may also add unsigned
 * paths and change settings, other than those that stand between it and the rights of the daemon; `owner` has those rights anyway.
 */
export type ClientRights = "untrusted" | "trusted" | "owner";

/** Settings that every client may change. */
const harmless: ReadonlySet<SettingName> = new Set([
  ...(["timeout", "max-silent-time", "build-poll-interval", "connect-timeout"] as const),
]);

/** Settings that only the owner of the daemon changes: who is let in and trusted, what runs outside of the sandbox, and the sandbox. */
const guarded: ReadonlySet<SettingName> = new Set([
  ...(["allowed-users", "trusted-users", "trusted-substituters"] as const),
  ...(["require-sigs", "trusted-public-keys", "secret-key-files"] as const),
  ...(["build-hook", "post-build-hook", "pre-build-hook", "diff-hook", "run-diff-hook", "plugin-files"] as const),
  ...(["external-builders"] as const),
  ...(["sandbox", "sandbox-paths", "sandbox-fallback", "sandbox-build-dir", "sandbox-dev-shm-size"] as const),
  ...(["allowed-impure-host-deps", "filter-syscalls", "allow-new-privileges", "build-dir"] as const),
  ...(["build-users-group", "auto-allocate-uids", "start-id", "id-count", "use-cgroups"] as const),
  ...(["netrc-file", "ssl-cert-file", "json-log-path", "store"] as const),
]);

/** Applies what a client sends of settings; what it may not change is named in a warning. */
export function applyClientOptions(
  settings: Settings,
  options: wire.WireValue<typeof wire.clientOptions>,
  { rights, events }: { readonly rights: ClientRights; readonly events: EventSink },
): void {
  const trustedCaches = new Set([...settings.get("trusted-substituters"), ...settings.get("substituters")]);
  settings.assign("keep-failed", options.keepFailed);
  settings.assign("keep-going", options.keepGoing);
  settings.assign("fallback", options.tryFallback);
  settings.assign("max-jobs", options.maxBuildJobs);
  settings.assign("max-silent-time", options.maxSilentTime);
  settings.assign("cores", options.buildCores);
  settings.assign("substitute", options.useSubstitutes);
  const warn = (text: string): void => events({ kind: "message", level: "warn", text });
  for (const [name, value] of options.overrides) {
    const known = settingNamed(name.replace(/^extra-/, ""));
    // Experimental features are the daemon's own; names that are not known here are those of other versions.
    if (known === undefined || known === "experimental-features") continue;
    if (known === name && settings.textOf(known) === value) continue;
    if (rights !== "owner" && guarded.has(known)) {
      warn(
        rights === "trusted"
          ? `ignoring the client-specified setting '${name}', because only the owner of the daemon may change it`
          : restricted(name),
      );
    } else if (rights === "trusted" && known === "builders" && !namesMachinesOnly(value)) {
      warn(
        `ignoring the client-specified setting '${name}': only the owner of the daemon may name files and stores of this machine in it`,
      );
    } else if (rights !== "untrusted" || harmless.has(known) || (known === "builders" && value === "")) {
      apply(settings, [name, value], warn);
    } else if (known === "substituters" && known === settingNamed(name)) {
      settings.assign("substituters", knownCaches(value, trustedCaches, warn));
    } else warn(restricted(name));
  }
}

/** Tells whether all machines of a value of the setting builders are reached by ssh. */
function namesMachinesOnly(value: string): boolean {
  const entries = value.split(/[\n;]/).map((entry) => entry.replace(/#.*/s, "").trim());
  return entries.every(
    (entry) => entry === "" || /^(?:ssh|ssh-ng):\/\/|^(?!(?:auto|daemon|local)\b)[A-Za-z0-9_@.-]+(?:\s|$)/.test(entry),
  );
}

function restricted(name: string): string {
  return `ignoring the client-specified setting '${name}', because it is a restricted setting and you are not a trusted user`;
}

function apply(settings: Settings, [name, value]: readonly [string, string], warn: (text: string) => void): void {
  try {
    settings.set(name, value);
  } catch (error) {
    if (!(error instanceof FirnError) || error.code !== "bad-setting") throw error;
    warn(error.message);
  }
}

/** Returns those of the wanted caches that the daemon trusts. */
function knownCaches(value: string, trusted: ReadonlySet<string>, warn: (text: string) => void): string[] {
  return value
    .split(/\s+/)
    .filter((cache) => cache !== "")
    .filter((cache) => {
      if (trusted.has(cache) || trusted.has(`${cache}/`)) return true;
      warn(
        `ignoring untrusted substituter '${cache}', you are not a trusted user.\nRun \`man nix.conf\` for more information on the \`substituters\` configuration option.`,
      );
      return false;
    });
}
