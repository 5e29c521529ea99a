/** What a process does to a store before it is killed: `node work.ts ROOT add|collect STEP`. */
import { bytesOf, type MemoryNode, narOfMemory } from "@firn/formats";
import { collectGarbage, LocalStore, observeSteps, storeLocation } from "@firn/store";

const tree = narOfMemory({
  kind: "directory",
  entries: new Map<string, MemoryNode>([
    ["a", { kind: "regular", executable: true, contents: bytesOf("x".repeat(100_000)) }],
    ["d", { kind: "directory", entries: new Map([["l", { kind: "symlink", target: "../a" }]]) }],
  ]),
});

/** Opens the store of these tests. */
export function openStore(root: string): Promise<LocalStore> {
  return LocalStore.open({ location: storeLocation({ rootDir: root }), reservedSpace: 10 });
}

/** Kinds of work. */
export type Work = "add" | "collect";

/** Opens a store and works on it. */
export async function work(root: string, kind: Work): Promise<void> {
  const store = await openStore(root);
  if (kind === "collect") await collectGarbage(store, { action: "delete-dead" });
  else {
    const inner = await store.addContent(() => tree, { name: "inner" });
    await store.addTextToStore("outer", inner.path, [inner.path]);
  }
  await store.close();
}

if (process.argv[1] === import.meta.filename) {
  const [, , root, kind, limit] = process.argv;
  let steps = 0;
  observeSteps(() => {
    if (steps++ === Number(limit)) process.kill(process.pid, "SIGKILL");
  });
  await work(root!, kind === "collect" ? "collect" : "add");
}
