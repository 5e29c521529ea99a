/** The database: `nix-store --init`, `--dump-db`, `--load-db`, `--register-validity` and `--check-validity`. */
import { FirnError, type PathInfo, parseRegistrations, printRegistration, type Registration } from "@firn/formats";
import { canonicalise, hashTree, type MachineStore, offered, requirePathInfo } from "@firn/store";
import { printLine } from "../../render/output.ts";
import { type OldSession, withOldSession } from "../../session/old-session.ts";
import type { StoreOperation } from "./operation.ts";

interface Registering {
  /** True when hash and size stand in the input. */
  readonly hashed: boolean;
  /** True to replace what is known of valid paths. */
  readonly again: boolean;
  /** True to give the files the store's metadata. */
  readonly canonical: boolean;
}

/** Registers the paths that standard input describes. */
async function register(session: OldSession, options: Registering): Promise<number> {
  const store = await session.store();
  const text = await session.io.readStdin();
  const infos: PathInfo[] = [];
  for (const registration of parseRegistrations(text, { hashed: options.hashed, storeDir: store.storeDir })) {
    if (!options.again && (await store.isValidPath(registration.path))) continue;
    if (options.canonical) canonicalise(store.realPath(registration.path));
    infos.push({ ...registration, signatures: [], ...factsOf(store, registration) });
  }
  offered(store, "registry").registerValidPaths(infos);
  return 0;
}

function factsOf(store: MachineStore, { path, narHash, narSize }: Registration): Pick<PathInfo, "narHash" | "narSize"> {
  if (narHash !== undefined && narSize !== undefined) return { narHash, narSize };
  const { hash, size } = hashTree(store.realPath(path));
  return { narHash: hash, narSize: size };
}

const nothing = { positionals: [], wrongArguments: "no arguments expected" } as const;

/** Operations on the database. */
export const databaseOperations: readonly StoreOperation[] = [
  {
    flag: { name: "init", description: "Make the store's directories and database." },
    flags: [],
    ...nothing,
    run: (invocation, io) =>
      withOldSession(invocation, io, async (session) => {
        await session.store();
        return 0;
      }),
  },
  {
    flag: { name: "dump-db", description: "Print what is registered of the paths, or of all." },
    flags: [],
    positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const store = await session.store();
          const paths: string[] = [];
          for (const word of invocation.positionals) paths.push(await session.storePath(word));
          const all = paths.length > 0 ? paths : (await store.queryAllValidPaths()).sort();
          for (const path of all) {
            io.out(Buffer.from(printRegistration(await requirePathInfo(store, path)), "latin1"));
            await io.drained?.();
          }
          return 0;
        },
        { reads: true },
      ),
  },
  {
    flag: { name: "load-db", description: "Register what --dump-db printed, from standard input." },
    flags: [],
    ...nothing,
    run: (invocation, io) =>
      withOldSession(invocation, io, (session) => register(session, { hashed: true, again: true, canonical: false })),
  },
  {
    flag: { name: "register-validity", description: "Register paths that were put into place by other means." },
    flags: [
      { name: "reregister", description: "Replace what is known of paths that are valid already." },
      { name: "hash-given", description: "Hash and size stand in the input." },
    ],
    ...nothing,
    run: (invocation, io) =>
      withOldSession(invocation, io, (session) =>
        register(session, {
          hashed: invocation.flags.has("hash-given"),
          again: invocation.flags.has("reregister"),
          canonical: true,
        }),
      ),
  },
  {
    flag: { name: "check-validity", description: "Tell whether the paths are valid." },
    flags: [{ name: "print-invalid", description: "Print those that are not, and do not fail." }],
    positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const store = await session.store();
          for (const word of invocation.positionals) {
            const path = await session.storePath(word);
            if (await store.isValidPath(path)) continue;
            if (!invocation.flags.has("print-invalid")) {
              throw new FirnError("invalid-path", `path '${path}' is not valid`);
            }
            printLine(io, path);
          }
          return 0;
        },
        { reads: true },
      ),
  },
];
