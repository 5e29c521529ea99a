/** Copies the paths of a store to a cache: `node upload-work.ts ROOT URL`. */
import { copyClosure, openStore, Settings } from "@firn/store";
import { addedPaths, openTestStore } from "./work.ts";

const [, , root = "", url = ""] = process.argv;
const store = await openTestStore(root);
const to = await openStore(url, { settings: new Settings() });
await copyClosure(await addedPaths(store), { from: store, to });
await to.close();
await store.close();
