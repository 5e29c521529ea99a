/**
 * The settings: names, kinds and defaults as the reference's (`nix.conf` in its manual), and Firn's own at the end. Settings
 * without effect in Firn are listed all the same, so that a shared nix.conf is read without complaint.
 */

/** The type of a setting's text. `size` takes suffixes K, M, G, T; `flag-or-relaxed` is the sandbox's. */
export type SettingKind =
  | "string"
  | "optional"
  | "boolean"
  | "integer"
  | "size"
  | "list"
  | "set"
  | "map"
  | "jobs"
  | "sandbox";

interface Definition<K extends SettingKind, V> {
  readonly kind: K;
  readonly initial: V;
  readonly aliases?: readonly string[];
  /** The number of bits of an integer, 32 unless given; 63 are those of a number with a sign. */
  readonly bits?: 63 | 64;
}

const text = (initial: string, ...aliases: string[]): Definition<"string", string> => ({
  kind: "string",
  initial,
  aliases,
});
const optional = (): Definition<"optional", string | undefined> => ({ kind: "optional", initial: undefined });
const flag = (initial: boolean, ...aliases: string[]): Definition<"boolean", boolean> => ({
  kind: "boolean",
  initial,
  aliases,
});
const integer = (initial: number, ...aliases: string[]): Definition<"integer", number> => ({
  kind: "integer",
  initial,
  aliases,
});
const wide = (bits: 63 | 64, initial: number, ...aliases: string[]): Definition<"integer", number> => ({
  kind: "integer",
  initial,
  aliases,
  bits,
});
const size = (initial: number): Definition<"size", number> => ({ kind: "size", initial, bits: 64 });
const list = (initial: readonly string[], ...aliases: string[]): Definition<"list", readonly string[]> => ({
  kind: "list",
  initial,
  aliases,
});
const set = (initial: readonly string[], ...aliases: string[]): Definition<"set", readonly string[]> => ({
  kind: "set",
  initial,
  aliases,
});
const map = (): Definition<"map", ReadonlyMap<string, string>> => ({ kind: "map", initial: new Map() });

const asRoot = process.getuid?.() === 0;

