import type { ValueRef } from "@firn/flake";
import { showFlakeRef } from "@firn/flake";
import type { JsonValue } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake show`: shows the outputs of a flake as a tree. */
export const command: Command = {
  positionals: [{ label: "flake-url", optional: true }],
  flags: [
    ...flakeFlags,
    ...evaluationFlags,
    ...jsonFlags,
    { name: "legacy", description: "Show the contents of the legacyPackages output." },
    { name: "all-systems", description: "Show the contents of outputs for all systems." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const evaluation = await session.evaluation();
        const { locked, value } = await evaluation.flake(flakeArgument(invocation, io));
        const outputs = (await value.attribute("outputs")) ?? value;
        const options = {
          legacy: invocation.flags.has("legacy"),
          allSystems: invocation.flags.has("all-systems"),
          system: session.system,
        };
        const tree = await describe(outputs, [], options);
        session.progress.clear();
        if (invocation.flags.has("json")) printJsonResult(io, treeJson(tree), invocation);
        else {
          printLine(io, showFlakeRef(locked.flake.lockedRef));
          for (const line of treeLines(tree, "")) io.out(`${line}\n`);
        }
        return 0;
      },
    }),
};

interface ShowOptions {
  readonly legacy: boolean;
  readonly allSystems: boolean;
  readonly system: string;
}

type Tree =
  | {
      readonly kind: "leaf";
      readonly type: string;
      readonly text: string;
      readonly name?: string;
      readonly description?: string;
    }
  | { readonly kind: "branch"; readonly children: ReadonlyMap<string, Tree> };

const perSystem = new Set([
  "packages",
  "checks",
  "devShells",
  "apps",
  "formatter",
  "legacyPackages",
  "defaultPackage",
  "devShell",
  "defaultApp",
]);
const derivations: Readonly<Record<string, string>> = {
  packages: "package",
  checks: "derivation",
  devShells: "development environment",
  formatter: "package",
  defaultPackage: "package",
  devShell: "development environment",
};

async function describe(value: ValueRef, path: readonly string[], options: ShowOptions): Promise<Tree> {
  const [section = "", system] = path;
  const leaf = (type: string, text = type): Tree => ({ kind: "leaf", type, text });
  if (path.length === 1 && !known(section)) return leaf("unknown");
  if (path.length === 2 && perSystem.has(section) && !options.allSystems && system !== options.system)
    return leaf("omitted", "omitted (use '--all-systems' to show)");
  if (path.length === 2 && section === "legacyPackages" && !options.legacy)
    return leaf("omitted", "omitted (use '--legacy' to show)");
  const wantsDerivation =
    (path.length === 3 && ["packages", "checks", "devShells"].includes(section)) ||
    (path.length === 2 && ["formatter", "defaultPackage", "devShell"].includes(section));
  if (wantsDerivation) {
    const facts = await value.derivation();
    const what = derivations[section] ?? "derivation";
    if (facts !== undefined)
      return { kind: "leaf", type: "derivation", name: facts.name, text: `${what} '${facts.name}'` };
  }
  if ((section === "apps" && path.length === 3) || (section === "defaultApp" && path.length === 2))
    return leaf("app", "app");
  if (section === "overlays" && path.length === 2) return leaf("nixpkgs-overlay", "Nixpkgs overlay");
  if (section === "nixosConfigurations" && path.length === 2) return leaf("nixos-configuration", "NixOS configuration");
  if (section === "nixosModules" && path.length === 2) return leaf("nixos-module", "NixOS module");
  if (section === "templates" && path.length === 2) return leaf("template", "template");
  if (section === "lib" || path.length > 3) return leaf("unknown");
  const names = await value.attributeNames();
  if (names === undefined) return leaf("unknown");
  const children = new Map<string, Tree>();
  for (const name of names) {
    const member = await value.attribute(name);
    if (member !== undefined) children.set(name, await describe(member, [...path, name], options));
  }
  return { kind: "branch", children };
}

function known(section: string): boolean {
  return (
    perSystem.has(section) ||
    ["overlays", "nixosConfigurations", "nixosModules", "templates", "lib", "hydraJobs"].includes(section)
  );
}

function treeJson(tree: Tree): JsonValue {
  if (tree.kind === "branch") return new Map([...tree.children].map(([name, child]) => [name, treeJson(child)]));
  if (tree.type === "omitted" || tree.type === "unknown")
    return tree.type === "unknown" ? new Map([["type", "unknown"]]) : new Map();
  return new Map<string, JsonValue>([
    ...(tree.name === undefined ? [] : ([["name", tree.name]] as [string, JsonValue][])),
    ["type", tree.type],
  ]);
}

function treeLines(tree: Tree, prefix: string): string[] {
  if (tree.kind === "leaf") return [];
  const lines: string[] = [];
  const entries = [...tree.children];
  for (const [i, [name, child]] of entries.entries()) {
    const last = i === entries.length - 1;
    lines.push(`${prefix}${last ? "└───" : "├───"}${name}${child.kind === "leaf" ? `: ${child.text}` : ""}`);
    lines.push(...treeLines(child, `${prefix}${last ? "    " : "│   "}`));
  }
  return lines;
}
