import { debianIndex, type ValueRef } from "@firn/flake";
import { FirnError, type JsonValue, parseDrvName } from "@firn/formats";
import { userRegex } from "@firn/language";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { colors } from "../render/colors.ts";
import { printJsonResult } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

type Regex = ReturnType<typeof userRegex>;

/** Returns a pattern, in which letters stand for both cases. Error `bad-regex`. */
const pattern = (text: string): Regex => userRegex(text, { ignoreCase: true });

/** One matching package. */
interface Match {
  readonly attrPath: string;
  readonly pname: string;
  readonly version: string;
  readonly description: string;
}

/** `firn search`: finds packages of a flake whose name or description matches; `deb#WORD` searches Debian's index. */
export const command: Command = {
  positionals: [
    { label: "installable", kind: "installable" },
    { label: "regex", optional: true, repeats: true },
  ],
  flags: [
    ...installableFlags,
    ...jsonFlags,
    {
      name: "exclude",
      short: "e",
      labels: ["regex"],
      description: "Hide packages whose attribute path, name or description contain regex.",
    },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const [word = "", ...regexes] = invocation.positionals;
        const patterns = regexes.map(pattern);
        const hidden = invocation.flags.all("exclude").map(([text]) => pattern(text ?? ""));
        const debian = /^deb(?:#(.*))?$/.exec(word);
        if (debian === null && patterns.length === 0)
          throw new UsageError(
            `Must provide at least one regex! To match all packages, use '${invocation.mainProgram} search <installable> ^'.`,
          );
        const matches: Match[] = [];
        const json = invocation.flags.has("json");
        // The reference marks what it finds wherever it prints to.
        const marks = debian === null || io.terminal ? patterns : undefined;
        const found = (match: Match): void => {
          const texts = [match.attrPath, match.pname, match.description];
          const matched = (regex: Regex): boolean => texts.some((text) => finds(regex, text));
          if (!patterns.every(matched) || hidden.some(matched)) return;
          matches.push(match);
          if (json) return;
          session.progress.clear();
          io.out(`${matches.length > 1 ? "\n" : ""}${shownMatch(match, marks)}`);
        };
        if (debian === null) await searchFlake(session, found);
        else for (const match of await searchDebian(session, debian[1] ?? "")) found(match);
        session.progress.clear();
        if (json) {
          const entries = matches.map(({ attrPath, pname, version, description }): [string, JsonValue] => [
            attrPath,
            new Map([
              ["description", description],
              ["pname", pname],
              ["version", version],
            ]),
          ]);
          printJsonResult(io, new Map(entries), invocation);
        } else if (matches.length === 0) {
          throw new FirnError("no-results", "no results for the given search term(s)!");
        }
        return 0;
      },
    }),
};

/** Returns the lines of a match; with patterns its name stands out, and what they find. */
function shownMatch({ attrPath, version, description }: Match, patterns: readonly Regex[] | undefined): string {
  const marked = (text: string, around: string): string =>
    patterns === undefined ? text : `${around}${highlighted(text, patterns, around)}${colors.normal}`;
  const name = `* ${marked(attrPath, "\x1b[0;1m")}${version === "" ? "" : ` (${version})`}\n`;
  return description === ""
    ? name
    : `${name}  ${patterns === undefined ? description : highlighted(description, patterns, colors.normal)}\n`;
}

/** Marks in a text what patterns find, also where that is nothing; `after` is the style of the rest. */
function highlighted(text: string, patterns: readonly Regex[], after: string): string {
  const found: { readonly start: number; readonly end: number }[] = [];
  for (const pattern of patterns) pattern.eachMatch(text, (start, end) => found.push({ start, end }));
  found.sort((a, b) => a.start - b.start);
  let result = "";
  let shown = 0;
  for (let i = 0; i < found.length; ) {
    const { start } = found[i]!;
    let { end } = found[i]!;
    while (++i < found.length && found[i]!.start <= end) end = Math.max(end, found[i]!.end);
    result += `${text.slice(shown, start)}${colors.green}${text.slice(start, end)}${after}`;
    shown = end;
  }
  return result + text.slice(shown);
}

