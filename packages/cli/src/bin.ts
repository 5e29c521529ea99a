#!/usr/bin/env -S node --v8-pool-size=0 --disable-warning=ExperimentalWarning
/**
 * The entry of the published package. Node.js versions that are too old for the program read this file too, so it loads
 * nothing of the rest.
 */
import { isNewEnough } from "./node-version.ts";

if (isNewEnough(process.versions.node)) await import("./start.ts");
else (await import("./pinned-node.ts")).startOnPinnedNode();
