import { join } from "node:path";
import { debianSetDirectory, type Evaluation, type Found, flakeRefToAttributes } from "@firn/flake";
import { didYouMean, FirnError, type JsonValue, jsonNumber, nearNames } from "@firn/formats";
import {
  matchesPattern,
  type OptionDetails,
  type OptionEntry,
  type OptionLookup,
  type OptionPlace,
  type OptionValue,
  type OsConfiguration,
  optionPath,
  optionSet,
} from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { jsonFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderMarkdown } from "../render/markdown.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import {
  chooseConfiguration,
  configurationFlags,
  configurationNeeds,
  findInConfiguration,
} from "../systems/configuration.ts";

/** `firn os option`: lists options, and shows their values and definitions. */
export const command: Command = {
  positionals: [{ label: "name-or-pattern", optional: true }],
  flags: [
    ...configurationFlags,
    ...jsonFlags,
    { name: "no-configuration", description: "Show the options of Firn's own modules, without a configuration." },
  ],
  run(invocation, io) {
    const configuration = configurationOf(invocation, io);
    return withEvaluation(invocation, io, {
      needs: configuration === undefined ? { impure: true } : configurationNeeds(configuration),
      body: async (session) => {
        const root = await optionsOf(session, configuration);
        const evaluation = await session.evaluation();
        const options = await optionSet(evaluation.evaluator, root.value, await localFile(evaluation, root));
        const word = invocation.positionals[0] ?? "";
        const found = /[*?]/.test(word) ? { kind: "missing" as const } : await options.lookup(optionPath(word));
        if (found.kind !== "missing" && !(found.kind === "set" && word === "")) {
          print(session, found, configuration !== undefined);
          return 0;
        }
        const all = await options.all();
        const matches = all.filter((entry) => matchesPattern(entry, word));
        if (matches.length === 0) throw unknown(word, all);
        printList(session, matches);
        return 0;
      },
    });
  },
};

/** Returns the configuration that was named or is the machine's own; undefined when there is none and none was named. */
function configurationOf(invocation: Invocation, io: Io): OsConfiguration | undefined {
  if (invocation.flags.has("no-configuration")) return undefined;
  try {
    return chooseConfiguration(invocation, io);
  } catch (error) {
    if (error instanceof FirnError && error.code === "no-configuration") return undefined;
    throw error;
  }
}

async function optionsOf(session: EvaluationSession, configuration: OsConfiguration | undefined): Promise<Found> {
  if (configuration !== undefined) return findInConfiguration(session, configuration, "options");
  const own = debianSetDirectory();
  if (own === undefined) throw new FirnError("no-configuration", "Firn's own modules were not found");
  const evaluation = await session.evaluation();
  const file = JSON.stringify(join(own, "eval-config.nix")).replaceAll("${", "\\${");
  const root = await evaluation.root({ kind: "expression", text: `import (/. + ${file}) { modules = [ ]; }` });
  return evaluation.findInValue(root, "options", { autoArgs: {} });
}

/** Returns a function that names files of a flake in a local directory by that, instead of by the evaluated copy. */
async function localFile(evaluation: Evaluation, { locked }: Found): Promise<(file: string) => string> {
  if (locked === undefined) return (file) => file;
  // Modules are named by their texts, for which the tree is copied in any case.
  const { resolvedRef, storePath } = (await evaluation.stored(locked)).flake;
  const attributes = flakeRefToAttributes(resolvedRef);
  const directory =
    attributes.get("type") === "path"
      ? String(attributes.get("path"))
      : /^file:\/\/(\/[^?]*)/.exec(String(attributes.get("url") ?? ""))?.[1];
  if (directory === undefined) return (file) => file;
  return (file) => (file.startsWith(`${storePath}/`) ? directory + file.slice(storePath.length) : file);
}

function unknown(word: string, all: readonly OptionEntry[]): FirnError {
  const near = nearNames(
    word,
    all.map(({ name }) => name),
  );
  const suggestion = didYouMean(near);
  return new FirnError("no-option", `there is no option '${word}', and none whose name or description has it`, {
    hint: suggestion === "" ? "'firn os option' alone lists all options" : suggestion,
  });
}

