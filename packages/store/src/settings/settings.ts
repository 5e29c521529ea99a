/** Settings: read from files, environment and command line, in the reference's order. */

import os from "node:os";
import path from "node:path";
import { type ConfSetting, FirnError, type PlacedSetting, parseNixConf } from "@firn/formats";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { homeDirectory, processEnvironment } from "../surroundings.ts";
import { parseExternalBuilders, printExternalBuilders } from "./external-builders.ts";
import { settingNamed } from "./names.ts";
import { sandboxShell } from "./sandbox-shell.ts";
import { type SettingKind, type SettingName, type SettingValues, settingsTable } from "./table.ts";

/** Environment variables, as `processEnvironment()`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The name shown in place of a file's for settings from the environment. */
const environmentText = "NIX_CONFIG";

const TRUE = ["true", "yes", "1"];
const FALSE = ["false", "no", "0"];
const SUFFIX: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** The experimental features of Nix 2.34. */
const experimentalFeatures: ReadonlySet<string> = new Set([
  "auto-allocate-uids",
  "blake3-hashes",
  "ca-derivations",
  "cgroups",
  "configurable-impure-env",
  "daemon-trust-override",
  "dynamic-derivations",
  "external-builders",
  "fetch-closure",
  "fetch-tree",
  "flakes",
  "git-hashing",
  "impure-derivations",
  "local-overlay-store",
  "mounted-ssh-store",
  "nix-command",
  "parse-toml-timestamps",
  "pipe-operators",
  "read-only-local-store",
  "recursive-nix",
  "verified-fetches",
]);

/** The features without which settings have no effect. */
const needed: Partial<Record<SettingName, string>> = {
  "auto-allocate-uids": "auto-allocate-uids",
  "impure-env": "configurable-impure-env",
};

/** Returns the feature that a setting needs and that is not enabled. */
export function lackingFeature(settings: Settings, name: string): string | undefined {
  const setting = settingNamed(name) ?? settingNamed(name.replace(/^extra-/, ""));
  const feature = setting === undefined ? undefined : needed[setting];
  return feature === undefined || hasFeature(settings, feature) ? undefined : feature;
}

/** Puts settings of experimental features before those that may need them. */
export function featuresFirst<Setting>(pairs: readonly Setting[], nameOf: (pair: Setting) => string): Setting[] {
  const first = (pair: Setting): boolean => /^(?:extra-)?experimental-features$/.test(nameOf(pair));
  return [...pairs.filter(first), ...pairs.filter((pair) => !first(pair))];
}

function words(value: string): string[] {
  return value.split(/[ \t\n\r]+/).filter((word) => word !== "");
}

function read(name: SettingName, value: string): unknown {
  const kind: SettingKind = settingsTable[name].kind;
  switch (kind) {
    case "string":
      return value;
    case "optional":
      return value === "" ? undefined : value;
    case "boolean":
      if (TRUE.includes(value)) return true;
      if (FALSE.includes(value)) return false;
      throw new FirnError("bad-setting", `Boolean setting '${name}' has invalid value '${value}'`);
    case "integer":
    case "size":
      return readInteger(name, value);
    case "jobs":
      if (value === "auto") return os.availableParallelism();
      if (/^[0-9]{1,9}$/.test(value)) return Number(value);
      throw new FirnError("bad-setting", `configuration setting '${name}' should be 'auto' or an integer`);
    case "list":
      return words(value);
    case "set":
      return [...new Set(words(value))].sort();
    case "map":
      return new Map(
        words(value).flatMap((word): [string, string][] => {
          const split = word.indexOf("=");
          return split < 0 ? [] : [[word.slice(0, split), word.slice(split + 1)]];
        }),
      );
    case "sandbox":
      if (value === "relaxed") return "relaxed";
      if (TRUE.includes(value)) return "true";
      if (FALSE.includes(value)) return "false";
      throw new FirnError("bad-setting", `option '${name}' has invalid value '${value}'`);
    case "external-builders":
      return parseExternalBuilders(value);
  }
}

function readInteger(name: SettingName, value: string): number {
  const { bits = 32 }: { readonly bits?: number } = settingsTable[name];
  const match = /^([0-9]{1,20})([KMGT])?$/.exec(value.trim().toUpperCase());
  const digits = match === null ? -1n : BigInt(match[1]!);
  if (digits >> BigInt(bits) !== 0n) {
    throw new FirnError("bad-setting", `setting '${name}' has invalid value '${value}'`);
  }
  // A product that is too large wraps around, as in the reference.
  const number = BigInt.asUintN(bits, digits * BigInt(match?.[2] === undefined ? 1 : SUFFIX[match[2]]!));
  return Math.min(Number(number), Number.MAX_SAFE_INTEGER);
}

function show(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join(" ");
  if (value instanceof Map) return [...value].map(([key, item]) => `${key}=${item}`).join(" ");
  // The largest number stands for the reference's largest.
  return value === Number.MAX_SAFE_INTEGER ? "9223372036854775807" : String(value);
}

