/** Derivations that are sent to be built, and the results of builds. */
import { type Derivation, derivationOutputPath, outputFields } from "../derivation/derivation.ts";
import type { DerivedPath } from "../derivation/derived-path.ts";
import { parseOutputFields } from "../derivation/parse.ts";
import { storePathName } from "../store-path/name.ts";
import {
  choice,
  flag,
  mapOf,
  number,
  optional,
  record,
  since,
  string,
  strings,
  type WireCodec,
  type WirePeer,
  type WireValue,
} from "./codec.ts";
import { derivedPath } from "./derived-path.ts";
import { protocolError } from "./input.ts";
import { realisationMap } from "./realisation.ts";
import { storePath, storePaths } from "./store-values.ts";
import { wireVersion } from "./version.ts";

/** A derivation whose inputs are all store paths. */
export type BasicDerivation = Omit<Derivation, "inputDrvs">;

const derivationFields = record({
  outputs: mapOf(string, record({ path: string, method: string, hash: string })),
  inputSrcs: storePaths,
  system: string,
  builder: string,
  args: strings,
  env: mapOf(string, string),
});

function outputTexts(derivation: BasicDerivation, peer: WirePeer): WireValue<typeof derivationFields>["outputs"] {
  const outputs = new Map<string, { path: string; method: string; hash: string }>();
  for (const [name, output] of derivation.outputs) {
    const known = derivationOutputPath(derivation, name, peer.storeDir) ?? "";
    const [path, method, hash] = outputFields(output, known);
    outputs.set(name, { path, method, hash });
  }
  return outputs;
}

/** A derivation to build, preceded by the path of its file, which gives it its name. */
export const namedDerivation: WireCodec<{ readonly drvPath: string; readonly derivation: BasicDerivation }> = {
  *read(input, peer) {
    const drvPath = yield* storePath.read(input, peer);
    const fields = yield* derivationFields.read(input, peer);
    const name = storePathName(drvPath);
    if (!name.endsWith(".drv")) throw protocolError(`the peer named '${drvPath}', which is no derivation`);
    const outputs = new Map(
      [...fields.outputs].map(([output, { path, method, hash }]) => [
        output,
        parseOutputFields([path, method, hash], peer.storeDir),
      ]),
    );
    return { drvPath, derivation: { ...fields, name: name.slice(0, -".drv".length), outputs } };
  },
  write(output, { drvPath, derivation }, peer) {
    storePath.write(output, drvPath, peer);
    derivationFields.write(output, { ...derivation, outputs: outputTexts(derivation, peer) }, peer);
  },
};

/** Mode of a build: as needed, replacing existing outputs, or again to compare. */
export const buildMode = choice("build mode", ["normal", "repair", "check"]);

/** Results of builds, by their numbers. */
export const buildStatus = choice("status of a build", [
  "built",
  "substituted",
  "already-valid",
  "permanent-failure",
  "input-rejected",
  "output-rejected",
  "transient-failure",
  "cached-failure",
  "timed-out",
  "misc-failure",
  "dependency-failed",
  "log-limit-exceeded",
  "not-deterministic",
  "resolves-to-already-valid",
  "no-substituters",
]);

const resultTimes = (version: number) => ({
  timesBuilt: since(version, number, 0),
  /** True when repeated builds differed. */
  nonDeterministic: since(version, flag, false),
  /** Seconds since 1970. */
  startTime: since(version, number, 0),
  stopTime: since(version, number, 0),
});

const processorTime = since(wireVersion(1, 37), optional(number), undefined);

/** The result of a build, in the worker protocol. Processor times are in microseconds. */
export const buildResult = record({
  status: buildStatus,
  errorMessage: string,
  ...resultTimes(wireVersion(1, 29)),
  cpuUser: processorTime,
  cpuSystem: processorTime,
  builtOutputs: since(wireVersion(1, 28), realisationMap, []),
});

/** The result of a build, in the serve protocol. */
export const servedBuildResult = record({
  status: buildStatus,
  errorMessage: string,
  ...resultTimes(wireVersion(2, 3)),
  builtOutputs: since(wireVersion(2, 6), realisationMap, []),
});

/** The result of a build, preceded by the derived path that was requested. */
export const keyedBuildResult: WireCodec<{
  readonly path: DerivedPath;
  readonly result: WireValue<typeof buildResult>;
}> = record({ path: derivedPath, result: buildResult });

/** Bounds for builds, in the serve protocol. Times are in seconds; zero is no bound. */
export const buildOptions = record({
  maxSilentTime: number,
  timeout: number,
  maxLogSize: since(wireVersion(2, 2), number, 0),
  repeats: since(wireVersion(2, 3), number, 0),
  enforceDeterminism: since(wireVersion(2, 3), flag, false),
  keepFailed: since(wireVersion(2, 7), flag, false),
});
