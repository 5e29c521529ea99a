/** Opens the kept answers of evaluations: what is compared with the store goes through the services of the evaluation. */
import type { MachineStore, Settings } from "@firn/store";
import type { HostConfig } from "../evaluator/node-host.ts";
import type { HostServices } from "../evaluator/services.ts";
import { isRepeatable } from "../source/host-services.ts";
import { KeptResults, resultsFile } from "./kept-results.ts";

/** The evaluation whose answers are kept. */
export interface ResultsOptions {
  readonly settings: Settings;
  readonly config: HostConfig;
  /** Opens the store. */
  store(): Promise<MachineStore>;
  /** Makes services that only compute store paths. */
  computing(): Promise<HostServices>;
  /** Receives, in words, what is evaluated and why (`--explain-cache`). */
  explain?(text: string): void;
}

/** Opens the answers of earlier evaluations; undefined when the setting `eval-cache` is off or nothing is kept on disk. */
export function openResults({ settings, config, store, computing, explain }: ResultsOptions): KeptResults | undefined {
  const { codeDirectory, debugger: debugging, calls } = config;
  if (codeDirectory === undefined || !settings.get("eval-cache")) return undefined;
  if (debugging !== undefined || calls !== undefined) return undefined;
  return new KeptResults({
    file: resultsFile(codeDirectory),
    config,
    isLocked: (request) => isRepeatable(request, { pure: config.mode.pure }),
    async holds(path) {
      const opened = await store();
      await opened.addTempRoot(path);
      return opened.isValidPath(path);
    },
    async pathOf({ path, name, method, references, include }) {
      const request = { path, name, method, references };
      return (await computing()).addPath(include === undefined ? request : { ...request, include });
    },
    ...(explain === undefined ? {} : { explain }),
  });
}