/** All settings with their values; `set` changes one from its text. */
export class Settings {
  readonly #values = new Map<SettingName, unknown>();
  readonly #overridden = new Set<SettingName>();
  /** Unknown names in order of appearance, with their values. */
  readonly unknown: ConfSetting[] = [];
  /** Messages about values that were not understood and left the setting as it was, and about deprecated settings. */
  readonly mistakes: string[] = [];

  constructor(host: { system?: string } = {}) {
    for (const [name, definition] of Object.entries(settingsTable))
      this.#values.set(name as SettingName, name === "sandbox-paths" ? undefined : definition.initial);
    const system = host.system ?? hostSystem();
    this.#values.set("system", system);
    this.#values.set("system-features", [
      "benchmark",
      "big-parallel",
      ...(hasKvm() ? ["kvm"] : []),
      "nixos-test",
      "uid-range",
    ]);
    if (system === "x86_64-linux") this.#values.set("extra-platforms", ["i686-linux", ...x86Levels()]);
    this.#values.set("ssl-cert-file", defaultCertificates());
  }

  /** Returns settings of their own with the same values. */
  copy(): Settings {
    const copy = new Settings();
    for (const [name, value] of this.#values) copy.#values.set(name, value);
    for (const name of this.#overridden) copy.#overridden.add(name);
    return copy;
  }

  /** Returns the value of a setting. */
  get<K extends SettingName>(name: K): SettingValues[K] {
    return this.#valueOf(name) as SettingValues[K];
  }

  /** Returns a value; the shell of builds is looked for when it is asked for the first time. */
  #valueOf(name: SettingName): unknown {
    const value = this.#values.get(name);
    if (value !== undefined || name !== "sandbox-paths") return value;
    const shell = sandboxShell();
    this.#values.set(name, shell);
    return shell;
  }

  /** Tells whether a file, the environment or the command line has set it. */
  isOverridden(name: SettingName): boolean {
    return this.#overridden.has(name);
  }

  /** Returns the value in the notation of nix.conf. */
  textOf(name: SettingName): string {
    if (name === "external-builders") return printExternalBuilders(this.get(name));
    return show(this.#valueOf(name));
  }

  /**
   * Sets a setting from text, by name, old name or `extra-` name (which appends to lists, sets, maps and strings). Returns
   * false when there is no such setting. Error `bad-setting`.
   */
  set(name: string, value: string): boolean {
    const feature = lackingFeature(this, name);
    if (feature !== undefined) {
      const text = `Ignoring setting '${name}' because experimental feature '${feature}' is not enabled`;
      this.mistakes.push(text);
      return true;
    }
    const direct = settingNamed(name);
    if (direct !== undefined) {
      const understood = this.#understood(direct, read(direct, value));
      this.#values.set(direct, understood);
      if (direct === "warn-short-path-literals") {
        const level = understood === true ? "warn" : "ignore";
        this.mistakes.push(`'${direct}' is deprecated, use 'lint-short-path-literals = ${level}' instead`);
      }
      this.#overridden.add(direct);
      return true;
    }
    const appended = name.startsWith("extra-") ? settingNamed(name.slice("extra-".length)) : undefined;
    if (appended === undefined) return false;
    const kind: SettingKind = settingsTable[appended].kind;
    const more = this.#understood(appended, read(appended, value));
    const old = this.#valueOf(appended);
    if (kind === "list") this.#values.set(appended, [...(old as string[]), ...(more as string[])]);
    else if (kind === "set")
      this.#values.set(appended, [...new Set([...(old as string[]), ...(more as string[])])].sort());
    else if (kind === "map")
      this.#values.set(appended, new Map([...(old as Map<string, string>), ...(more as Map<string, string>)]));
    else return false;
    this.#overridden.add(appended);
    return true;
  }

  /** Returns a value without the experimental features that do not exist, which are kept among the mistakes. */
  #understood(name: SettingName, value: unknown): unknown {
    if (name !== "experimental-features") return value;
    const features = value as string[];
    // Flakes bring what they are fetched by.
    const all = features.includes("flakes") ? [...new Set([...features, "fetch-tree"])].sort() : features;
    return all.filter((feature) => {
      if (experimentalFeatures.has(feature)) return true;
      this.mistakes.push(
        feature === "no-url-literals"
          ? `experimental feature '${feature}' has been stabilized and renamed; use 'lint-url-literals = fatal' setting instead`
          : `unknown experimental feature '${feature}'`,
      );
      return false;
    });
  }

  /** Sets a setting to a typed value, for defaults that a program decides. */
  assign<K extends SettingName>(name: K, value: SettingValues[K]): void {
    this.#values.set(name, value);
    this.#overridden.add(name);
  }

  /** Applies settings read from files; unknown names are kept in `unknown`. Error `bad-setting` with a hint that names the place. */
  apply(pairs: readonly PlacedSetting[]): void {
    for (const { name, value, file, line } of featuresFirst(pairs, ({ name }) => name)) {
      try {
        if (!this.set(name, value)) this.unknown.push({ name, value });
      } catch (error) {
        if (!(error instanceof FirnError) || error.code !== "bad-setting") throw error;
        // What a file says is bytes.
        const hint = `it is set in line ${line} of ${file === environmentText ? file : `"${file}"`}`;
        throw new FirnError("bad-setting", error.message, { hint, cause: error });
      }
    }
  }

  /** Returns every setting's text, sorted by name, as `nix config show` prints it. */
  entries(): [string, string][] {
    return [...this.#values.keys()].sort().map((name) => [name, this.textOf(name)]);
  }
}

/** Tells whether an experimental feature is enabled; in Firn, flakes and the new commands are enabled by default. */
export function hasFeature(settings: Settings, feature: string): boolean {
  return feature === "flakes" || feature === "nix-command" || settings.get("experimental-features").includes(feature);
}

/** Throws `experimental-feature` when an experimental feature is not enabled. */
export function requireFeature(settings: Settings, feature: string): void {
  if (hasFeature(settings, feature)) return;
  throw new FirnError(
    "experimental-feature",
    `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`,
  );
}

/** Returns the configuration files, in the order of reading. */
export function configFiles(environment: Environment): string[] {
  const system = path.join(environment.NIX_CONF_DIR ?? "/etc/nix", "nix.conf");
  const own = environment.NIX_USER_CONF_FILES;
  if (own !== undefined)
    return [
      system,
      ...own
        .split(":")
        .filter((file) => file !== "")
        .reverse(),
    ];
  const home = homeDirectory(environment);
  const config = environment.XDG_CONFIG_HOME ?? path.join(home, ".config");
  const shared = (environment.XDG_CONFIG_DIRS ?? "/etc/xdg").split(":").filter((directory) => directory !== "");
  const directories = [config, ...shared];
  return [system, ...directories.map((directory) => path.join(directory, "nix", "nix.conf")).reverse()];
}

/** Reads a configuration text, following includes on disk. */
export function parseConfigText(text: string, file: string): PlacedSetting[] {
  return parseNixConf(text, file, (included, from) => {
    const resolved = path.resolve(path.dirname(from), included);
    const found = readOptional(resolved);
    if (found !== undefined) return { path: resolved, text: found };
    // Like the reference: what is there and cannot be read says nothing.
    return exists(resolved) ? { path: resolved, text: "" } : undefined;
  });
}

function readOptional(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "latin1");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EACCES", "ELOOP", "ENAMETOOLONG")) return undefined;
    throw error;
  }
}

