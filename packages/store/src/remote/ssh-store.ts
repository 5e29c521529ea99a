/** The store of another machine, reached by ssh and its `nix-store --serve --write`. */

import { type DerivedPath, defaultStoreDir, FirnError, interrupted, type PathInfo, wire } from "@firn/formats";
import { addWithFacts } from "../local/content-hash.ts";
import type { BuildMode, BuildRequestOptions, BuildResult, Missing, PathBuilder } from "../store/building.ts";
import type { NarChunks } from "../store/paths.ts";
import type { Offers, Store } from "../store/store.ts";
import type { AddOptions, ContentOptions, ContentWriter, PathWriter } from "../store/writing.ts";
import { readBuildResult } from "./build-results.ts";
import { withoutLabel } from "./daemon-connection.ts";
import { checkSshHost } from "./ssh-authority.ts";
import { connectBySsh, type SshOptions, type Transport, withinTime } from "./transport.ts";
import { WireConnection } from "./wire.ts";

const { serveOperations: operations } = wire;

/** Connection options of the machine. */
export interface SshStoreOptions extends SshOptions {
  /** The program on the other machine; by default `nix-store`. */
  readonly program?: readonly string[];
  /** The directory of the paths; by default `/nix/store`. */
  readonly storeDir?: string;
  /** The store that the program on the other machine opens; by default that machine's own. */
  readonly remoteStore?: string;
  /** Milliseconds that the machine has to answer the greeting; by default any number. */
  readonly greetingTime?: number;
}

