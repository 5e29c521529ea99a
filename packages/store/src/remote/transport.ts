/** Connections to servers of stores: through a socket of this machine, or by ssh and a program of another one. */
import { once } from "node:events";
import net from "node:net";
import type { Readable, Writable } from "node:stream";
import { FirnError } from "@firn/formats";
import { type EventSink, noEvents } from "../events.ts";
import * as fs from "../fs/files.ts";
import { machineError } from "../fs/machine-error.ts";
import { withSocketPath } from "../fs/socket-path.ts";
import { makeTemporaryDirectory, removeDirectory } from "../fs/temporary-directory.ts";
import { LineSplitter } from "../program/line-splitter.ts";
import { type RunningProgram, startProgram } from "../program/start.ts";
import { type Environment, processEnvironment } from "../surroundings.ts";
import { checkSshHost } from "./ssh-authority.ts";
import type { Connection } from "./wire.ts";

/** A connection that can be ended. */
export interface Transport extends Connection {
  /** Resolves when the other end cannot be started; never when it was. */
  readonly failure: Promise<FirnError>;
  /** Ends the connection when all is done, and waits for the program behind it. */
  close(): Promise<void>;
  /** Ends the connection at once. */
  abort(): void;
  /** Ends a program whose output has ended, and reports its last lines. */
  lastWords(): Promise<void>;
}

/** Writes bytes to a stream; resolves when it takes more, or is closed: the end of the input tells of that. */
export function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close"]) stream.on(event, done);
  });
}

/** Yields the bytes of a stream; a stream that fails has ended. */
async function* untilEnd(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    if (machineError(error) === undefined && !isAbort(error)) throw error;
  }
}

/** Tells whether a stream ended because this end closed it. */
function isAbort(error: unknown): boolean {
  const codes = ["ERR_STREAM_PREMATURE_CLOSE", "ABORT_ERR", "ERR_STREAM_DESTROYED"];
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Connects to a daemon's socket. Error `cannot-connect`, with a hint what to do. */
export async function connectToSocket(
  path: string,
  hint = "start the daemon, e.g. with 'systemctl start nix-daemon.socket' or 'firn daemon'",
): Promise<Transport> {
  let socket: net.Socket;
  try {
    socket = withSocketPath(path, (short) => net.connect(short));
    await once(socket, "connect");
  } catch (error) {
    const reason = machineError(error)?.message ?? String(error);
    throw new FirnError("cannot-connect", `cannot connect to socket at '${path}': ${reasonOf(reason)}`, {
      cause: error,
      hint,
    });
  }
  // What cannot be written any more is told by the end of what is read.
  socket.on("error", () => undefined);
  return {
    input: untilEnd(socket),
    write: (bytes) => writeTo(socket, bytes),
    failure: new Promise(() => undefined),
    async close() {
      socket.destroy();
    },
    abort: () => void socket.destroy(),
    lastWords: async () => undefined,
  };
}

/** Waits for the answer to a greeting. Error `cannot-connect` after that many milliseconds. */
export async function withinTime<Result>(answer: Promise<Result>, milliseconds: number | undefined): Promise<Result> {
  if (milliseconds === undefined) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `no answer within ${Math.round(milliseconds / 1000)} seconds`;
    timer = setTimeout(() => reject(new FirnError("cannot-connect", text)), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The last part of a message, which tells the reason. */
function reasonOf(message: string): string {
  return message.slice(message.lastIndexOf(": ") + (message.includes(": ") ? 2 : 1));
}

/** Connection options of another machine. */
export interface SshOptions {
  /** `user@host`. */
  readonly host: string;
  /** Words for ssh before the host, as NIX_SSHOPTS has them. */
  readonly sshOptions?: readonly string[];
  readonly environment?: Environment;
  /** True to compress what ssh sends. */
  readonly compress?: boolean;
  /** The file of the private key to log in with. */
  readonly key?: string;
  /** The machine's public key in base 64, which is then the only one that is accepted. */
  readonly hostKey?: string;
  /** Receives the lines of ssh's and the program's standard error. */
  readonly events?: EventSink;
}

/** Quotes a word for the shell of the other machine. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Returns the program to start and its arguments: ssh, or for `localhost` the far end itself, as in the reference. */
function commandOf(
  { host, ...options }: SshOptions,
  far: readonly [string, ...string[]],
  knownHosts: string | undefined,
): readonly [string, ...string[]] {
  if (host === "localhost") return far;
  const words = [
    ...(options.key === undefined ? [] : ["-i", options.key]),
    ...(options.sshOptions ?? []),
    ...(knownHosts === undefined ? [] : [`-oUserKnownHostsFile=${knownHosts}`]),
    ...(options.compress === true ? ["-C"] : []),
  ];
  return ["ssh", ...words, "-x", host, "--", ...far.map((word, index) => (index === 0 ? word : quoted(word)))];
}

/** Starts a program of another machine, whose standard input and output are the connection. */
export function connectBySsh(options: SshOptions, far: readonly [string, ...string[]]): Transport {
  const { events = noEvents, hostKey } = options;
  checkSshHost(options.host);
  const directory = hostKey === undefined ? undefined : makeTemporaryDirectory("firn-ssh-");
  const [program, ...args] = commandOf(options, far, knownHostsFile(directory, options));
  const child = startProgram(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...processEnvironment(), ...options.environment },
  });
  const said = new LineSplitter((line) => events({ kind: "message", level: "error", text: line }));
  child.stderr.on("data", (data: Buffer) => said.write(data));
  child.stderr.on("end", () => said.end());
  const failure = new Promise<FirnError>((resolve) => {
    child.on("error", (error) => {
      const text = `unable to execute '${program}': ${error.message}`;
      resolve(new FirnError("remote-store", text, program === "ssh" ? { hint: "install openssh-client" } : {}));
    });
  });
  child.on("close", () => {
    if (directory !== undefined) removeDirectory(directory);
  });
  // What cannot be written any more is told by the end of what is read.
  child.stdin.on("error", () => undefined);
  return {
    input: untilEnd(child.stdout),
    write: (bytes) => writeTo(child.stdin, bytes),
    failure,
    async close() {
      child.stdin.end();
      if (isRunning(child)) await once(child, "close");
    },
    abort() {
      child.kill();
    },
    lastWords: () => lastWords(child),
  };
}

function knownHostsFile(directory: string | undefined, { host, hostKey }: SshOptions): string | undefined {
  if (directory === undefined || hostKey === undefined) return undefined;
  const file = `${directory}/host-key`;
  fs.writeFileSync(
    file,
    `${host.slice(host.lastIndexOf("@") + 1)} ${Buffer.from(hostKey, "base64").toString("latin1")}\n`,
  );
  return file;
}

function isRunning(child: RunningProgram): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function lastWords(child: RunningProgram): Promise<void> {
  if (isRunning(child)) {
    child.kill();
    await once(child, "exit");
  }
  // What lies in the pipe is read in the next rounds; its end may never come, since a shared connection holds it open.
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve));
}
