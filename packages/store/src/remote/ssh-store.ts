/** The store of another machine, reached by ssh and its `nix-store --serve --write`. */

import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { defaultStoreDir, FirnError, type PathInfo, wire } from "@firn/formats";
import { type EventSink, noEvents } from "../events.ts";
import { LineSplitter } from "../program/line-splitter.ts";
import { type RunningProgram, startProgram } from "../program/start.ts";
import type { NarChunks } from "../store/paths.ts";
import type { Offers, Store } from "../store/store.ts";
import type { AddOptions, PathWriter } from "../store/writing.ts";
import { processEnvironment } from "../surroundings.ts";
import { checkSshHost } from "./ssh-authority.ts";
import { WireConnection } from "./wire.ts";

const { serveOperations: operations } = wire;

/** Connection options of the machine. */
export interface SshStoreOptions {
  /** `user@host`. */
  readonly host: string;
  /** Words for ssh before the host, as NIX_SSHOPTS has them. */
  readonly sshOptions?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The program on the other machine; by default `nix-store`. */
  readonly program?: readonly string[];
  /** The directory of the paths; by default `/nix/store`. */
  readonly storeDir?: string;
  /** The store that the program on the other machine opens; by default that machine's own. */
  readonly remoteStore?: string;
  /** True to compress what ssh sends. */
  readonly compress?: boolean;
  /** Receives the lines of ssh's and the program's standard error. */
  readonly events?: EventSink;
}

/** A connection is used by one request at a time. */
export class SshStore implements Store, PathWriter {
  readonly uri: string;
  readonly storeDir: string;
  readonly offers: Partial<Offers> = { writing: this };
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

  /** Does nothing, because the remote side locks the paths of a request. */
  async addTempRoot(): Promise<void> {}

  async close(): Promise<void> {
    if (this.opened === undefined) return;
    const peer = await this.opened.catch(() => undefined);
    if (peer === undefined) return;
    peer.child.stdin.end();
    if (peer.child.exitCode === null && peer.child.signalCode === null) await once(peer.child, "close");
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

interface Peer {
  readonly child: RunningProgram & { readonly stdin: Writable; readonly stdout: Readable };
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

/** Quotes a word for the shell of the other machine. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Returns the program to start and its arguments: ssh, or for `localhost` the far end itself, as in the reference. */
function commandOf({ host, remoteStore, ...options }: SshStoreOptions): [program: string, ...args: string[]] {
  const [program = "nix-store", ...words] = options.program ?? [];
  const end = [...words, "--serve", "--write", ...(remoteStore === undefined ? [] : ["--store", remoteStore])];
  if (host === "localhost") return [program, ...end];
  const compression = options.compress === true ? ["-C"] : [];
  return ["ssh", ...(options.sshOptions ?? []), ...compression, "-x", host, "--", program, ...end.map(quoted)];
}

async function connect(options: SshStoreOptions): Promise<Peer> {
  const [program, ...args] = commandOf(options);
  const child = startProgram(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...processEnvironment(), ...options.environment },
  });
  const { events = noEvents } = options;
  const said = new LineSplitter((line) => events({ kind: "message", level: "error", text: line }));
  child.stderr.on("data", (data: Buffer) => said.write(data));
  child.stderr.on("end", () => said.end());
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (error) => {
      reject(
        new FirnError("remote-store", `unable to execute '${program}': ${error.message}`, {
          ...(program === "ssh" ? { hint: "install openssh-client" } : {}),
        }),
      );
    });
  });
  // What cannot be written any more is told by the end of what is read.
  child.stdin.on("error", () => undefined);
  const ends = new WireConnection({
    input: child.stdout as AsyncIterable<Uint8Array>,
    write: (bytes) =>
      child.stdin.write(bytes)
        ? Promise.resolve()
        : new Promise((resolve) => {
            for (const event of ["drain", "close"]) child.stdin.once(event, () => resolve());
          }),
  });
  try {
    const greeting = ends.converse(wire.greetServer(ends.input, { storeDir: options.storeDir ?? defaultStoreDir }));
    return { child, ends, agreed: await Promise.race([failed, greeting]) };
  } catch (error) {
    if (error instanceof FirnError && error.code === "connection-closed") await lastWords(child);
    throw error;
  }
}

/** Ends a program whose output has ended, and reports its last lines. */
async function lastWords(child: RunningProgram): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await once(child, "exit");
  }
  // What lies in the pipe is read in the next rounds; its end may never come, since a shared connection holds it open.
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve));
}
