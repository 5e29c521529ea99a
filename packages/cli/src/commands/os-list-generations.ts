import { join } from "node:path";
import { existsSync, statSync } from "@firn/store/files";
import { findGenerations, GenerationTree, systemFacts, thisMachine } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import { printLine } from "../render/output.ts";
import { withReadingSession } from "../session/session.ts";
import { profileNameFlag, storePathOf, systemProfile } from "../systems/profiles.ts";

/** One line of the list, in the form of nixos-rebuild. */
interface Row {
  readonly generation: number;
  readonly date: string;
  readonly version: string;
  readonly kernel: string;
  readonly revision: string;
  readonly specialisations: readonly string[];
  readonly current: boolean;
}

const headings = [
  "Generation",
  "Build-date",
  "NixOS version",
  "Kernel",
  "Configuration Revision",
  "Specialisation",
  "Current",
];
const unknown = "Unknown";

/** `firn os list-generations`: lists the generations of the system, newest first. */
export const command: Command = {
  positionals: [],
  flags: [...jsonFlags, profileNameFlag],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const store = await session.store();
      const profile = await systemProfile(session);
      const { generations, current } = findGenerations(profile);
      const rows: Row[] = [];
      for (const { number, link } of generations.toReversed()) {
        const path = storePathOf(store, link);
        const tree = new GenerationTree(store.location, path);
        const facts = systemFacts(tree);
        rows.push({
          generation: number,
          date: localDate(statSync(store.realPath(path)).ctime),
          version: facts.version ?? unknown,
          kernel: facts.kernel ?? unknown,
          revision: tree.text("configuration-revision") ?? (await configurationRevision(link)),
          specialisations: facts.specialisations,
          current: number === current,
        });
      }
      if (invocation.flags.has("json")) {
        printLine(io, JSON.stringify(rows.map(rowJson), null, invocation.flags.has("no-pretty") ? 0 : 2));
        return 0;
      }
      const lines = [headings, ...rows.map(cells)];
      const widths = headings.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
      for (const line of lines) {
        io.out(
          `${line
            .map((cell, i) => cell.padEnd(widths[i] ?? 0))
            .join("  ")
            .trim()}\n`,
        );
      }
      return 0;
    }),
};

/** Returns the revision from the generation's own `nixos-version`; empty when it does not know. */
async function configurationRevision(link: string): Promise<string> {
  const program = join(link, "sw/bin/nixos-version");
  if (!existsSync(program)) return unknown;
  return (await thisMachine().run([program, "--configuration-revision"])).stdout.trim();
}

function cells(row: Row): string[] {
  const list = `[${row.specialisations.map((name) => `'${name}'`).join(", ")}]`;
  return [
    String(row.generation),
    row.date,
    row.version,
    row.kernel,
    row.revision,
    list,
    row.current ? "True" : "False",
  ];
}

/** Returns a row as JSON with nixos-rebuild's names, in its order. */
function rowJson(row: Row): Record<string, unknown> {
  return {
    generation: row.generation,
    date: row.date,
    nixosVersion: row.version,
    kernelVersion: row.kernel,
    configurationRevision: row.revision,
    specialisations: row.specialisations,
    current: row.current,
  };
}

function localDate(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
