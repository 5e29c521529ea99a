/** `nix-store --query`: tells what a store knows about paths. */
import { FirnError, isDerivationPath, printHash } from "@firn/formats";
import {
  computeClosure,
  derivationOf,
  type MachineStore,
  offered,
  outputsOf,
  requirePathInfo,
  rootsKeeping,
  sortByReferences,
} from "@firn/store";
import type { Flag } from "../../grammar/command.ts";
import { UsageError } from "../../grammar/usage-error.ts";
import { printLine } from "../../render/output.ts";
import { printDotGraph, printGraphml, printTrees } from "../../render/reference-graph.ts";
import { type OldSession, withOldSession } from "../../session/old-session.ts";
import { ResultRoots, type StoreOperation } from "./operation.ts";
import { outputsRequest, realise } from "./realise.ts";

const queries = [
  { name: "outputs", description: "Print the outputs of derivations (default)." },
  {
    name: "requisites",
    short: "R",
    description: "Print the closures, each path after those it refers to.",
  },
  { name: "references", description: "Print what the paths refer to." },
  { name: "referrers", aliases: ["referers"], description: "Print what refers to the paths." },
  {
    name: "referrers-closure",
    aliases: ["referers-closure"],
    description: "Print what refers to the paths, directly or not.",
  },
  { name: "deriver", short: "d", description: "Print the derivations that the paths were built by." },
  { name: "valid-derivers", description: "Print the valid derivations that have the paths as outputs." },
  {
    name: "binding",
    short: "b",
    labels: ["name"],
    description: "Print a variable of the builders' environment.",
  },
  { name: "hash", description: "Print the hashes of the archives." },
  { name: "size", description: "Print the sizes of the archives in bytes." },
  { name: "tree", description: "Print the references as trees." },
  { name: "graph", description: "Print the references in the language of Graphviz." },
  { name: "graphml", description: "Print the references as GraphML." },
  { name: "resolve", description: "Print the store paths that the arguments lead to." },
  { name: "roots", description: "Print the roots that keep the paths." },
] as const satisfies readonly Flag[];

type Query = (typeof queries)[number]["name"];

/** `--query`. */
export const queryOperation: StoreOperation = {
  flag: { name: "query", short: "q", description: "Print what the store knows about the paths." },
  flags: [
    ...queries,
    { name: "use-output", short: "u", description: "Ask about the outputs of a derivation instead of itself." },
    { name: "force-realise", short: "f", aliases: ["force-realize"], description: "Realise the paths first." },
    { name: "include-outputs", description: "With --requisites: the outputs of derivations too." },
  ],
  positionals: [{ label: "paths", kind: "store-path", optional: true, repeats: true }],
  run: (invocation, io) =>
    withOldSession(
      invocation,
      io,
      async (session) => {
        const given = invocation.flags.ordered(...queries.map(({ name }) => name)).map(({ name }) => name as Query);
        const [query = "outputs", ...others] = given;
        const other = others.find((name) => name !== query);
        if (other !== undefined) throw new UsageError(`query type '--${other}' conflicts with earlier flag`);
        await new Questions(session, await session.store()).answer(query);
        return 0;
      },
      { reads: !invocation.flags.has("force-realise") },
    ),
};

class Questions {
  private readonly session: OldSession;
  private readonly store: MachineStore;
  private readonly roots: ResultRoots;

  constructor(session: OldSession, store: MachineStore) {
    this.session = session;
    this.store = store;
    this.roots = new ResultRoots(session);
  }

  async answer(query: Query): Promise<void> {
    const { store } = this;
    switch (query) {
      case "outputs":
        for (const word of this.words) this.lines(await this.paths(word, true));
        return;
      case "requisites": {
        const outputs = this.session.invocation.flags.has("include-outputs") ? { outputs: store } : {};
        return this.sorted((path) => computeClosure(store, [path], outputs));
      }
      case "references":
        return this.sorted(async (path) => (await requirePathInfo(store, path)).references);
      case "referrers":
        return this.sorted(async (path) => {
          await requirePathInfo(store, path);
          return store.queryReferrers(path);
        });
      case "referrers-closure":
        return this.sorted((path) => computeClosure(store, [path], { referrers: store }));
      case "deriver":
        for (const word of this.words) {
          const { deriver } = await requirePathInfo(store, await this.session.storePath(word));
          this.line(deriver ?? "unknown-deriver");
        }
        return;
      case "valid-derivers": {
        const derivers = new Set<string>();
        for (const word of this.words) {
          for (const path of await store.queryValidDerivers(await this.session.storePath(word))) derivers.add(path);
        }
        this.lines(await sortByReferences(store, derivers));
        return;
      }
      case "binding":
        return this.binding(this.session.invocation.flags.value("binding") ?? "");
      case "hash":
        return this.each(async (path) => printHash((await requirePathInfo(store, path)).narHash, "nix32"));
      case "size":
        return this.each(async (path) => String((await requirePathInfo(store, path)).narSize));
      case "tree":
        return printTrees(store, await this.givenPaths(), (text) => this.line(text));
      case "graph":
        return printDotGraph(store, await this.allPaths(), (text) => this.line(text));
      case "graphml":
        return printGraphml(store, await this.allPaths(), (text) => this.line(text));
      case "resolve":
        for (const word of this.words) this.line(await this.session.storePath(word));
        return;
      case "roots": {
        const keeping = await rootsKeeping(store, await this.allPaths(), await offered(store, "roots").findRoots());
        for (const [path, links] of [...keeping].sort()) {
          for (const link of [...links].sort()) this.line(`${link} -> ${path}`);
        }
      }
    }
  }

  private get words(): readonly string[] {
    return this.session.invocation.positionals;
  }

  private line(text: string): void {
    printLine(this.session.io, text);
  }

  private lines(texts: Iterable<string>): void {
    for (const text of texts) this.line(text);
  }

  /** Returns the paths that a word asks about: with `useOutput` or `--use-output` the outputs of a derivation. */
  private async paths(word: string, useOutput = this.session.invocation.flags.has("use-output")): Promise<string[]> {
    const path = await this.session.storePath(word);
    const forced = this.session.invocation.flags.has("force-realise");
    if (forced) await realise(this.session, [outputsRequest({ kind: "opaque", path })], { roots: this.roots });
    if (!useOutput || !isDerivationPath(path)) return [path];
    return [...(await outputsOf(this.store, path)).values()].sort();
  }

  private async givenPaths(): Promise<string[]> {
    const all: string[] = [];
    for (const word of this.words) all.push(...(await this.paths(word)));
    return all;
  }

  private async allPaths(): Promise<string[]> {
    return [...new Set(await this.givenPaths())].sort();
  }

  private async each(tell: (path: string) => Promise<string>): Promise<void> {
    for (const word of this.words) for (const path of await this.paths(word)) this.line(await tell(path));
  }

  private async sorted(find: (path: string) => Promise<Iterable<string>>): Promise<void> {
    const found = new Set<string>();
    for (const path of await this.allPaths()) for (const next of await find(path)) found.add(next);
    this.lines(await sortByReferences(this.store, found));
  }

  private async binding(name: string): Promise<void> {
    for (const word of this.words) {
      const drvPath = await derivationOf(this.store, await this.session.storePath(word));
      const value = this.store.readDerivation(drvPath).env.get(name);
      if (value === undefined) {
        throw new FirnError("missing-attribute", `derivation '${drvPath}' has no environment binding named '${name}'`);
      }
      this.line(value);
    }
  }
}
