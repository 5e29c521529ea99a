import { fetchLockedTree, type GraphNode, isLockedNode, type LockedFlake, relativePathOf } from "@firn/flake";
import type { JsonValue } from "@firn/formats";
import { copyPaths, openStore } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake archive`: copies a flake and all its inputs to a store. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    ...jsonFlags,
    { name: "to", labels: ["store-uri"], kinds: ["store"], description: "URI of the destination Nix store" },
    { name: "dry-run", description: "Show what this command would do without doing it." },
    { name: "no-check-sigs", description: "Do not require that paths are signed by trusted keys." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const locked = await (await session.evaluation()).lock(flakeArgument(invocation, io));
        const paths = new Set([locked.flake.storePath]);
        const inputs = await archived(session, locked, { node: locked.root, paths });
        const to = flags.value("to");
        if (to !== undefined && !flags.has("dry-run")) await copyTo(session, to, [...paths]);
        session.progress.clear();
        if (flags.has("json")) {
          const result = new Map<string, JsonValue>([
            ["inputs", inputs],
            ["path", locked.flake.storePath],
          ]);
          printJsonResult(io, result, invocation);
        }
        return 0;
      },
    }),
};

/** Fetches the inputs below a node into `paths`; returns them as JSON. Inputs that follow others have their place there. */
async function archived(
  session: EvaluationSession,
  locked: LockedFlake,
  { node, paths }: { readonly node: GraphNode; readonly paths: Set<string> },
): Promise<Map<string, JsonValue>> {
  const result = new Map<string, JsonValue>();
  for (const [name, edge] of [...node.inputs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (edge.kind !== "node" || !isLockedNode(edge.node)) continue;
    const own = new Map<string, JsonValue>();
    own.set("inputs", await archived(session, locked, { node: edge.node, paths }));
    if (relativePathOf(edge.node.lockedRef) === undefined) {
      const path = await fetchLockedTree((await session.evaluation()).context, locked, edge.node);
      paths.add(path);
      own.set("path", path);
    }
    result.set(name, own);
  }
  return result;
}

async function copyTo(session: EvaluationSession, uri: string, paths: readonly string[]): Promise<void> {
  const { settings, io, progress, invocation } = session;
  const from = await session.store();
  const to = await openStore(uri, {
    settings,
    environment: io.env,
    offline: invocation.flags.has("offline"),
    events: (event) => progress.event(event),
  });
  try {
    const checkSignatures = !invocation.flags.has("no-check-sigs");
    await copyPaths(paths, { from, to, checkSignatures, events: (event) => progress.event(event) });
  } finally {
    await to.close();
  }
}
