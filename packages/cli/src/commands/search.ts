import { debianIndex, type ValueRef } from "@firn/flake";
import { FirnError, type JsonValue, parseDrvName } from "@firn/formats";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { colors } from "../render/colors.ts";
import { printJsonResult } from "../render/output.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

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
        const found = debian === null ? await searchFlake(session) : await searchDebian(session, debian[1] ?? "");
        const matches = found.filter((match) => {
          const texts = [match.attrPath, match.pname, match.description];
          const matched = (regex: RegExp): boolean => texts.some((text) => regex.test(text));
          return patterns.every(matched) && !hidden.some(matched);
        });
        session.progress.clear();
        if (invocation.flags.has("json")) {
          const entries = matches.map(({ attrPath, pname, version, description }): [string, JsonValue] => [
            attrPath,
            new Map([
              ["description", description],
              ["pname", pname],
              ["version", version],
            ]),
          ]);
          printJsonResult(io, new Map(entries), invocation);
        } else {
          if (matches.length === 0) throw new FirnError("no-results", "no results for the given search term(s)!");
          // The reference marks what it finds wherever it prints to.
          const marks = debian === null || io.terminal ? patterns : undefined;
          const shown = matches.map((match) => shownMatch(match, marks));
          io.out(shown.join("\n"));
        }
        return 0;
      },
    }),
};

/** Returns the lines of a match; with patterns its name stands out, and what they find. */
function shownMatch({ attrPath, version, description }: Match, patterns: readonly RegExp[] | undefined): string {
  const marked = (text: string, around: string): string =>
    patterns === undefined ? text : `${around}${highlighted(text, patterns, around)}${colors.normal}`;
  const name = `* ${marked(attrPath, "\x1b[0;1m")}${version === "" ? "" : ` (${version})`}\n`;
  return description === ""
    ? name
    : `${name}  ${patterns === undefined ? description : highlighted(description, patterns, colors.normal)}\n`;
}

/** Marks in a text what patterns find; `after` is the style of the rest. */
function highlighted(text: string, patterns: readonly RegExp[], after: string): string {
  const found = new Set<number>();
  for (const { source } of patterns) {
    for (const { 0: match, index } of text.matchAll(new RegExp(source, "gi"))) {
      for (let i = index; i < index + match.length; i++) found.add(i);
    }
  }
  let result = "";
  for (let i = 0; i < text.length; i++) {
    if (found.has(i) && !found.has(i - 1)) result += colors.green;
    result += text[i];
    if (found.has(i) && !found.has(i + 1)) result += after;
  }
  return result;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (cause) {
    throw new FirnError("usage", `'${text}' is not a regular expression`, { cause });
  }
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

async function searchFlake(session: EvaluationSession): Promise<Match[]> {
  const evaluation = await session.evaluation();
  const [installable] = session.installables.parse(session.invocation.positionals.slice(0, 1));
  if (installable === undefined || installable.kind === "store-path")
    throw new UsageError("a flake or file is needed to search");
  const matches: Match[] = [];
  if (installable.kind === "attribute") {
    const found = await session.installables.find(installable);
    await collect(found.value, installable.path === "" ? [] : installable.path.split("."), matches);
    return matches;
  }
  const { value } = await evaluation.flake(installable.ref);
  const outputs = (await value.attribute("outputs")) ?? value;
  for (const section of ["packages", "legacyPackages"]) {
    const all = await outputs.attribute(section);
    const mine = all === undefined ? undefined : await all.attribute(session.system);
    if (mine !== undefined) await collect(mine, [section, session.system], matches);
  }
  return matches;
}

/** Walks packages; sets are entered at the top, and below it when they have `recurseForDerivations`. */
async function collect(value: ValueRef, path: readonly string[], matches: Match[]): Promise<void> {
  const kind = await value.kind();
  if (kind === "derivation") {
    const nameOf = await text(value, "name");
    const { name, version } = parseDrvName(nameOf);
    const meta = await value.attribute("meta");
    const description = meta === undefined ? "" : await text(meta, "description");
    matches.push({ attrPath: path.join("."), pname: name, version, description });
    return;
  }
  if (kind !== "set") return;
  if (path.length > 2 && !(await isTrue(value, "recurseForDerivations"))) return;
  for (const name of (await value.attributeNames()) ?? []) {
    const member = await value.attribute(name);
    if (member === undefined) continue;
    try {
      await collect(member, [...path, name], matches);
    } catch (error) {
      // What does not evaluate in a large set is no package for this machine; the rest of the set is.
      if (!(error instanceof FirnError) || path[0] !== "legacyPackages") throw error;
    }
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
