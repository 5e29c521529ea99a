/**
 * Stores by their capabilities. Every store tells facts about its paths; its other capabilities are in `offers`, and {@link
 * offered} returns one of them. Code takes the narrowest interface that it uses.
 */
import { FirnError } from "@firn/formats";
import type { PathBuilder, ServedStore } from "./building.ts";
import type { StoreFiles } from "./files.ts";
import type { LogReader, LogWriter } from "./logs.ts";
import type { HashPartIndex, PathFacts, PathGraph, PathListing } from "./paths.ts";
import type { RealisationRegistry } from "./realisations.ts";
import type { OutputRegistry } from "./registering.ts";
import type { RootKeeper, RootWriter } from "./roots.ts";
import type { StoreUpkeep } from "./upkeep.ts";
import type { ContentWriter, PathWriter, SignatureWriter, SourceWriter } from "./writing.ts";

/** All capabilities that a store may have. */
export interface Offers {
  readonly listing: PathListing;
  readonly graph: PathGraph;
  readonly hashParts: HashPartIndex;
  readonly writing: PathWriter;
  readonly content: ContentWriter;
  readonly sources: SourceWriter;
  readonly signatures: SignatureWriter;
  readonly files: StoreFiles;
  readonly roots: RootKeeper;
  readonly registry: OutputRegistry;
  readonly realisations: RealisationRegistry;
  readonly logs: LogReader;
  readonly logWriting: LogWriter;
  readonly upkeep: StoreUpkeep;
  readonly building: PathBuilder;
  readonly server: ServedStore;
}

/** A store of any kind: on this machine, a binary cache, a daemon's or another machine's. */
export interface Store extends PathFacts {
  /** Its capabilities beside telling facts. */
  readonly offers: Partial<Offers>;
  close(): Promise<void>;
}

/** A store whose paths lie on this machine, with all that evaluations and profiles need: this machine's own, or its daemon's. */
export type MachineStore = Store &
  PathListing &
  PathGraph &
  HashPartIndex &
  PathWriter &
  ContentWriter &
  SourceWriter &
  SignatureWriter &
  StoreFiles &
  RootWriter &
  RealisationRegistry &
  LogReader &
  LogWriter;

const names: Readonly<Record<keyof Offers, string>> = {
  listing: "list all paths",
  graph: "tell what refers to a path",
  hashParts: "look up hash parts",
  writing: "add paths",
  content: "make content-addressed paths",
  sources: "add files of this machine",
  signatures: "add signatures",
  files: "give the files of paths",
  roots: "collect garbage",
  registry: "register outputs of builds",
  realisations: "keep realisations",
  logs: "show logs of builds",
  logWriting: "keep logs of builds",
  upkeep: "check its files",
  building: "build",
  server: "tell of a server",
};

/** Returns a capability of a store by name. Error `unsupported` when the store lacks it. */
export function offered<Name extends keyof Offers>(store: Store, name: Name): Offers[Name] {
  const offer: Offers[Name] | undefined = store.offers[name];
  if (offer !== undefined) return offer;
  throw new FirnError("unsupported", `the store '${store.uri}' cannot ${names[name]}`);
}

/** Tells whether a store is one of this machine, with its files. */
export function isMachineStore(store: Store): store is MachineStore {
  return store.offers.files !== undefined;
}

/** Tells whether builders of this process can write their outputs to a store; others have a server that builds. */
export function takesOutputs<Given extends Store>(store: Given): store is Given & OutputRegistry {
  return store.offers.registry !== undefined;
}
