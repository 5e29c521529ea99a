import {
  FirnError,
  type JsonValue,
  jsonNumber,
  type NarInfo,
  type PathInfo,
  printContentAddress,
  printHash,
  printJson,
  printJsonObject,
  showSize,
} from "@firn/formats";
import {
  computeClosure,
  configuredRealStoreDir,
  isMachineStore,
  offered,
  type PathFacts,
  type Store,
  sortByReferences,
} from "@firn/store";
import type { Command, Flag } from "../grammar/command.ts";
import { installableFlags, jsonFlags, stdinFlag } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { jsonLayout, printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { commandSettings } from "../session/session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";

/** Flags of commands that work on store paths. */
export const pathFlags: readonly Flag[] = [
  { name: "recursive", short: "r", description: "Apply operation to closure of the specified paths." },
  { name: "all", description: "Apply the operation to every store path." },
  { name: "derivation", aliases: ["drv"], description: "Operate on the store derivation rather than its outputs." },
];

function jsonVersion(text: string): 1 | 2 {
  if (text === "1" || text === "2") return text === "2" ? 2 : 1;
  throw new FirnError(
    "unsupported",
    `unsupported path info JSON format version ${text}; supported versions are 1 and 2`,
  );
}

/** `firn path-info`: shows the store's facts about paths. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    ...installableFlags,
    ...jsonFlags,
    stdinFlag,
    { name: "size", short: "s", description: "Print the size of the NAR serialisation of each path." },
    {
      name: "closure-size",
      short: "S",
      description: "Print the sum of the sizes of the NAR serialisations of the closure of each path.",
    },
    {
      name: "human-readable",
      short: "h",
      description: "With -s and -S, print sizes in a human-friendly format such as 5.67G.",
    },
    { name: "sigs", description: "Show signatures." },
    { name: "json-format", labels: ["version"], description: "JSON format version to use (1 or 2)." },
  ],
  run: (invocation, io) =>
    withQueriedStore(invocation, io, async (session, store) => {
      const { flags } = invocation;
      const paths = await queriedPaths(session, store);
      if (flags.has("json")) {
        const version = jsonVersion(flags.value("json-format") ?? "1");
        const { indent = 0 } = jsonLayout(invocation);
        // Texts take less memory than values, of which a store has many.
        const entries = new Map<string, string>();
        const entryLayout = { indent, depth: version };
        for (const path of paths) {
          const info = await store.queryPathInfo(path);
          const key = version === 2 ? path.slice(store.storeDir.length + 1) : path;
          const entry =
            info === undefined
              ? null
              : await infoJson(store, info, { version, closureSize: flags.has("closure-size") });
          entries.set(key, printJson(entry, entryLayout));
        }
        if (!flags.has("json-format")) {
          session.progress.warn(
            "'--json' without '--json-format' is deprecated; please specify '--json-format 1' or '--json-format 2'. This will become an error in a future release.",
          );
        }
        const object = printJsonObject(entries, { indent, depth: version - 1 });
        const parts = [
          ["info", object],
          ["storeDir", printJson(store.storeDir)],
          ["version", "2"],
        ] as const;
        printLine(io, version === 1 ? object : printJsonObject(new Map(parts), { indent }));
        return 0;
      }
      const width = Math.max(0, ...paths.map((path) => path.length));
      const detailed = flags.has("size") || flags.has("closure-size") || flags.has("sigs");
      for (const path of paths) {
        if (isMachineStore(store)) await session.builder.substitute(path);
        const info = await store.queryPathInfo(path);
        if (info === undefined) {
          throw new FirnError("invalid-path", `path '${path}' is not valid`);
        }
        const size = (bytes: number): string =>
          flags.has("human-readable") ? showSize(bytes).padStart(10) : String(bytes).padStart(11);
        let line = detailed ? path.padEnd(width) : path;
        if (flags.has("size")) line += `\t${size(info.narSize)}`;
        if (flags.has("closure-size")) line += `\t${size(await closureSize(store, path))}`;
        if (flags.has("sigs")) {
          const marks = [
            ...(info.ultimate === true ? ["ultimate"] : []),
            ...(info.ca === undefined ? [] : [`ca:${printContentAddress(info.ca)}`]),
            ...info.signatures,
          ];
          line += `\t${marks.join(" ")}`;
        }
        printLine(io, line);
      }
      return 0;
    }),
};

/** Runs `body` with the store that the command asks: the machine's own, or another one, which needs no files here. */
async function withQueriedStore(
  invocation: Invocation,
  io: Io,
  body: (session: EvaluationSession, store: Store) => Promise<number>,
): Promise<number> {
  const settings = commandSettings(invocation, io);
  if (configuredRealStoreDir({ settings, environment: io.env }) !== undefined) {
    return withEvaluation(invocation, io, { body: async (session) => body(session, await session.store()) });
  }
  // What is no store path is evaluated on this machine.
  const own: Invocation = { ...invocation, settings: [...invocation.settings, ["store", "auto"]] };
  return withEvaluation(own, io, {
    async body(session) {
      const store = await openQueriedStore({ settings, progress: session.progress, io });
      try {
        return await body(session, store);
      } finally {
        await store.close();
      }
    },
  });
}

/** Returns the paths that the command line asks about. */
async function queriedPaths(session: EvaluationSession, store: Store): Promise<string[]> {
  const { closure, all, derivations } = pathSelection(session.invocation);
  if (all === true) return (await offered(store, "listing").queryAllValidPaths()).sort();
  const paths = await pathsOf(session, await session.words(), {
    realise: false,
    derivations: derivations ?? false,
    from: store,
  });
  return closure === true ? sortByReferences(store, await computeClosure(store, paths)) : paths;
}

/** Returns what a binary cache tells of a path besides the facts of every store. */
function downloadJson(info: PathInfo): [string, JsonValue][] {
  if (!isNarInfo(info)) return [];
  return [
    ["compression", info.compression],
    ["downloadHash", info.fileHash === undefined ? null : printHash(info.fileHash, "sri")],
    ["downloadSize", info.fileSize === undefined ? null : jsonNumber(info.fileSize)],
    ["url", info.url],
  ];
}

function isNarInfo(info: PathInfo): info is NarInfo {
  return "url" in info;
}

async function closureSize(store: PathFacts, path: string): Promise<number> {
  let total = 0;
  for (const member of await computeClosure(store, [path])) total += (await store.queryPathInfo(member))?.narSize ?? 0;
  return total;
}

/** Returns the size of the archives of a closure as a binary cache has them. */
async function closureDownloadSize(store: PathFacts, path: string): Promise<number> {
  let total = 0;
  for (const member of await computeClosure(store, [path])) {
    const info = await store.queryPathInfo(member);
    if (info !== undefined && isNarInfo(info)) total += info.fileSize ?? 0;
  }
  return total;
}

async function infoJson(
  store: PathFacts,
  info: PathInfo,
  options: { readonly version: 1 | 2; readonly closureSize: boolean },
): Promise<JsonValue> {
  const { version } = options;
  const base = (path: string): string => (version === 2 ? path.slice(store.storeDir.length + 1) : path);
  let ca: JsonValue = null;
  if (info.ca !== undefined) {
    ca =
      version === 1
        ? printContentAddress(info.ca)
        : new Map<string, JsonValue>([
            ["hash", printHash(info.ca.hash, "sri")],
            ["method", info.ca.method],
          ]);
  }
  const members = new Map<string, JsonValue>([
    ["ca", ca],
    ["deriver", info.deriver === undefined ? null : base(info.deriver)],
    ["narHash", printHash(info.narHash, "sri")],
    ["narSize", jsonNumber(info.narSize)],
    ["references", info.references.map(base)],
    ["registrationTime", info.registrationTime === undefined ? null : jsonNumber(info.registrationTime)],
    ["signatures", info.signatures],
    ["storeDir", store.storeDir],
    ["ultimate", info.ultimate === true],
    ["version", jsonNumber(version)],
  ]);
  for (const [name, value] of downloadJson(info)) members.set(name, value);
  if (options.closureSize && isNarInfo(info)) {
    members.set("closureDownloadSize", jsonNumber(await closureDownloadSize(store, info.path)));
  }
  if (options.closureSize) members.set("closureSize", jsonNumber(await closureSize(store, info.path)));
  return members;
}