/** A connection is used by one request at a time. */
export class SshStore implements Store, PathWriter, ContentWriter, PathBuilder {
  readonly uri: string;
  readonly storeDir: string;
  readonly offers: Partial<Offers> = { writing: this, content: this, building: this };
  private readonly options: SshStoreOptions;
  private opened: Promise<Peer> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: SshStoreOptions) {
    checkSshHost(options.host);
    this.options = options;
    this.storeDir = options.storeDir ?? defaultStoreDir;
    this.uri = `ssh://${options.host}`;
  }

  async isValidPath(path: string): Promise<boolean> {
    return (await this.queryValidPaths([path])).has(path);
  }

  queryValidPaths(
    paths: Iterable<string>,
    { substitute = false }: { readonly substitute?: boolean } = {},
  ): Promise<Set<string>> {
    return this.request(async (peer) => {
      const request = { lock: true, substitute, paths: [...paths] };
      return new Set(await call(peer, operations.QueryValidPaths, request));
    });
  }

  queryPathInfo(path: string): Promise<PathInfo | undefined> {
    return this.request(async (peer) => {
      const infos = await call(peer, operations.QueryPathInfos, { paths: [path] });
      return infos.find((info) => info.path === path);
    });
  }

  addToStore(info: PathInfo, nar: NarChunks, _options?: AddOptions): Promise<void> {
    return this.request(async (peer) => {
      const { ends, agreed } = peer;
      await send(peer, operations.AddToStoreNar, { info });
      for await (const chunk of nar) await ends.write(chunk);
      if ((await ends.read(wire.number, agreed)) !== 1) {
        throw new FirnError("remote-store", `failed to add path '${info.path}' to remote host '${this.options.host}'`);
      }
    });
  }

  addContent(nar: () => NarChunks, options: ContentOptions): Promise<PathInfo> {
    return addWithFacts(this, nar, options);
  }

  async *narFromPath(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const info = await this.queryPathInfo(path);
    if (info === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    const done = Promise.withResolvers<void>();
    const peer = await new Promise<Peer>((resolve, reject) => {
      this.request(async (own) => {
        resolve(own);
        await done.promise;
      }).catch(reject);
    });
    try {
      await send(peer, operations.DumpStorePath, { path });
      yield* peer.ends.bytes(info.narSize);
    } finally {
      done.resolve();
    }
  }

  async buildPaths(
    paths: readonly DerivedPath[],
    { mode = "normal", signal }: BuildRequestOptions = {},
  ): Promise<readonly BuildResult[]> {
    requireNormal(mode);
    const { status, message } = await this.untilAborted(signal, (peer) =>
      call(peer, operations.BuildPaths, { paths, options: noBounds }),
    );
    if (status === 0) return paths.map((path) => ({ path, outputs: new Map() }));
    const error = new FirnError("build-failed", withoutLabel(message), { exitStatus: status });
    return paths.map((path) => ({ path, outputs: new Map(), error }));
  }

  async buildDerivation(
    target: { readonly drvPath: string; readonly derivation: wire.BasicDerivation },
    { mode = "normal", signal }: BuildRequestOptions = {},
  ): Promise<Omit<BuildResult, "path">> {
    requireNormal(mode);
    const result = await this.untilAborted(signal, (peer) =>
      call(peer, operations.BuildDerivation, { target, options: noBounds }),
    );
    return readBuildResult({ ...result, cpuUser: undefined, cpuSystem: undefined });
  }

  async queryMissing(): Promise<Missing> {
    throw new FirnError("unsupported", `the store '${this.uri}' cannot plan builds`);
  }

  /** Does nothing, because the remote side locks the paths of a request. */
  async addTempRoot(): Promise<void> {}

  async close(): Promise<void> {
    if (this.opened === undefined) return;
    const peer = await this.opened.catch(() => undefined);
    if (peer === undefined) return;
    await peer.transport.close();
  }

  /** Makes a request; when `signal` aborts, the connection ends, and with it the far end's work. */
  private untilAborted<Result>(
    signal: AbortSignal | undefined,
    work: (peer: Peer) => Promise<Result>,
  ): Promise<Result> {
    return this.request(async (peer) => {
      const abort = (): void => peer.transport.abort();
      signal?.addEventListener("abort", abort, { once: true });
      try {
        if (signal?.aborted === true) throw interrupted();
        return await work(peer);
      } catch (error) {
        if (signal?.aborted !== true) throw error;
        this.opened = undefined;
        throw interrupted();
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    });
  }

  private request<Result>(work: (peer: Peer) => Promise<Result>): Promise<Result> {
    const result = this.last.then(async () => work(await this.peer()));
    this.last = result.catch(() => undefined);
    return result.catch((error: unknown) => {
      if (error instanceof FirnError && error.code === "connection-closed") {
        throw new FirnError("remote-store", `cannot connect to '${this.options.host}'`, {
          hint: `try 'ssh ${this.options.host} nix-store --version'`,
          cause: error,
        });
      }
      throw error;
    });
  }

  private peer(): Promise<Peer> {
    this.opened ??= connect(this.options);
    return this.opened;
  }
}

function requireNormal(mode: BuildMode): void {
  if (mode !== "normal") throw new FirnError("unsupported", "the serve protocol has no builds to check or to repair");
}

/** No bounds for builds beside those of the far end. */
const noBounds: wire.WireValue<typeof wire.buildOptions> = {
  maxSilentTime: 0,
  timeout: 0,
  maxLogSize: 0,
  repeats: 0,
  enforceDeterminism: false,
  keepFailed: false,
};

interface Peer {
  readonly transport: Transport;
  readonly ends: WireConnection;
  readonly agreed: wire.WirePeer;
}

/** Sends an operation's number and request. */
function send<Request, Answer>(
  { ends, agreed }: Peer,
  operation: wire.WireOperation<Request, Answer>,
  request: Request,
): Promise<void> {
  const output = new wire.WireOutput();
  output.number(operation.number);
  operation.request.write(output, request, agreed);
  return ends.write(output.finish());
}

/** Sends an operation and reads its answer. */
async function call<Request, Answer>(
  peer: Peer,
  operation: wire.WireOperation<Request, Answer>,
  request: Request,
): Promise<Answer> {
  await send(peer, operation, request);
  return peer.ends.read(operation.answer, peer.agreed);
}

async function connect(options: SshStoreOptions): Promise<Peer> {
  const { program: [program = "nix-store", ...words] = [], remoteStore } = options;
  const store = remoteStore === undefined ? [] : ["--store", remoteStore];
  const transport = connectBySsh(options, [program, ...words, "--serve", "--write", ...store]);
  const ends = new WireConnection(transport);
  const failed = transport.failure.then((error) => Promise.reject(error));
  try {
    const greeting = ends.converse(wire.greetServer(ends.input, { storeDir: options.storeDir ?? defaultStoreDir }));
    return { transport, ends, agreed: await withinTime(Promise.race([failed, greeting]), options.greetingTime) };
  } catch (error) {
    if (error instanceof FirnError && error.code === "cannot-connect") transport.abort();
    if (error instanceof FirnError && error.code === "connection-closed") await transport.lastWords();
    throw error;
  }
}
