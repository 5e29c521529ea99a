import { isLockedInput } from "@firn/fetch";
import {
  type FlakeRef,
  flakeFingerprint,
  flakeRefToAttributes,
  type GraphNode,
  type LockedFlake,
  showFlakeRef,
  showInputPath,
} from "@firn/flake";
import { attributesToJson, type JsonValue, jsonNumber, parseJson } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { deprecatedAlias } from "../grammar/deprecated-alias.ts";
import { evaluationFlags, flakeFlags, jsonFlags } from "../grammar/flags.ts";
import { printJsonResult } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { flakeArgument } from "./flake-lock.ts";

/** `firn flake metadata`: shows the origin of a flake and its locked inputs. */
export const command: Command = {
  positionals: [{ label: "flake-url", kind: "flake", optional: true }],
  flags: [...flakeFlags, ...evaluationFlags, ...jsonFlags],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      body: async (session) => {
        const locked = await (await session.evaluation()).lock(flakeArgument(invocation, io), { applyConfig: false });
        const fingerprint = await flakeFingerprint(locked);
        session.progress.clear();
        if (invocation.flags.has("json")) printJsonResult(io, metadataJson(locked, fingerprint), invocation);
        else io.out(metadataText(locked, { fingerprint, terminal: process.stdout.isTTY === true }));
        return 0;
      },
    }),
};

/** `firn flake info`: the deprecated name of `firn flake metadata`. */
export const info = deprecatedAlias(command, (program) => [`${program} flake info`, `${program} flake metadata`]);

function metadataJson({ flake, lockText }: LockedFlake, fingerprint: string | undefined): JsonValue {
  const { lockedRef, resolvedRef, originalRef } = flake;
  const members = new Map<string, JsonValue>();
  const put = (name: string, value: JsonValue | undefined): void => {
    if (value !== undefined) members.set(name, value);
  };
  const input = (name: string): JsonValue | undefined => {
    const value = lockedRef.input.get(name);
    return typeof value === "bigint" ? jsonNumber(value) : value;
  };
  put("description", flake.description);
  put("dirtyRevision", input("dirtyRev"));
  put("fingerprint", fingerprint);
  put("lastModified", input("lastModified"));
  put("locked", attributesToJson(new Map([...flakeRefToAttributes(lockedRef), ["__final", true]])));
  put("locks", parseJson(lockText));
  put("original", attributesToJson(flakeRefToAttributes(originalRef)));
  put("originalUrl", showFlakeRef(originalRef));
  put("path", flake.storePath);
  put("resolved", attributesToJson(flakeRefToAttributes(resolvedRef)));
  put("resolvedUrl", showFlakeRef(resolvedRef));
  put("revCount", input("revCount"));
  put("revision", input("rev"));
  put("url", showFlakeRef(lockedRef));
  return members;
}

function metadataText(
  { flake, root }: LockedFlake,
  { fingerprint, terminal }: { readonly fingerprint: string | undefined; readonly terminal: boolean },
): string {
  const bold = (text: string): string => (terminal ? `\x1b[1m${text}\x1b[0m` : text);
  const lines: string[] = [];
  const add = (label: string, value: string | undefined): void => {
    if (value !== undefined) lines.push(`${bold(`${label}:`)}${" ".repeat(15 - label.length - 1)}${value}`);
  };
  const { lockedRef } = flake;
  const rev = lockedRef.input.get("rev");
  add("Resolved URL", showFlakeRef(flake.resolvedRef));
  if (isLockedInput(lockedRef.input)) add("Locked URL", showFlakeRef(lockedRef));
  add("Description", flake.description);
  add("Path", flake.storePath);
  add("Revision", String(rev ?? lockedRef.input.get("dirtyRev") ?? "") || undefined);
  if (rev !== undefined && lockedRef.input.has("revCount")) add("Revisions", String(lockedRef.input.get("revCount")));
  add("Last modified", date(lockedRef));
  add("Fingerprint", fingerprint);
  if (root.inputs.size > 0) lines.push(bold("Inputs:"), ...tree(root, "", new Set(), bold));
  return `${lines.join("\n")}\n`;
}

function date(ref: FlakeRef): string | undefined {
  const seconds = ref.input.get("lastModified");
  if (typeof seconds !== "bigint") return undefined;
  const local = new Date(Number(seconds) * 1000 - new Date(Number(seconds) * 1000).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}

function tree(node: GraphNode, prefix: string, seen: Set<GraphNode>, bold: (text: string) => string): string[] {
  const lines: string[] = [];
  const entries = [...node.inputs].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [name, edge]] of entries.entries()) {
    const last = i === entries.length - 1;
    const stem = `${prefix}${last ? "└───" : "├───"}${bold(name)}`;
    if (edge.kind === "follows") {
      lines.push(`${stem} follows input '${showInputPath(edge.path)}'`);
      continue;
    }
    const when = date(edge.node.lockedRef);
    lines.push(`${stem}: ${showFlakeRef(edge.node.lockedRef)}${when === undefined ? "" : ` (${when})`}`);
    if (seen.has(edge.node)) continue;
    seen.add(edge.node);
    lines.push(...tree(edge.node, `${prefix}${last ? "    " : "│   "}`, seen, bold));
  }
  return lines;
}
