/** The language's host over the files of this machine, without a store: for programs that use the language as a library. */

import { nixVersion } from "@firn/formats";
import { defaultEvalMode, type EvalHost, type EvalMessage, type EvalMode } from "@firn/language";
import { hostSystem } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import { createNodeHost } from "./node-host.ts";
import { createOfflineServices } from "./offline-services.ts";

/** Options of a file host; each has a plain default. */
export interface FileHostOptions {
  readonly mode?: Partial<EvalMode>;
  /** Entries of the search path for `<name>`: `name=path` or a directory. */
  readonly searchPath?: readonly string[];
  /** Value of `builtins.currentSystem` (default: this machine's). */
  readonly system?: string;
  /** Variables that `builtins.getEnv` sees (default: those of the process). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Receives traces and warnings of the evaluation (default: ignored). */
  report?(message: EvalMessage): void;
}

/** Makes a host that reads files. Store paths are computed; nothing is written, built or fetched. */
export function createFileHost(options: FileHostOptions = {}): EvalHost {
  const environment = options.environment ?? processEnvironment();
  const mode = { ...defaultEvalMode, ...options.mode };
  const config = {
    mode,
    storeDir: "/nix/store",
    currentSystem: options.system ?? hostSystem(),
    nixVersion,
    searchPath: (options.searchPath ?? []).map((entry) => {
      const equals = entry.indexOf("=");
      return { prefix: entry.slice(0, Math.max(0, equals)), path: entry.slice(equals + 1) };
    }),
    homeDirectory: environment.HOME ?? "/",
    currentTime: Math.floor(Date.now() / 1000),
    environment,
    allowedPaths: [],
    allowedUris: [],
    showTrace: false,
  };
  return createNodeHost(config, createOfflineServices(config.storeDir, mode.pure), {
    report: (message) => options.report?.(message),
    interrupted: () => false,
  });
}
