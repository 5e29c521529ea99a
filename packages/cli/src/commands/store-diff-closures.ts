import { showSize } from "@firn/formats";
import { closureDiff, notableSize, type PackageChange } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

function bytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function versions(list: readonly string[]): string {
  return list.length === 0 ? bytes("∅") : list.map((version) => (version === "" ? bytes("ε") : version)).join(", ");
}

function changeLine({ name, removed, added, sizeChange }: PackageChange): string {
  const parts: string[] = [];
  if (removed.length + added.length > 0) parts.push(`${versions(removed)} ${bytes("→")} ${versions(added)}`);
  if (Math.abs(sizeChange) >= notableSize) {
    const colour = sizeChange > 0 ? "\x1b[31;1m+" : "\x1b[32;1m";
    parts.push(`${colour}${showSize(sizeChange)}\x1b[0m`);
  }
  return `${name}: ${parts.join(", ")}`;
}

/** `firn store diff-closures`: shows the packages and versions that differ between two closures. */
export const command: Command = {
  positionals: [
    { label: "before", kind: "installable" },
    { label: "after", kind: "installable" },
  ],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const [before = "", after = ""] = invocation.positionals;
        const [old = ""] = await pathsOf(session, [before], { realise: true });
        const [next = ""] = await pathsOf(session, [after], { realise: true });
        for (const change of await closureDiff(await session.store(), old, next)) printLine(io, changeLine(change));
        return 0;
      },
    }),
};