function finds(regex: Regex, text: string): boolean {
  let found = false;
  regex.eachMatch(text, () => {
    found = true;
  });
  return found;
}

async function searchDebian(session: EvaluationSession, word: string): Promise<Match[]> {
  const { index, suites } = await debianIndex({
    settings: session.settings,
    environment: session.io.env,
    events: (event) => session.progress.event(event),
    offline: session.invocation.flags.has("offline"),
  });
  session.progress.clear();
  for (const { suite, date } of suites) session.io.err(`Debian ${suite} of ${date}\n`);
  const matches: Match[] = [];
  const needle = word.toLowerCase();
  for (const { name, version, description } of index.packages.values()) {
    if (needle !== "" && !name.includes(needle) && !description.toLowerCase().includes(needle)) continue;
    matches.push({ attrPath: `deb#${name}`, pname: name, version, description });
  }
  const rank = ({ pname }: Match): number =>
    pname === needle ? 0 : pname.startsWith(needle) ? 1 : pname.includes(needle) ? 2 : 3;
  return matches.sort((a, b) => rank(a) - rank(b) || (a.pname < b.pname ? -1 : 1));
}

async function searchFlake(session: EvaluationSession, use: (match: Match) => void): Promise<void> {
  const [installable] = session.installables.parse(session.invocation.positionals.slice(0, 1));
  if (installable === undefined || installable.kind === "store-path")
    throw new UsageError("a flake or file is needed to search");
  if (installable.kind === "attribute") {
    const { value } = await session.installables.find(installable);
    return visit(value, { path: [], first: true, use });
  }
  const sections = ["packages", "legacyPackages"].map((section) => `${section}.${session.system}`);
  const lookup =
    installable.fragment === ""
      ? { defaults: sections, prefixes: [] }
      : { defaults: [], prefixes: sections.map((section) => `${section}.`) };
  const first = await session.installables.find(installable, lookup);
  await visit(first.value, { path: first.attrPath.split("."), first: true, use });
  if (installable.fragment !== "" || first.attrPath !== sections[0]) return;
  const { value } = await (await session.evaluation()).flake(installable.ref);
  const outputs = (await value.attribute("outputs")) ?? value;
  const legacy = await outputs.attributeAlong(["legacyPackages", session.system]);
  if (legacy !== undefined) await visit(legacy, { path: ["legacyPackages", session.system], first: true, use });
}

interface Visit {
  readonly path: readonly string[];
  /** True for the value that the command line names, which is entered whatever it is. */
  readonly first: boolean;
  use(match: Match): void;
}

/** Walks packages: sets are entered at the top, and in `legacyPackages` below it when they have `recurseForDerivations`. */
async function visit(value: ValueRef, { path, first, use }: Visit): Promise<void> {
  const [section] = path;
  try {
    const kind = await value.kind();
    if (kind === "derivation") {
      const { name, version } = parseDrvName(await text(value, "name"));
      const meta = await value.attribute("meta");
      const description = meta === undefined ? "" : (await text(meta, "description")).replaceAll("\n", " ");
      use({ attrPath: path.join("."), pname: name, version, description });
      return;
    }
    const top = path.length === 0 || (path.length <= 2 && (section === "packages" || section === "legacyPackages"));
    const enters = top || first || (section === "legacyPackages" && (await isTrue(value, "recurseForDerivations")));
    if (!enters) return;
    if (kind !== "set") throw new FirnError("type-error", `'${path.join(".")}' is not an attribute set`);
    for (const name of (await value.attributeNames()) ?? []) {
      const member = await value.attribute(name);
      if (member !== undefined) await visit(member, { path: [...path, name], first: false, use });
    }
  } catch (error) {
    // A part of a large set that does not evaluate is no package for this machine; the rest of the set is.
    if (!(error instanceof FirnError) || section !== "legacyPackages") throw error;
  }
}

async function text(value: ValueRef, name: string): Promise<string> {
  const member = await value.attribute(name);
  if (member === undefined) return "";
  const kind = await member.kind();
  return kind === "string" ? (await member.string()).text : "";
}

async function isTrue(value: ValueRef, name: string): Promise<boolean> {
  const member = await value.attribute(name);
  return (await member?.isTrue()) === true;
}