function exists(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (!hasErrorCode(error, "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG")) throw error;
    return false;
  }
}

/** Splits NIX_PATH at colons that are not part of a URL. */
function splitNixPath(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text[i] !== ":") continue;
    const before = text.slice(start, i);
    const scheme = before.slice(before.indexOf("=") + 1);
    if (text.startsWith("://", i) || scheme === "flake" || scheme === "channel") continue;
    if (before !== "") parts.push(before);
    start = i + 1;
  }
  return parts;
}

/** All settings from the files and `NIX_CONFIG`; the command line's come after, with `set`. */
export function loadSettings(environment: Environment = processEnvironment()): Settings {
  const settings = new Settings();
  for (const file of configFiles(environment)) {
    const text = readOptional(file);
    if (text !== undefined) settings.apply(parseConfigText(text, file));
  }
  if (environment.NIX_CONFIG !== undefined) settings.apply(parseConfigText(environment.NIX_CONFIG, environmentText));
  if (environment.NIX_PATH !== undefined) settings.assign("nix-path", splitNixPath(environment.NIX_PATH));
  const certificates = environment.NIX_SSL_CERT_FILE ?? environment.SSL_CERT_FILE;
  if (certificates !== undefined && certificates !== "") settings.assign("ssl-cert-file", certificates);
  if (environment.NIX_REMOTE !== undefined && environment.NIX_REMOTE !== "")
    settings.assign("store", environment.NIX_REMOTE);
  return settings;
}

/** Returns this machine's system type, e.g. `x86_64-linux`. */
export function hostSystem(): string {
  const machines: Readonly<Record<string, string>> = {
    x64: "x86_64",
    arm64: "aarch64",
    ia32: "i686",
    riscv64: "riscv64",
  };
  return `${machines[process.arch] ?? process.arch}-${process.platform}`;
}

function hasKvm(): boolean {
  try {
    fs.accessSync("/dev/kvm", fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the microarchitecture levels of the processor, which the reference adds to `extra-platforms`. */
function x86Levels(): string[] {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readOptional("/proc/cpuinfo") ?? "")?.[1]?.split(" ") ?? []);
  const needs = [
    [],
    ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"],
    ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"],
    ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
  ];
  const levels: string[] = [];
  for (const [index, required] of needs.entries()) {
    if (!required.every((name) => flags.has(name))) break;
    levels.push(`x86_64-v${index + 1}-linux`);
  }
  return levels;
}

function defaultCertificates(): string | undefined {
  return ["/etc/ssl/certs/ca-certificates.crt", "/nix/var/nix/profiles/default/etc/ssl/certs/ca-bundle.crt"].find(
    (file) => fs.existsSync(file),
  );
}
