/** Getting sources: inputs of every scheme, the fetcher cache, registries, and Debian's archive. */
export * from "./cache.ts";
export { cloneInput } from "./clone-input.ts";
export * from "./context.ts";
export * from "./debian/archive.ts";
export { hostSuites } from "./debian/host-suites.ts";
export * from "./debian/lock.ts";
export { addPackages, type DebPackage, emptyIndex, type PackageIndex } from "./debian/package-index.ts";
export * from "./debian/saved-index.ts";
export { downloadToFile } from "./download.ts";
export * from "./fetch-input.ts";
export { git } from "./git-program.ts";
export { withRepository } from "./git-repository.ts";
export * from "./inputs.ts";
export { type Prefetched, type PrefetchRequest, prefetchFile } from "./prefetch.ts";
export * from "./registry.ts";
export { localRepository } from "./schemes/git.ts";
export * from "./tarball.ts";
export { type WorkTreeChanges, workTreeChanges } from "./work-tree-changes.ts";
