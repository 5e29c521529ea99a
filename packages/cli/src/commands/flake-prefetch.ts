import { resolve } from "node:path";
import { fetchRef, flakeRefToAttributes, showFlakeRef } from "@firn/flake";
import { attributesToJson, type JsonValue, printHash } from "@firn/formats";
import { requirePathInfo } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake prefetch`: downloads the tree of a flake reference into the store. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    ...jsonFlags,
    {
      name: "out-link",
      short: "o",
      labels: ["path"],
      kinds: ["path"],
      description: "Create symlink named path to the resulting store path.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const store = await session.store();
        const ref = flakeArgument(invocation, io);
        const { lockedRef, storePath } = await fetchRef((await session.evaluation()).context, ref, "all");
        const hash = printHash((await requirePathInfo(store, storePath)).narHash, "sri");
        if (invocation.flags.has("json")) {
          const result = new Map<string, JsonValue>([
            ["hash", hash],
            ["locked", attributesToJson(withoutHash(flakeRefToAttributes(lockedRef)))],
            ["original", attributesToJson(flakeRefToAttributes(ref))],
            ["storePath", storePath],
          ]);
          session.progress.clear();
          printJsonResult(io, result, invocation);
        } else {
          const shown = showFlakeRef({ ...lockedRef, input: withoutHash(lockedRef.input) });
          const text = `Downloaded '${shown}' to '${storePath}' (hash '${hash}').`;
          session.progress.event({ kind: "message", level: "notice", text });
        }
        const link = invocation.flags.value("out-link");
        if (link !== undefined) await store.addPermRoot(storePath, resolve(io.cwd, link));
        return 0;
      },
    }),
};

/** Returns attributes without the hash of the tree, which stands beside them; files and archives have it as their identity. */
function withoutHash<Value>(attributes: ReadonlyMap<string, Value>): Map<string, Value> {
  const identity = ["file", "tarball"].includes(String(attributes.get("type")));
  return new Map([...attributes].filter(([name]) => (identity || name !== "narHash") && !name.startsWith("__")));
}
