import { resolve } from "node:path";
import { parseSecretKey } from "@firn/formats";
import { type ServedCompression, serveCache } from "@firn/store";
import { readFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { withReadingSession } from "../session/session.ts";

/** `firn serve`: serves the store as a binary cache over HTTP until it is interrupted. */
export const command: Command = {
  positionals: [],
  flags: [
    { name: "host", labels: ["address"], description: "The address to listen on. It defaults to 127.0.0.1." },
    {
      name: "port",
      short: "p",
      labels: ["port"],
      description: "The port to listen on. It defaults to 5000; 0 takes a free one.",
    },
    {
      name: "key-file",
      short: "k",
      labels: ["file"],
      kinds: ["path"],
      description: "Sign each description with the secret key in the file. It may be given several times.",
    },
    {
      name: "token-file",
      labels: ["file"],
      kinds: ["path"],
      description: "Answer only to those who have the token in the file, as a bearer token or as a password.",
    },
    { name: "compression", labels: ["method"], description: "Compression of archives: zstd (the default) or none." },
    {
      name: "priority",
      labels: ["number"],
      description: "The priority of the cache, lower is asked first. It defaults to 30.",
    },
  ],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async ({ settings, progress }) => {
      const { flags } = invocation;
      const keys = flags.all("key-file").map(([file = ""]) => parseSecretKey(textIn(io, file)));
      const tokenFile = flags.value("token-file");
      const token = tokenFile === undefined ? undefined : textIn(io, tokenFile);
      if (token === "") throw new UsageError(`the token file '${tokenFile}' is empty`);
      const store = await openQueriedStore({ settings, progress, io });
      try {
        const server = await serveCache({
          store,
          host: flags.value("host") ?? "127.0.0.1",
          port: numberOf(flags.value("port") ?? "5000", "--port", 65535),
          priority: numberOf(flags.value("priority") ?? "30", "--priority", 2 ** 31),
          compression: compressionOf(flags.value("compression") ?? "zstd"),
          keys,
          ...(token === undefined ? {} : { token }),
          onError: (error) => progress.warn(error instanceof Error ? error.message : String(error)),
        });
        io.err(`serving '${store.storeDir}' at ${server.url}\n`);
        await interrupted();
        await server.close();
        return 0;
      } finally {
        await store.close();
      }
    }),
};

function textIn(io: Io, file: string): string {
  return readFileSync(resolve(io.cwd, file), "latin1").trim();
}

function numberOf(text: string, flag: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new UsageError(`${flag} takes a number up to ${most}, not '${text}'`);
}

function compressionOf(text: string): ServedCompression {
  if (text === "none" || text === "zstd") return text;
  throw new UsageError(`--compression takes 'zstd' or 'none', not '${text}'`);
}

function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
}
