/** The configuration of an evaluation from settings, environment and flags, as plain data for its worker. */

import { totalmem } from "node:os";
import { resolve } from "node:path";
import { FirnError, nixVersion } from "@firn/formats";
import { channelSearchPath, hostSystem, machineLocation, type Settings, type StoreLocation } from "@firn/store";
import { homeDirectory, testVariable } from "@firn/store/surroundings";
import { codeDirectory } from "./code-directory.ts";
import type { HostConfig } from "./node-host.ts";

function lintLevel(value: string): "ignore" | "warn" | "fatal" {
  return value === "warn" || value === "fatal" ? value : "ignore";
}

/** Returns the level of a lint that the deprecated setting `warn-short-path-literals` switches too, where its own does not say. */
function shortPathLint(settings: Settings): "ignore" | "warn" | "fatal" {
  const warns = settings.get("warn-short-path-literals") && !settings.isOverridden("lint-short-path-literals");
  return warns ? "warn" : lintLevel(settings.get("lint-short-path-literals"));
}

function searchPathEntries(elements: readonly string[]): { prefix: string; path: string }[] {
  return elements.map((element) => {
    const bytes = element;
    const split = bytes.indexOf("=");
    return split < 0 ? { prefix: "", path: bytes } : { prefix: bytes.slice(0, split), path: bytes.slice(split + 1) };
  });
}

/** Makes the configuration of an evaluation from settings, environment and flags. */
export function hostConfig(
  settings: Settings,
  io: { readonly environment: Readonly<Record<string, string | undefined>>; readonly cwd: string },
  options: {
    readonly includes: readonly string[];
    readonly readOnly: boolean;
    readonly realStoreDir?: string;
    readonly debugger?: boolean;
    /** The location of the store; by default the machine's own. */
    readonly location?: StoreLocation;
  },
): HostConfig {
  const { environment } = io;
  const system = settings.get("eval-system");
  const code = codeDirectory(environment);
  const machine = machineLocation(environment);
  const location = options.location ?? { ...machine, realStoreDir: options.realStoreDir ?? machine.realStoreDir };
  const useXdg = settings.get("use-xdg-base-directories");
  const channels =
    settings.get("pure-eval") || settings.get("restrict-eval")
      ? []
      : channelSearchPath({ location, environment, useXdg });
  return {
    mode: {
      pure: settings.get("pure-eval"),
      restricted: settings.get("restrict-eval"),
      readOnly: options.readOnly,
      maxCallDepth: settings.get("max-call-depth"),
      maxMemory: settings.get("max-memory") === 0 ? memoryForValues() : settings.get("max-memory"),
      // Firn has these two on always.
      experimentalFeatures: [...new Set(["flakes", "nix-command", ...settings.get("experimental-features")])],
      allowImportFromDerivation: settings.get("allow-import-from-derivation"),
      traceImportFromDerivation: settings.get("trace-import-from-derivation"),
      allowFileClosures: testVariable("_NIX_IN_TEST") !== undefined,
      allowNativeCode: settings.get("allow-unsafe-native-code-during-evaluation"),
      traceVerbose: settings.get("trace-verbose"),
      abortOnWarn: settings.get("abort-on-warn") || environment.NIX_ABORT_ON_WARN !== undefined,
      lints: {
        "url-literals": lintLevel(settings.get("lint-url-literals")),
        "short-path-literals": shortPathLint(settings),
        "absolute-path-literals": lintLevel(settings.get("lint-absolute-path-literals")),
      },
    },
    storeDir: environment.NIX_STORE_DIR ?? "/nix/store",
    currentSystem: system !== "" ? system : (settings.get("system") ?? hostSystem()),
    nixVersion,
    searchPath: searchPathEntries([...options.includes, ...settings.get("nix-path"), ...channels]),
    workingDirectory: io.cwd,
    homeDirectory: homeDirectory(environment),
    currentTime: Math.floor(Date.now() / 1000),
    environment,
    allowedPaths: [],
    ...(options.realStoreDir === undefined ? {} : { realStoreDir: options.realStoreDir }),
    allowedUris: settings.get("allowed-uris"),
    showTrace: settings.get("show-trace"),
    ...callsOf(settings, io.cwd),
    ...(options.debugger === true
      ? {
          debugger: {
            ignoreTry: settings.get("ignore-try"),
            stopOnTrace: settings.get("debugger-on-trace"),
            stopOnWarning: settings.get("debugger-on-warn"),
          },
        }
      : {}),
    ...(code === undefined ? {} : { codeDirectory: code }),
  };
}

/** Returns the bytes that values may take on this machine: three quarters of its memory, or of what a limit of its group leaves. */
function memoryForValues(): number {
  const limit = process.constrainedMemory();
  // A group without a limit has a number beyond any machine, or none.
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.floor((memory * 3) / 4);
}

/** Returns the part of the configuration that says how calls are observed. Error `bad-setting` for an unknown profiler. */
function callsOf(settings: Settings, cwd: string): Pick<HostConfig, "calls"> {
  const trace = settings.get("trace-function-calls");
  const profiler = settings.get("eval-profiler");
  if (profiler !== "disabled" && profiler !== "flamegraph") {
    throw new FirnError("bad-setting", `option 'eval-profiler' has invalid value '${profiler}'`);
  }
  if (!trace && profiler === "disabled") return {};
  const file = resolve(cwd, settings.get("eval-profile-file"));
  const frequency = settings.get("eval-profiler-frequency");
  return { calls: { trace, ...(profiler === "disabled" ? {} : { profile: { frequency, file } }) } };
}
