import { type ShownNode, type ShownOutput, showOutputs } from "@firn/flake";
import type { JsonValue } from "@firn/formats";
import { showIdentifier } from "@firn/language";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake show`: shows the outputs of a flake as a tree. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    ...jsonFlags,
    { name: "legacy", description: "Show the contents of the legacyPackages output." },
    { name: "all-systems", description: "Show the contents of outputs for all systems." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const { flags } = invocation;
        const { settings } = session;
        if (!settings.isOverridden("allow-import-from-derivation"))
          settings.assign("allow-import-from-derivation", false);
        const evaluation = await session.evaluation();
        const { locked, value } = await evaluation.flake(flakeArgument(invocation, io), { applyConfig: false });
        const json = flags.has("json");
        const outputs = showOutputs((await value.attribute("outputs")) ?? value, {
          legacy: flags.has("legacy"),
          allSystems: flags.has("all-systems"),
          system: session.system,
        });
        if (!json) printLine(io, await evaluation.lockedReference(locked));
        const root = new Map<string, JsonValue>();
        for await (const node of outputs) {
          if (node.output.kind === "omitted" && json) {
            session.progress.warn(`${node.path.join(".")} omitted (use '--${node.output.flag}' to show)`);
          }
          if (node.output.kind === "imports" && json) {
            session.progress.warn(`${node.path.join(".")} omitted due to use of import from derivation`);
          }
          if (node.output.kind === "hidden") warnHidden(session.progress, node);
          if (json) addJson(root, node);
          else if (node.output.kind !== "hidden") {
            session.progress.clear();
            printLine(io, treeLine(node));
          }
        }
        session.progress.clear();
        if (json) printJsonResult(io, root, invocation);
        return 0;
      },
    }),
};

/** Warns of what stands where a derivation should; the reference names the derivation's name. */
function warnHidden(progress: { warn(text: string): void }, { path }: ShownNode): void {
  if (path[0] !== "legacyPackages") progress.warn(`${path.join(".")}.name is not a derivation`);
}

function addJson(root: Map<string, JsonValue>, { path, output }: ShownNode): void {
  let parent = root;
  for (const name of path.slice(0, -1)) parent = parent.get(name) as Map<string, JsonValue>;
  parent.set(path.at(-1)!, outputJson(output));
}

function outputJson(output: ShownOutput): JsonValue {
  switch (output.kind) {
    case "set":
    case "omitted":
    case "imports":
    case "hidden":
      return new Map();
    case "derivation":
      return new Map([
        ["description", output.description],
        ["name", output.name],
        ["type", "derivation"],
      ]);
    case "app":
    case "template": {
      const { description } = output;
      return new Map([
        ...(description === undefined ? [] : [["description", description] as const]),
        ["type", output.kind] as const,
      ]);
    }
    case "nixpkgs-overlay":
    case "nixos-configuration":
    case "nixos-module":
    case "unknown":
      return new Map([["type", output.kind]]);
  }
}

const bar = Buffer.from("│").toString("latin1");
const branch = Buffer.from("├───").toString("latin1");
const corner = Buffer.from("└───").toString("latin1");

/** Returns a line of the tree, as a byte string. */
function treeLine({ path, last, output }: ShownNode): string {
  const indent = last.slice(0, -1).map((ends) => (ends ? "    " : `${bar}   `));
  const name = showIdentifier(path.at(-1)!);
  return `${indent.join("")}${last.at(-1) === true ? corner : branch}${name}${described(output)}`;
}

function described(output: ShownOutput): string {
  switch (output.kind) {
    case "set":
    case "hidden":
      return "";
    case "omitted":
      return ` omitted (use '--${output.flag}' to show)`;
    case "imports":
      return " omitted due to use of import from derivation";
    case "derivation":
      return `: ${output.purpose} '${output.name}'`;
    case "app":
      return `: app: ${output.description ?? "no description"}`;
    case "template":
      return `: template: ${output.description}`;
    case "nixpkgs-overlay":
      return ": Nixpkgs overlay";
    case "nixos-configuration":
      return ": NixOS configuration";
    case "nixos-module":
      return ": NixOS module";
    case "unknown":
      return ": unknown";
  }
}
