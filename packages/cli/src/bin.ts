#!/usr/bin/env -S GLIBC_TUNABLES=glibc.malloc.hugetlb=1:${GLIBC_TUNABLES} node --v8-pool-size=0 --disable-warning=ExperimentalWarning
/**
 * The entry of the published package. Node.js versions that are too old for the program read this file too, so it loads
 * nothing of the rest. Large buffers and the evaluator's heap lie in huge pages where the kernel has them: touching memory for the first time takes
 * a good part of the time of what moves much of it (docs/performance.md).
 */
import { isNewEnough } from "./node-version.ts";

if (isNewEnough(process.versions.node)) await import("./start.ts");
else (await import("./pinned-node.ts")).startOnPinnedNode();
