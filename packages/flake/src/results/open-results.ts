/** Opens the kept answers of evaluations: what is compared with the store goes through the services of the evaluation. */
import { type MachineStore, type SettingName, type Settings, settingsTable } from "@firn/store";
import { testVariable } from "@firn/store/surroundings";
import type { HostConfig } from "../evaluator/node-host.ts";
import type { HostServices } from "../evaluator/services.ts";
import { isRepeatable } from "../source/host-services.ts";
import { type ImageWork, KeptImages } from "./kept-images.ts";
import { KeptResults, type KeptResultsOptions, resultsFile } from "./kept-results.ts";
import { makeImage } from "./make-image.ts";

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

/** Returns the options of keeping answers; undefined when the setting `eval-cache` is off or nothing is kept on disk. */
function resultsOptions({
  settings,
  config,
  store,
  computing,
  explain,
}: ResultsOptions): KeptResultsOptions | undefined {
  const { codeDirectory, debugger: debugging, calls } = config;
  if (codeDirectory === undefined || !settings.get("eval-cache")) return undefined;
  if (debugging !== undefined || calls !== undefined) return undefined;
  const explaining = explain === undefined ? {} : { explain };
  return { file: resultsFile(codeDirectory), config, ...explaining, ...comparing({ config, store, computing }) };
}

function comparing({
  config,
  store,
  computing,
}: Pick<ResultsOptions, "config" | "store" | "computing">): Pick<KeptResultsOptions, "isLocked" | "holds" | "pathOf"> {
  return {
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
  };
}

/** Opens the answers of earlier evaluations; undefined when the setting `eval-cache` is off or nothing is kept on disk. */
export function openResults(options: ResultsOptions): KeptResults | undefined {
  const kept = resultsOptions(options);
  return kept === undefined ? undefined : new KeptResults(kept);
}

/** Opens images; `start` starts the process that makes one. Undefined where no answers are kept, and where parsing has to report. */
export function openImages(
  options: ResultsOptions & { readonly flakes: boolean; start(work: ImageWork): Promise<void> },
): KeptImages | undefined {
  const { config, settings, flakes } = options;
  const { codeDirectory } = config;
  const kept = resultsOptions(options);
  if (kept === undefined || codeDirectory === undefined) return undefined;
  if (Object.values(config.mode.lints).some((level) => level !== "ignore")) return undefined;
  const names = Object.keys(settingsTable).filter((name): name is SettingName =>
    settings.isOverridden(name as SettingName),
  );
  return new KeptImages({
    ...kept,
    ...(testVariable("_FIRN_ALWAYS_IMAGES") === undefined ? {} : { worthAnImage: 0, isWanted: () => true }),
    codeDirectory,
    start: (application) =>
      options.start({
        config,
        application,
        settings: names.map((name) => [name, settings.textOf(name)]),
        flakes,
      }),
  });
}

/** Makes an image, as `openImages` has it made, in this process. Returns false when another process is making one. */
export async function makeImageOf(
  work: ImageWork,
  { services, store, computing }: Pick<ResultsOptions, "store" | "computing"> & { readonly services: HostServices },
): Promise<boolean> {
  const { codeDirectory } = work.config;
  if (codeDirectory === undefined) return false;
  const file = resultsFile(codeDirectory);
  return makeImage(work, { file, codeDirectory, services, ...comparing({ config: work.config, store, computing }) });
}