/** The settings by name. */
export const settingsTable = {
  "abort-on-warn": flag(false),
  "accept-flake-config": flag(false),
  "access-tokens": map(),
  "allow-dirty": flag(true),
  "allow-dirty-locks": flag(false),
  "allow-import-from-derivation": flag(true),
  "allow-new-privileges": flag(false),
  "allow-symlinked-store": flag(false),
  "allow-unsafe-native-code-during-evaluation": flag(false),
  "allowed-impure-host-deps": set([]),
  "allowed-uris": list([]),
  "allowed-users": list(["*"]),
  "always-allow-substitutes": flag(false),
  // On for root, where the reference leaves builders with the rights of root unless it is told otherwise.
  "auto-allocate-uids": flag(asRoot),
  "auto-optimise-store": flag(false),
  "bash-prompt": text(""),
  "bash-prompt-prefix": text(""),
  "bash-prompt-suffix": text(""),
  "build-dir": optional(),
  "build-hook": list(["nix", "__build-remote"]),
  "build-poll-interval": integer(5),
  "build-users-group": text(asRoot ? "nixbld" : ""),
  builders: text("@/etc/nix/machines"),
  "builders-use-substitutes": flag(false),
  "commit-lock-file-summary": text("", "commit-lockfile-summary"),
  "compress-build-log": flag(true, "build-compress-log"),
  "connect-timeout": wide(64, 15),
  cores: integer(0, "build-cores"),
  "debugger-on-trace": flag(false),
  "debugger-on-warn": flag(false),
  "diff-hook": optional(),
  "download-attempts": integer(5),
  "download-buffer-size": wide(64, 1048576),
  "download-speed": integer(0),
  "eval-attrset-update-layer-rhs-threshold": integer(16),
  "eval-cache": flag(true),
  "eval-profile-file": text("nix.profile"),
  "eval-profiler": text("disabled"),
  "eval-profiler-frequency": integer(99),
  "eval-system": text(""),
  "experimental-features": set([]),
  "extra-platforms": set([]),
  fallback: flag(false, "build-fallback"),
  "filter-syscalls": flag(true),
  "flake-registry": text("https://channels.nixos.org/flake-registry.json"),
  "fsync-metadata": flag(true),
  "fsync-store-paths": flag(false),
  "gc-reserved-space": wide(63, 8388608),
  "hashed-mirrors": list([]),
  "http-connections": wide(64, 25, "binary-caches-parallel-connections"),
  http2: flag(true),
  "id-count": integer(8388608),
  "ignore-try": flag(false),
  "ignored-acls": set(["security.csm", "security.selinux", "system.nfs4_acl"]),
  "impersonate-linux-26": flag(false, "build-impersonate-linux-26"),
  "impure-env": map(),
  "json-log-path": optional(),
  "keep-build-log": flag(true, "build-keep-log"),
  "keep-derivations": flag(true, "gc-keep-derivations"),
  "keep-env-derivations": flag(false, "env-keep-derivations"),
  "keep-failed": flag(false),
  "keep-going": flag(false),
  "keep-outputs": flag(false, "gc-keep-outputs"),
  "lint-absolute-path-literals": text("ignore"),
  "lint-short-path-literals": text("ignore"),
  "lint-url-literals": text("ignore"),
  "log-lines": wide(64, 25),
  "max-build-log-size": wide(64, 0, "build-max-log-size"),
  "max-call-depth": integer(10000),
  "max-free": size(Number.MAX_SAFE_INTEGER),
  "max-jobs": { kind: "jobs", initial: 1, aliases: ["build-max-jobs"] } as Definition<"jobs", number>,
  "max-silent-time": wide(63, 0, "build-max-silent-time"),
  "max-substitution-jobs": integer(16, "substitution-max-jobs"),
  "min-free": size(0),
  "min-free-check-interval": wide(64, 5),
  "nar-buffer-size": wide(64, 33554432),
  "narinfo-cache-meta-ttl": integer(604800),
  "narinfo-cache-negative-ttl": integer(3600),
  "narinfo-cache-positive-ttl": integer(2592000),
  "netrc-file": text("/etc/nix/netrc"),
  "nix-path": list([]),
  "nix-shell-always-looks-for-shell-nix": flag(true),
  "nix-shell-shebang-arguments-relative-to-script": flag(true),
  "plugin-files": list([]),
  "post-build-hook": text(""),
  "pre-build-hook": text(""),
  "preallocate-contents": flag(false),
  "print-missing": flag(true),
  "pure-eval": flag(false),
  "require-drop-supplementary-groups": flag(true),
  "require-sigs": flag(true),
  "restrict-eval": flag(false),
  "run-diff-hook": flag(false),
  sandbox: {
    kind: "sandbox",
    initial: "true",
    aliases: ["build-use-chroot", "build-use-sandbox"],
  } as Definition<"sandbox", "true" | "false" | "relaxed">,
  "sandbox-build-dir": text("/build"),
  "sandbox-dev-shm-size": text("50%"),
  "sandbox-fallback": flag(true),
  "sandbox-paths": set([], "build-chroot-dirs", "build-sandbox-paths"),
  "secret-key-files": list([]),
  "show-trace": flag(false),
  "ssl-cert-file": optional(),
  "stalled-download-timeout": wide(64, 300),
  "start-id": integer(872415232),
  store: text("auto"),
  substitute: flag(true, "build-use-substitutes"),
  substituters: list(["https://cache.nixos.org/"], "binary-caches"),
  "sync-before-registering": flag(false),
  system: text("x86_64-linux"),
  "system-features": set([]),
  "tarball-ttl": integer(3600),
  timeout: wide(63, 0, "build-timeout"),
  "trace-function-calls": flag(false),
  "trace-import-from-derivation": flag(false),
  "trace-verbose": flag(false),
  "trust-tarballs-from-git-forges": flag(true),
  "trusted-public-keys": list(
    ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
    "binary-cache-public-keys",
  ),
  "trusted-substituters": set([], "trusted-binary-caches"),
  "trusted-users": list(["root"]),
  "upgrade-nix-store-path-url": text(
    "https://github.com/NixOS/nixpkgs/raw/master/nixos/modules/installer/tools/nix-fallback-paths.nix",
  ),
  "use-case-hack": flag(false),
  "use-cgroups": flag(false),
  "use-registries": flag(true),
  "use-sqlite-wal": flag(true),
  "use-xdg-base-directories": flag(false),
  "user-agent-suffix": text(""),
  "warn-dirty": flag(true),
  "warn-large-path-threshold": size(0),
  "warn-short-path-literals": flag(false),
  // Firn's own:
  /** Mirrors for `mirror://debian/…` and `mirror://debian-security/…`: `debian=URL`, or plain URLs for `debian`. */
  "deb-mirrors": list([]),
  /** Archives that keep the state of each day, where files are that have left a mirror: `debian=URL`. */
  "deb-snapshots": list([]),
  /** Bytes that the values of an evaluation may take; 0 for what the machine, or the group of processes it runs in, has. */
  "max-memory": integer(0),
  /** Files with the keys that sign Debian's archives; when empty, that of the package debian-archive-keyring. */
  "deb-keyring": list([]),
  /** The registry for `mirror://npm/…`; when empty, the one that npm uses. */
  "npm-registry": text(""),
};

/** Every setting's name. */
export type SettingName = keyof typeof settingsTable;

/** The values by name. */
export type SettingValues = { readonly [K in SettingName]: (typeof settingsTable)[K]["initial"] };
