/** The operations of the serve protocol, which `nix-store --serve` answers. */
import type { PathInfo } from "../narinfo/path-info.ts";
import { buildOptions, namedDerivation, servedBuildResult } from "./build.ts";
import { done, flag, nothing, number, record, string, type WireCodec } from "./codec.ts";
import { servedDerivedPaths } from "./derived-path.ts";
import { operation } from "./operation.ts";
import { pathInfo, servedPathInfo } from "./path-info.ts";
import { storePath, storePaths } from "./store-values.ts";
import { serveProtocol, wireVersion } from "./version.ts";

const always = serveProtocol.oldestClient;

/** Facts about paths one after the other, ended by an empty string. */
export const servedPathInfos: WireCodec<readonly PathInfo[]> = {
  *read(input, peer) {
    const infos: PathInfo[] = [];
    for (;;) {
      const path = yield* string.read(input, peer);
      if (path === "") return infos;
      infos.push({ path, ...(yield* servedPathInfo.read(input, peer)) });
    }
  },
  write(output, infos, peer) {
    for (const info of infos) {
      storePath.write(output, info.path, peer);
      servedPathInfo.write(output, info, peer);
    }
    output.string("");
  },
};

/** The result of building: status zero, or an exit status and a message. */
const buildPathsAnswer: WireCodec<{ readonly status: number; readonly message: string }> = {
  *read(input, peer) {
    const status = yield* number.read(input, peer);
    return { status, message: status === 0 ? "" : yield* string.read(input, peer) };
  },
  write(output, { status, message }) {
    output.number(status);
    if (status !== 0) output.string(message);
  },
};

/** The operations by their names. */
export const serveOperations = {
  QueryValidPaths: operation(1, always, record({ lock: flag, substitute: flag, paths: storePaths }), storePaths),
  QueryPathInfos: operation(2, always, record({ paths: storePaths }), servedPathInfos),
  DumpStorePath: operation(3, always, record({ path: storePath }), nothing, { answerBody: "archive" }),
  ImportPaths: operation(4, always, nothing, done, { body: [{ since: always, form: "export" }] }),
  BuildPaths: operation(6, always, record({ paths: servedDerivedPaths, options: buildOptions }), buildPathsAnswer),
  QueryClosure: operation(7, always, record({ includeOutputs: flag, paths: storePaths }), storePaths),
  BuildDerivation: operation(8, always, record({ target: namedDerivation, options: buildOptions }), servedBuildResult),
  AddToStoreNar: operation(9, wireVersion(2, 5), record({ info: pathInfo }), done, {
    body: [{ since: always, form: "sized" }],
  }),
} as const;
