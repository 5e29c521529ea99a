/** The interfaces of a store that a build on this machine uses. */
import type { OutputRegistry, PathFacts, PathWriter, RealisationRegistry, StoreFiles } from "@firn/store";

/** The store that has the inputs and in which outputs are registered. */
export type BuildStore = PathFacts & PathWriter & StoreFiles & OutputRegistry & RealisationRegistry;
