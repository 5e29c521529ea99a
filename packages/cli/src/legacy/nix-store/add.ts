/** Adding files: `nix-store --add`, `--add-fixed` and `--print-fixed-path`. */
import { basename } from "node:path";
import { type ContentAddressMethod, makeFixedOutputPath, parseHash } from "@firn/formats";
import type { Flag } from "../../grammar/command.ts";
import type { Invocation } from "../../grammar/invocation.ts";
import type { Io } from "../../io.ts";
import { printLine } from "../../render/output.ts";
import { withOldSession } from "../../session/old-session.ts";
import { existingPath } from "../../targets/existing-path.ts";
import { hashAlgorithm } from "../../targets/hash-algorithm.ts";
import type { StoreOperation } from "./operation.ts";

const recursive: Flag = {
  name: "recursive",
  description: "Hash the archive of a file or directory, not the file alone.",
};

interface Adding {
  readonly paths: readonly string[];
  readonly method: ContentAddressMethod;
  readonly algorithm: string;
}

function add(invocation: Invocation, io: Io, { paths, method, algorithm: name }: Adding): Promise<number> {
  return withOldSession(invocation, io, async (session) => {
    const store = await session.store();
    const algorithm = hashAlgorithm(name, session.settings);
    for (const word of paths) {
      const path = existingPath(io.cwd, word);
      printLine(io, (await store.addPath(path, { name: basename(path), method, algorithm, isNew: true })).path);
    }
    return 0;
  });
}

function methodOf({ flags }: Invocation): ContentAddressMethod {
  return flags.has("recursive") ? "nar" : "flat";
}

/** Operations that add files or compute their paths. */
export const addOperations: readonly StoreOperation[] = [
  {
    flag: { name: "add", short: "A", description: "Add files to the store by the hash of their archives." },
    flags: [],
    positionals: [{ label: "paths", kind: "path", optional: true, repeats: true }],
    wrongFlag: "unknown flag",
    run: (invocation, io) => add(invocation, io, { paths: invocation.positionals, method: "nar", algorithm: "sha256" }),
  },
  {
    flag: { name: "add-fixed", description: "Add files as outputs of fixed-output derivations." },
    flags: [recursive],
    positionals: [
      { label: "algorithm", kind: "hash-algorithm" },
      { label: "paths", kind: "path", optional: true, repeats: true },
    ],
    wrongArguments: "first argument must be hash algorithm",
    run(invocation, io) {
      const [algorithm = "", ...paths] = invocation.positionals;
      return add(invocation, io, { paths, method: methodOf(invocation), algorithm });
    },
  },
  {
    flag: { name: "print-fixed-path", description: "Print the path that a file with this hash would get." },
    flags: [recursive],
    positionals: [{ label: "algorithm", kind: "hash-algorithm" }, { label: "hash" }, { label: "name" }],
    wrongArguments: "'--print-fixed-path' requires three arguments",
    run: (invocation, io) =>
      withOldSession(
        invocation,
        io,
        async (session) => {
          const [algorithm = "", text = "", name = ""] = invocation.positionals;
          const hash = parseHash(text, hashAlgorithm(algorithm, session.settings));
          const { storeDir } = await session.store();
          printLine(io, makeFixedOutputPath({ method: methodOf(invocation), hash }, { name, storeDir }));
          return 0;
        },
        { reads: true },
      ),
  },
];
