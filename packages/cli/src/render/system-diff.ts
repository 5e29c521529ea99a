/** A comparison of two systems as text, as Markdown for a pull request, and as JSON. */
import { type JsonValue, jsonNumber, showSize } from "@firn/formats";
import type { SystemDiff, UnitPlan } from "@firn/system";

type Names = SystemDiff["units"];
type Pair = readonly [before: string | undefined, after: string | undefined];

const kinds = [
  ["units", "Units"],
  ["users", "Users"],
  ["groups", "Groups"],
  ["etc", "Files of /etc"],
] as const;

/** Returns lines for a terminal; none when the systems are alike. */
export function systemDiffLines(diff: SystemDiff): string[] {
  const lines: string[] = [];
  for (const [label, pair] of [
    ["version", diff.version],
    ["kernel", diff.kernel],
  ] as const) {
    if (pair[0] !== pair[1]) lines.push(`${label}: ${shown(pair)}`);
  }
  if (diff.packages.length > 0) {
    lines.push("packages:");
    for (const change of diff.packages) lines.push(`  ${change.name}: ${packageText(change)}`);
  }
  for (const [key, label] of kinds) {
    const names = diff[key];
    const entries = marked(names);
    if (entries.length === 0) continue;
    lines.push(`${label.charAt(0).toLowerCase()}${label.slice(1)}:`);
    for (const [mark, name] of entries) lines.push(`  ${mark} ${name}`);
  }
  const [before, after] = diff.closureSize;
  if (before !== after) lines.push(`closure: ${showSize(before)} → ${showSize(after)} (${signedSize(after - before)})`);
  return lines;
}

/** Returns a Markdown section for a pull request. */
export function systemDiffMarkdown(diff: SystemDiff, title: string): string {
  const lines = [`## ${title}`, ""];
  const [before, after] = diff.closureSize;
  lines.push("| | before | after |", "| --- | --- | --- |");
  lines.push(`| version | ${cell(diff.version[0])} | ${cell(diff.version[1])} |`);
  lines.push(`| kernel | ${cell(diff.kernel[0])} | ${cell(diff.kernel[1])} |`);
  lines.push(`| closure | ${showSize(before)} | ${showSize(after)} (${signedSize(after - before)}) |`, "");
  if (diff.packages.length > 0) {
    lines.push("| package | before | after | size |", "| --- | --- | --- | --- |");
    for (const { name, before: old, after: now, sizeBefore, sizeAfter } of diff.packages) {
      lines.push(
        `| ${cell(name)} | ${cell(old.join(", "))} | ${cell(now.join(", "))} | ${signedSize(sizeAfter - sizeBefore)} |`,
      );
    }
    lines.push("");
  }
  for (const [key, label] of kinds) {
    const entries = marked(diff[key]);
    if (entries.length === 0) continue;
    lines.push(`**${label}**`, "", ...entries.map(([mark, name]) => `- ${mark} \`${name.replaceAll("`", "")}\``), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Returns the whole comparison as JSON. */
export function systemDiffJson(diff: SystemDiff): JsonValue {
  const names = ({ added, removed, changed }: Names): JsonValue =>
    new Map<string, JsonValue>([
      ["added", [...added]],
      ["changed", [...changed]],
      ["removed", [...removed]],
    ]);
  const pair = ([before, after]: Pair): JsonValue =>
    new Map<string, JsonValue>([
      ["before", before ?? null],
      ["after", after ?? null],
    ]);
  return new Map<string, JsonValue>([
    ["before", diff.before],
    ["after", diff.after],
    ["version", pair(diff.version)],
    ["kernel", pair(diff.kernel)],
    [
      "packages",
      diff.packages.map(
        ({ name, before, after, sizeBefore, sizeAfter }) =>
          new Map<string, JsonValue>([
            ["name", name],
            ["before", [...before]],
            ["after", [...after]],
            ["sizeBefore", jsonNumber(sizeBefore)],
            ["sizeAfter", jsonNumber(sizeAfter)],
          ]),
      ),
    ],
    ...kinds.map(([key]) => [key, names(diff[key])] as [string, JsonValue]),
    [
      "closureSize",
      new Map<string, JsonValue>([
        ["before", jsonNumber(diff.closureSize[0])],
        ["after", jsonNumber(diff.closureSize[1])],
      ]),
    ],
  ]);
}

/** Describes the changes of units, in the words of NixOS's switch-to-configuration. */
export function unitPlanLines(plan: UnitPlan, would: boolean): string[] {
  const lines: string[] = [];
  const tell = (present: string, conditional: string, names: readonly string[]): void => {
    const shownNames = names.filter((name) => !name.endsWith(".target"));
    if (shownNames.length > 0)
      lines.push(`${would ? conditional : present} the following units: ${shownNames.join(", ")}`);
  };
  tell("stopping", "would stop", plan.stop);
  tell("NOT restarting", "would NOT restart", plan.skip);
  if (plan.reexec) lines.push(`${would ? "would restart" : "restarting"} systemd`);
  tell("reloading", "would reload", plan.reload);
  tell("restarting", "would restart", plan.restart);
  tell("starting", "would start", plan.start);
  return lines;
}

function packageText({ before, after, sizeBefore, sizeAfter }: SystemDiff["packages"][number]): string {
  const versions = (list: readonly string[]): string =>
    list.length === 0 ? "∅" : list.map((version) => version || "ε").join(", ");
  const same = before.length === after.length && before.every((version, i) => version === after[i]);
  const change = same ? [] : [`${versions(before)} → ${versions(after)}`];
  const size = sizeAfter - sizeBefore;
  return [...change, ...(size === 0 ? [] : [signedSize(size)])].join(", ");
}

function marked({ added, removed, changed }: Names): [mark: string, name: string][] {
  return [
    ...added.map((name): [string, string] => ["+", name]),
    ...removed.map((name): [string, string] => ["-", name]),
    ...changed.map((name): [string, string] => ["~", name]),
  ];
}

function shown([before, after]: Pair): string {
  return `${before ?? "∅"} → ${after ?? "∅"}`;
}

function cell(text: string | undefined): string {
  return (text ?? "").replaceAll("|", "\\|").replaceAll("\n", " ");
}

function signedSize(bytes: number): string {
  return `${bytes < 0 ? "-" : "+"}${showSize(Math.abs(bytes))}`;
}
