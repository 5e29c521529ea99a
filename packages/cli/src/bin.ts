#!/usr/bin/env -S node --v8-pool-size=0 --disable-warning=ExperimentalWarning
/** The entry of the published package. An older Node.js than the program needs reads this file too: it loads nothing of the rest. */
import { isNewEnough } from "./node-version.ts";

if (isNewEnough(process.versions.node)) await import("./start.ts");
else (await import("./pinned-node.ts")).startOnPinnedNode();
