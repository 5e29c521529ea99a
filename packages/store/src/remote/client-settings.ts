/** The settings that a client sends to its daemon (manual: "nix.conf", and the operation SetOptions). */
import type { wire } from "@firn/formats";
import type { Settings } from "../settings/settings.ts";
import { type SettingName, settingsTable } from "../settings/table.ts";

/** Settings that are fields of their own. */
const fields: readonly SettingName[] = [
  ...(["keep-failed", "keep-going", "fallback", "max-jobs", "max-silent-time", "cores", "substitute"] as const),
];

/** Settings of evaluation, of fetching sources and of the command line, and those that a daemon has for itself. */
const ownConcern: readonly SettingName[] = [
  ...(["abort-on-warn", "accept-flake-config", "access-tokens", "allow-dirty", "allow-dirty-locks"] as const),
  ...(["allow-import-from-derivation", "allow-unsafe-native-code-during-evaluation", "allowed-uris"] as const),
  ...(["allowed-users", "bash-prompt", "bash-prompt-prefix", "bash-prompt-suffix"] as const),
  ...(["commit-lock-file-summary", "deb-keyring", "deb-mirrors", "debugger-on-trace", "debugger-on-warn"] as const),
  ...(["eval-attrset-update-layer-rhs-threshold", "eval-cache", "eval-profile-file", "eval-profiler"] as const),
  ...(["eval-profiler-frequency", "eval-system", "experimental-features", "flake-registry", "ignore-try"] as const),
  ...(["json-log-path", "lint-absolute-path-literals", "lint-short-path-literals", "lint-url-literals"] as const),
  ...(["log-lines", "max-call-depth", "max-memory", "nix-path", "nix-shell-always-looks-for-shell-nix"] as const),
  ...(["nix-shell-shebang-arguments-relative-to-script", "npm-registry", "plugin-files", "print-missing"] as const),
  ...(["pure-eval", "restrict-eval", "show-trace", "store", "tarball-ttl", "trace-function-calls"] as const),
  ...(["trace-import-from-derivation", "trace-verbose", "trust-tarballs-from-git-forges", "trusted-users"] as const),
  ...(["upgrade-nix-store-path-url", "use-registries", "use-xdg-base-directories", "warn-dirty"] as const),
  ...(["warn-large-path-threshold", "warn-short-path-literals"] as const),
];

const notSent: ReadonlySet<SettingName> = new Set([...fields, ...ownConcern]);

/** Returns the settings to send: those of builds and downloads that a file, the environment or the command line has set. */
export function clientOptionsOf(
  settings: Settings,
  options: { readonly verbosity: number; readonly overrides: boolean },
): wire.WireValue<typeof wire.clientOptions> {
  const overrides = new Map<string, string>();
  if (options.overrides) {
    for (const name of Object.keys(settingsTable) as SettingName[]) {
      if (settings.isOverridden(name) && !notSent.has(name)) overrides.set(name, settings.textOf(name));
    }
  }
  return {
    keepFailed: settings.get("keep-failed"),
    keepGoing: settings.get("keep-going"),
    tryFallback: settings.get("fallback"),
    verbosity: options.verbosity,
    maxBuildJobs: settings.get("max-jobs"),
    maxSilentTime: settings.get("max-silent-time"),
    verboseBuild: true,
    buildCores: settings.get("cores"),
    useSubstitutes: settings.get("substitute"),
    overrides,
  };
}
