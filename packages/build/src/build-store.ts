/** What a build on this machine needs of a store. */
import type { OutputRegistry, PathFacts, PathWriter, StoreFiles } from "@firn/store";

/** The store that inputs lie in and outputs are registered in. */
export type BuildStore = PathFacts & PathWriter & StoreFiles & OutputRegistry;
