import { prefetchFile } from "@firn/fetch";
import { type JsonValue, parseHash, printHash } from "@firn/formats";
import { makeTransferrer } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withSession } from "../session/session.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

/** `firn store prefetch-file`: downloads a file into the store. */
export const command: Command = {
  positionals: [{ label: "url" }],
  flags: [
    ...jsonFlags,
    { name: "name", labels: ["name"], description: "Override the name component of the resulting store path." },
    { name: "expected-hash", labels: ["hash"], description: "The expected hash of the file." },
    {
      name: "hash-type",
      labels: ["hash-algo"],
      kinds: ["hash-algorithm"],
      description: "Hash algorithm; default sha256.",
    },
    { name: "executable", description: "Make the resulting file executable." },
    { name: "unpack", description: "Unpack the archive and add the result to the store." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const { flags, positionals } = invocation;
      const [url = ""] = positionals;
      const { settings } = session;
      const events = session.progress.event.bind(session.progress);
      const algorithm = hashAlgorithm(flags.value("hash-type") ?? "sha256", settings);
      const expected = flags.value("expected-hash");
      const name = flags.value("name");
      const transferrer = makeTransferrer({ settings, environment: io.env, events, offline: flags.has("offline") });
      try {
        const found = await prefetchFile(
          {
            url,
            algorithm,
            unpack: flags.has("unpack"),
            executable: flags.has("executable"),
            ...(name === undefined ? {} : { name }),
            ...(expected === undefined ? {} : { expected: parseHash(expected, algorithm) }),
          },
          { store: await session.store(), settings, transferrer },
        );
        session.progress.clear();
        const hash = printHash(found.hash, "sri");
        if (flags.has("json")) {
          const facts = new Map<string, JsonValue>([
            ["hash", hash],
            ["storePath", found.path],
          ]);
          printJsonResult(io, facts, invocation);
        } else {
          const text = `Downloaded '${url}' to '${found.path}' (hash '${hash}').`;
          session.progress.event({ kind: "message", level: "notice", text });
        }
        return 0;
      } finally {
        await transferrer.close();
      }
    }),
};
