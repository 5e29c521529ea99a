/** `nix-store --realise`: builds or fetches paths and prints them. */
import type { Builder } from "@firn/flake";
import { type Derivation, type DerivedPath, isDerivationPath } from "@firn/formats";
import { printLine } from "../../render/output.ts";
import { type OldSession, withOldSession } from "../../session/old-session.ts";
import { describePlan } from "../../targets/build-targets.ts";
import { ResultRoots, type StoreOperation } from "./operation.ts";

/** Returns a request for what is a derivation's path: all its outputs. */
export function outputsRequest(path: DerivedPath): DerivedPath {
  if (path.kind === "built" || !isDerivationPath(path.path)) return path;
  return { kind: "built", drvPath: path.path, outputs: "*" };
}

/** Builds requests and returns the links or paths of each result. */
export async function realise(
  session: OldSession,
  wanted: readonly DerivedPath[],
  options: { readonly roots: ResultRoots; readonly mode?: Parameters<Builder["build"]>[1] },
): Promise<string[][]> {
  const builder = await session.builder();
  const results = await builder.build(wanted, options.mode);
  const links: string[][] = [];
  for (const { path, outputs } of results) {
    options.roots.next();
    if (path.kind === "opaque") {
      links.push([await options.roots.add(path.path, "out")]);
      continue;
    }
    const own: string[] = [];
    for (const [name, output] of [...outputs].sort()) own.push(await options.roots.add(output, name));
    links.push(own.sort());
  }
  return links;
}

/** `--realise`. */
export const realiseOperation: StoreOperation = {
  flag: {
    name: "realise",
    short: "r",
    aliases: ["realize"],
    description: "Build or fetch the paths, and print what came of them.",
  },
  flags: [
    { name: "dry-run", description: "Show what would be built or fetched without doing it." },
    { name: "ignore-unknown", description: "Leave out paths that nothing can make." },
    { name: "check", description: "Build again what is there, and compare." },
    { name: "repair", description: "Build or fetch again what is missing or damaged." },
  ],
  positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
  run: (invocation, io) =>
    withOldSession(invocation, io, async (session) => {
      const { flags } = invocation;
      let wanted: DerivedPath[] = [];
      for (const word of invocation.positionals) wanted.push(outputsRequest(await session.derivedPath(word)));
      const store = await session.store();
      const builder = await session.builder();
      const plan = await builder.missing(wanted);
      const ignores = flags.has("ignore-unknown");
      if (ignores) {
        const unknown = new Set(plan.unknown);
        wanted = wanted.filter((path) => !unknown.has(path.kind === "built" ? path.drvPath : path.path));
      }
      const readDerivation = (path: string): Derivation => store.readDerivation(path);
      const shown = ignores ? { ...plan, unknown: [] } : plan;
      for (const line of describePlan(shown, { all: true, readDerivation })) io.err(`${line}\n`);
      if (flags.has("dry-run")) return 0;
      const mode = flags.has("check") ? "check" : flags.has("repair") ? "repair" : "normal";
      if (ignores) {
        await builder.build(wanted, mode);
        return 0;
      }
      const links = await realise(session, wanted, { roots: new ResultRoots(session), mode });
      if (!flags.has("no-output")) for (const link of links.flat()) printLine(io, link);
      return 0;
    }),
};
