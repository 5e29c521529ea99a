import { basename } from "node:path";
import { makeFixedOutputPath, parseContentAddressMethod } from "@firn/formats";
import { dumpPath, hashNarContent, offered, openStore, requireFeature } from "@firn/store";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { printLine } from "../render/output.ts";
import { withSession } from "../session/session.ts";
import { existingPath } from "../targets/existing-path.ts";
import { hashAlgorithm } from "../targets/hash-algorithm.ts";

const flags: readonly Flag[] = [
  {
    name: "name",
    short: "n",
    labels: ["name"],
    description: "Override the name component of the store path. It defaults to the base name of path.",
  },
  {
    name: "mode",
    labels: ["content-address-method"],
    description: "How to compute the content address: nar (default), flat, text or git.",
  },
  { name: "hash-algo", labels: ["hash-algo"], description: "Hash algorithm; default sha256." },
  { name: "dry-run", description: "Show what this command would do without doing it." },
];

async function add(invocation: Invocation, io: Io, defaultMode: string): Promise<number> {
  const { flags: given, positionals } = invocation;
  const path = existingPath(io.cwd, positionals[0] ?? "");
  const name = given.value("name") ?? basename(path);
  const method = parseContentAddressMethod(given.value("mode") ?? defaultMode);
  return withSession(invocation, io, async ({ settings, progress }) => {
    const algorithm = hashAlgorithm(given.value("hash-algo") ?? "sha256", settings);
    if (method === "git") requireFeature(settings, "git-hashing");
    const store = await openStore(settings.get("store"), {
      settings,
      environment: io.env,
      events: (event) => progress.event(event),
    });
    try {
      if (given.has("dry-run")) {
        const hash = hashNarContent(dumpPath(path), { method, algorithm });
        printLine(io, makeFixedOutputPath({ method, hash }, { name, storeDir: store.storeDir }));
        return 0;
      }
      const options = { name, method, algorithm, isNew: true };
      const { sources } = store.offers;
      const added =
        sources === undefined
          ? await offered(store, "content").addContent(() => dumpPath(path), options)
          : await sources.addPath(path, options);
      printLine(io, added.path);
      return 0;
    } finally {
      await store.close();
    }
  });
}

/** `firn store add`: adds a file or directory to the store. */
export const command: Command = {
  positionals: [{ label: "path" }],
  flags,
  run: (invocation, io) => add(invocation, io, "nar"),
};

/** `firn store add-file`: adds a file to the store, hashing the file alone. */
export const addFile: Command = { ...command, run: (invocation, io) => add(invocation, io, "flat") };
