/** `nix-prefetch-url`: downloads a file into the store and prints its hash. */
import { type PrefetchRequest, prefetchFile } from "@firn/fetch";
import { FirnError, parseHash, printHash } from "@firn/formats";
import { makeTransferrer } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";
import { expressionsOf, selectedValues } from "./expressions.ts";

/** The file of a call of `fetchurl`. */
type Source = Pick<PrefetchRequest, "url" | "unpack">;

/** Returns what the selected attribute, a derivation of `fetchurl`, downloads. Error `type-error`. */
async function sourceOf(session: EvaluationSession, invocation: Invocation): Promise<Source> {
  const evaluation = await session.evaluation();
  const context = {
    evaluator: evaluation.evaluator,
    io: session.io,
    directory: session.io.cwd,
    fetchPath: (url: string) => evaluation.pathOfUrl(url),
  };
  for await (const { value, autoArgs } of selectedValues(expressionsOf(invocation), context)) {
    const call = await value.autoCall(autoArgs);
    const [url] = (await (await call.attribute("urls"))?.elements()) ?? [];
    if (url === undefined) throw new FirnError("type-error", "'urls' list is empty");
    const mode = await call.attribute("outputHashMode");
    if (mode === undefined) session.progress.warn("this does not look like a fetchurl call");
    return {
      url: (await url.string()).text,
      unpack: mode !== undefined && (await mode.string()).text === "recursive",
    };
  }
  throw new FirnError("type-error", "the expression has no value");
}

/** `nix-prefetch-url`. */
export const command: Command = {
  style: "old",
  positionals: [
    { label: "url", optional: true },
    { label: "hash", optional: true, repeats: true },
  ],
  flags: [
    ...evaluationFlags,
    {
      name: "type",
      labels: ["algorithm"],
      kinds: ["hash-algorithm"],
      description: "The algorithm; default sha256.",
    },
    { name: "print-path", description: "Print the store path as well." },
    {
      name: "attr",
      short: "A",
      labels: ["path"],
      kinds: ["attribute-path"],
      description: "Download what an attribute of a file, a derivation of fetchurl, downloads.",
    },
    { name: "unpack", description: "Add the contents of an archive." },
    { name: "executable", description: "Add the file as a program." },
    { name: "name", labels: ["name"], description: "Name in the store." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { impure: true },
      body: async (session) => {
        const { flags, positionals } = invocation;
        if (positionals.length > 2) throw new UsageError("too many arguments");
        const [url, hash] = positionals;
        const attribute = flags.has("attr");
        if (url === undefined && !attribute) throw new UsageError("you must specify a URL");
        const algorithm = hashAlgorithm(flags.value("type") ?? "sha256", session.settings);
        const source = attribute
          ? await sourceOf(session, { ...invocation, positionals: positionals.slice(0, 1) })
          : { url: url ?? "", unpack: false };
        const name = flags.value("name");
        const { settings } = session;
        const events = session.progress.event.bind(session.progress);
        const transferrer = makeTransferrer({ settings, environment: io.env, events });
        try {
          const found = await prefetchFile(
            {
              url: source.url,
              algorithm,
              unpack: source.unpack || flags.has("unpack"),
              executable: flags.has("executable"),
              ...(name === undefined ? {} : { name }),
              ...(hash === undefined ? {} : { expected: parseHash(hash, algorithm) }),
            },
            { store: await session.store(), settings, transferrer },
          );
          session.progress.clear();
          const prints = flags.has("print-path");
          if (!prints) session.progress.event({ kind: "message", level: "info", text: `path is '${found.path}'` });
          printLine(io, printHash(found.hash, found.hash.algorithm === "md5" ? "base16" : "nix32", false));
          if (prints) printLine(io, found.path);
          return 0;
        } finally {
          await transferrer.close();
        }
      },
    }),
};
