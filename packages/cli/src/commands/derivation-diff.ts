import { basename, dirname, join, resolve } from "node:path";
import {
  compareDerivations,
  type Derivation,
  type DerivationCause,
  type DerivationComparison,
  type DerivationDifference,
  defaultStoreDir,
  FirnError,
  isDerivationPath,
  type JsonValue,
  jsonNumber,
  parseDerivation,
  parseStorePath,
  storePathBaseName,
  storePathName,
} from "@firn/formats";
import { existsSync, readFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import type { Io } from "../io.ts";
import { printJsonResult, printLine } from "../render/output.ts";
import { textDifference } from "../render/text-difference.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { pathsOf } from "../targets/store-targets.ts";

const defaultLimit = 20;

/** One of the two derivations, and the source of it and its inputs. */
interface Side {
  readonly drvPath: string;
  readonly read: (drvPath: string) => Derivation;
}

/** `firn derivation diff`: explains the differences of two derivations. */
export const command: Command = {
  positionals: [{ label: "from" }, { label: "to" }],
  flags: [
    ...installableFlags,
    ...jsonFlags,
    { name: "from", labels: ["directory"], description: "Look the first derivation up in this directory." },
    { name: "to", labels: ["directory"], description: "Look the second derivation up in this directory." },
    {
      name: "limit",
      labels: ["number"],
      description: `Show at most this many causes (${defaultLimit}; 0 for all); --json shows all.`,
    },
  ],
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const limit = limitOf(flags.value("limit"));
    const directories = [flags.value("from"), flags.value("to")];
    const sides: (Side | undefined)[] = positionals.map((word, index) => {
      const directory = directories[index];
      return directory === undefined ? undefined : directorySide(resolve(io.cwd, directory), word);
    });
    const [from, to] = sides;
    if (from !== undefined && to !== undefined) return compare([from, to], { invocation, io, limit });
    return withEvaluation(invocation, io, {
      body: async (session) => {
        const store = await session.store();
        const resolved: Side[] = [];
        for (const [index, word] of positionals.entries()) {
          const known = sides[index];
          if (known !== undefined) resolved.push(known);
          else {
            const [drvPath] = await pathsOf(session, [word], { realise: false, derivations: true });
            if (drvPath === undefined) throw new FirnError("no-derivation", `'${word}' names no derivation`);
            resolved.push({ drvPath, read: (path) => store.readDerivation(path) });
          }
        }
        return compare([resolved[0]!, resolved[1]!], { invocation, io, limit });
      },
    });
  },
};

function limitOf(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  if (!/^[0-9]{1,9}$/.test(text)) throw new UsageError(`'--limit' is a number of causes, not '${text}'`);
  return text === "0" ? Number.POSITIVE_INFINITY : Number(text);
}

/** Makes a side from `.drv` files in a directory, or in the store below it. */
function directorySide(directory: string, word: string): Side {
  const named = word.startsWith(`${directory}/`) ? word.slice(directory.length) : word;
  const storeDir = dirname(named).length > 1 && named.startsWith("/") ? dirname(named) : defaultStoreDir;
  const below = join(directory, storeDir);
  const files = existsSync(below) ? below : directory;
  const drvPath = parseStorePath(`${storeDir}/${basename(named)}`, storeDir);
  if (!isDerivationPath(drvPath)) throw new FirnError("no-derivation", `'${word}' is not the name of a '.drv' file`);
  const read = (path: string): Derivation => {
    const file = join(files, storePathBaseName(path));
    if (!existsSync(file)) {
      throw new FirnError("no-derivation", `derivation '${path}' is not in '${files}'`, {
        hint: "the directory must hold the '.drv' files of all inputs too",
      });
    }
    return parseDerivation(readFileSync(file, "latin1"), storePathName(path).slice(0, -".drv".length), storeDir);
  };
  return { drvPath, read };
}

interface Showing {
  readonly invocation: Invocation;
  readonly io: Io;
  readonly limit: number;
}

function compare([from, to]: readonly [Side, Side], { invocation, io, limit }: Showing): number {
  const comparison = compareDerivations(from.drvPath, to.drvPath, {
    readFrom: from.read,
    readTo: to.read,
    storeDir: dirname(from.drvPath),
  });
  if (invocation.flags.has("json")) {
    const head = [
      ["from", from.drvPath],
      ["to", to.drvPath],
    ] as const;
    printJsonResult(io, new Map<string, JsonValue>([...head, ...comparisonToJson(comparison)]), invocation);
  } else {
    for (const line of comparisonLines(comparison, limit)) printLine(io, line);
  }
  return comparison.equal ? 0 : 1;
}

function comparisonToJson({ equal, compared, causes }: DerivationComparison): [string, JsonValue][] {
  return [
    ["equal", equal],
    ["compared", jsonNumber(compared)],
    ["causes", causes.map(({ differences, ...cause }) => object({ ...cause, differences: differences.map(object) }))],
  ];
}

/** Returns a plain object as JSON; undefined becomes null. */
function object(value: Readonly<Record<string, JsonValue | undefined>>): JsonValue {
  return new Map(Object.entries(value).map(([name, member]) => [name, member ?? null]));
}

function comparisonLines({ equal, compared, causes }: DerivationComparison, limit: number): string[] {
  if (equal) return ["the derivations are the same"];
  const lines = causes.slice(0, limit).flatMap((cause) => [...causeLines(cause), ""]);
  const pairs = compared === 1 ? "1 pair of derivations" : `${compared} pairs of derivations`;
  const rest = causes.length > limit ? `, ${causes.length - limit} of them not shown (--limit 0 shows all)` : "";
  return [...lines, `${causes.length} ${causes.length === 1 ? "cause" : "causes"} in ${pairs} that differ${rest}`];
}

function causeLines({ from, to, chain, differences }: DerivationCause): string[] {
  const way = chain.length > 1 ? [`  by way of ${chain.slice(0, -1).join(" > ")}`] : [];
  return [`- ${from}`, `+ ${to}`, ...way, ...differences.flatMap(differenceLines).map((line) => `  ${line}`)];
}

function differenceLines(difference: DerivationDifference): string[] {
  switch (difference.kind) {
    case "name":
    case "system":
    case "builder":
      return titled(difference.kind, difference.from, difference.to);
    case "args":
      return titled("arguments", difference.from.join("\n"), difference.to.join("\n"));
    case "env":
      return titled(`environment: ${difference.name}`, difference.from, difference.to);
    case "output":
      return titled(`output: ${difference.name}`, difference.from, difference.to);
    case "source":
      return titled("source", difference.from, difference.to);
    case "input":
      return titled("input of one side only", difference.from, difference.to);
    case "input-outputs":
      return titled(`outputs used of ${difference.name}`, difference.from.join(" "), difference.to.join(" "));
    case "text":
      return ["the files differ in form only"];
  }
}

/** Returns a title and below it the old and the new text. */
function titled(title: string, from: string | undefined, to: string | undefined): string[] {
  const lines =
    from === undefined || to === undefined
      ? (from ?? to ?? "").split("\n").map((text) => `${from === undefined ? "+" : "-"} ${text}`)
      : textDifference(from, to).map(({ sign, text }) => `${sign} ${text}`);
  return [title, ...lines.map((line) => `  ${visible(line)}`)];
}

/** Returns a text with control characters spelled out: the contents of a derivation must not control the terminal. */
function visible(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
