import type { JsonValue } from "@firn/formats";
import { copyContentAddressed, openStore, type Store } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags, stdinFlag } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathSelection, pathsOf } from "../targets/store-targets.ts";
import { pathFlags } from "./path-info.ts";

/** `firn store make-content-addressed`: copies closures under names that follow from their contents. */
export const command: Command = {
  positionals: [{ label: "installables", kind: "installable", optional: true, repeats: true }],
  flags: [
    ...pathFlags,
    ...installableFlags,
    ...jsonFlags,
    stdinFlag,
    { name: "from", labels: ["store-uri"], kinds: ["store"], description: "URL of the source Nix store." },
    { name: "to", labels: ["store-uri"], kinds: ["store"], description: "URL of the destination Nix store." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const { settings } = session;
        const local = await session.store();
        const notice = (text: string): void => session.progress.event({ kind: "message", level: "notice", text });
        const open = async (uri: string | undefined): Promise<Store> =>
          uri === undefined
            ? local
            : openStore(uri, { settings, environment: io.env, events: (event) => session.progress.event(event) });
        const [from, to] = [await open(flags.value("from")), await open(flags.value("to"))];
        try {
          const wanted = { realise: from === local, ...pathSelection(invocation), closure: false };
          const roots = await pathsOf(session, await session.words(), wanted);
          const report = (old: string, next: string): void => notice(`rewriting '${old}' to '${next}'`);
          const renamed = await copyContentAddressed(roots, { from, to, report });
          const rewrites = new Map<string, JsonValue>();
          for (const root of roots) rewrites.set(root, renamed.get(root) ?? root);
          session.progress.clear();
          if (flags.has("json")) printJsonResult(io, new Map([["rewrites", rewrites]]), invocation);
          else for (const [old, next] of rewrites) notice(`rewrote '${old}' to '${next}'`);
          return 0;
        } finally {
          if (from !== local) await from.close();
          if (to !== local) await to.close();
        }
      },
    }),
};
