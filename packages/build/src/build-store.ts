/** The interfaces of a store that a build uses. */
import type {
  OutputRegistry,
  PathFacts,
  PathWriter,
  RealisationRegistry,
  SourceWriter,
  Store,
  StoreFiles,
} from "@firn/store";

/** The store on this machine that has the inputs and in which outputs are registered. */
export type BuildStore = PathFacts & PathWriter & StoreFiles & OutputRegistry & RealisationRegistry;

/** The store into which a graph is built, wherever its builders are. */
export type GraphStore = Store & PathWriter & StoreFiles & RealisationRegistry & SourceWriter;

/** The store that evaluations write derivations and their sources to. */
export type DerivationStore = PathFacts & StoreFiles & Pick<PathWriter, "addTempRoot">;