function print(session: EvaluationSession, found: OptionLookup, withValue: boolean): void {
  const { io, invocation } = session;
  session.progress.clear();
  if (found.kind === "missing") return;
  if (found.kind === "set") {
    if (invocation.flags.has("json")) {
      printJsonResult(
        io,
        new Map<string, JsonValue>([
          ["name", found.name],
          ["members", [...found.members]],
        ]),
        invocation,
      );
      return;
    }
    printLine(io, "This attribute set contains:");
    for (const member of found.members) printLine(io, member);
    return;
  }
  if (invocation.flags.has("json")) printJsonResult(io, detailsJson(found, withValue), invocation);
  else printDetails(io, found, withValue);
}

function printDetails(io: Io, option: OptionDetails, withValue: boolean): void {
  const blocks: [string, string][] = [["Name", option.name]];
  if (withValue && option.value !== undefined) blocks.push(["Value", shownText(option.value)]);
  if (option.default !== undefined) blocks.push(["Default", shownText(option.default)]);
  blocks.push(["Type", option.type + (option.readOnly ? " (read only)" : "")]);
  if (option.example !== undefined) blocks.push(["Example", shownText(option.example)]);
  blocks.push(["Description", option.description === "" ? "(none)" : renderDescription(option.description)]);
  blocks.push(["Declared by", placeLines(option.declarations)]);
  if (withValue && option.definitions.length > 0) blocks.push(["Defined by", placeLines(option.definitions)]);
  const text = blocks.map(([title, body]) => `${title}:\n${indented(body)}\n`).join("\n");
  io.out(Buffer.from(text, "latin1"));
}

function shownText(value: OptionValue): string {
  return "error" in value ? `error: ${value.error}` : value.text;
}

/** Renders Markdown as plain text; the roles of NixOS's manual, as in {option}`x`, are left out. */
function renderDescription(description: string): string {
  const plain = description.replace(/\{[a-z]+\}`/g, "`");
  return renderMarkdown(plain, { columns: 78, colors: false });
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
}

function placeLines(places: readonly OptionPlace[]): string {
  const lines = places.map(({ file, line }) => (line === undefined ? file : `${file}:${line}`));
  return lines.length === 0 ? "(unknown)" : [...new Set(lines)].join("\n");
}

function detailsJson(option: OptionDetails, withValue: boolean): JsonValue {
  const shown = (value: OptionValue): JsonValue => new Map(Object.entries(value).filter(([key]) => key !== "json"));
  const places = (list: readonly OptionPlace[]): JsonValue =>
    list.map(
      ({ file, line }) =>
        new Map<string, JsonValue>([
          ["file", file],
          ["line", line === undefined ? null : jsonNumber(line)],
        ]),
    );
  const result = new Map<string, JsonValue>([
    ["name", option.name],
    ["type", option.type],
    ["description", option.description],
    ["readOnly", option.readOnly],
    ["declarations", places(option.declarations)],
    ["definitions", places(option.definitions)],
  ]);
  if (option.default !== undefined) result.set("default", shown(option.default));
  if (option.example !== undefined) result.set("example", shown(option.example));
  const { value } = option;
  if (withValue && value !== undefined) {
    if ("error" in value) result.set("error", value.error);
    else if (value.json !== undefined) result.set("value", value.json);
    else result.set("valueText", value.text);
  }
  return result;
}

function printList(session: EvaluationSession, entries: readonly OptionEntry[]): void {
  const { io, invocation } = session;
  session.progress.clear();
  if (invocation.flags.has("json")) {
    const list = entries.map(
      ({ name, type, description }) =>
        new Map<string, JsonValue>([
          ["name", name],
          ["type", type],
          ["description", description],
        ]),
    );
    printJsonResult(io, list, invocation);
    return;
  }
  for (const { name, description } of entries) {
    const first =
      description
        .trim()
        .split(/\n|(?<=\.) /)[0]
        ?.replace(/\{[a-z]+\}`/g, "`") ?? "";
    printLine(io, first === "" ? name : `${name}\n  ${first}`);
  }
}
