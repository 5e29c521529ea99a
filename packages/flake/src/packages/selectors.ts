/** Selectors of packages on the command lines of old commands: `hello`, `hello-2.12`, `.*zip.*`, `*`. */
import { compareVersions, FirnError, parseDrvName } from "@firn/formats";
import { userRegex } from "@firn/language";
import type { Package } from "./package.ts";

/** Number of names that the message about a selector without matches suggests. */
const maxSuggestions = 3;

/** A selector of packages by name and version. */
export class Selector {
  readonly text: string;
  readonly #name: string;
  readonly #version: string;

  constructor(text: string) {
    this.text = text;
    const { name, version } = parseDrvName(text);
    this.#name = name;
    this.#version = version;
  }

  /** The part before the version: a regular expression, or `*`. */
  get name(): string {
    return this.#name;
  }

  /** Tells whether a package name with its version matches. Error `bad-regex` when the selector is no regular expression. */
  matches(text: string): boolean {
    const { name, version } = parseDrvName(text);
    if (this.#version !== "" && this.#version !== version) return false;
    return this.#name === "*" || userRegex(this.#name).match(name) !== undefined;
  }
}

/**
 * Returns the packages that selectors match, each once, in the order of the selectors; no selector selects all. With `newest`,
 * a selector takes one package of each name. Error `no-results` for a selector that matches none; `warn` hears of ambiguities.
 */
export async function selectPackages(
  packages: readonly Package[],
  words: readonly string[],
  options: { readonly newest?: { readonly system: string }; warn(text: string): void },
): Promise<Package[]> {
  const chosen = new Set<Package>();
  for (const word of words.length === 0 ? ["*"] : words) {
    const selector = new Selector(word);
    const matches = packages.filter(({ name }) => selector.matches(name));
    if (matches.length === 0 && word !== "*") throw noMatch(selector, packages);
    for (const match of options.newest === undefined
      ? matches
      : await newestOf(matches, options.newest.system, options.warn))
      chosen.add(match);
  }
  return [...chosen];
}

function noMatch(selector: Selector, packages: readonly Package[]): FirnError {
  const near = new Set<string>();
  for (const { name } of packages) {
    const { name: base } = parseDrvName(name);
    if (base.startsWith(selector.name)) near.add(base);
    if (near.size >= maxSuggestions) break;
  }
  const suggestions = near.size === 0 ? "" : `, maybe you meant:\n${[...near].sort().join("\n")}`;
  return new FirnError("no-results", `selector '${selector.text}' matches no derivations${suggestions}`);
}

/** Fails with `no-results` for a selector that matches none of the names. */
export function requireMatches(selectors: readonly Selector[], names: readonly string[]): void {
  for (const selector of selectors) {
    if (selector.text !== "*" && !names.some((name) => selector.matches(name)))
      throw new FirnError("no-results", `selector '${selector.text}' matches no derivations`);
  }
}

/** Of packages with the same name, keeps that of this system, of the highest priority, of the highest version, or the first. */
async function newestOf(matches: readonly Package[], system: string, warn: (text: string) => void): Promise<Package[]> {
  const newest = new Map<string, Package>();
  const ambiguous = new Set<string>();
  for (const match of matches) {
    const { name, version } = parseDrvName(match.name);
    const other = newest.get(name);
    let order = 1;
    if (other !== undefined) {
      order = bySystem(await match.system(), await other.system(), system);
      if (order === 0) order = await comparePriorities(match, other);
      if (order === 0) order = compareVersions(version, parseDrvName(other.name).version);
    }
    if (order > 0) {
      newest.set(name, match);
      ambiguous.delete(match.name);
    } else if (order === 0) ambiguous.add(match.name);
  }
  const sorted = [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name] of sorted) {
    if (ambiguous.has(name)) warn(`there are multiple derivations named '${name}'; using the first one`);
  }
  return sorted.map(([, match]) => match);
}

function bySystem(a: string, b: string, own: string): number {
  if (a === b) return 0;
  return a === own ? 1 : b === own ? -1 : 0;
}

/** Orders packages by priority: positive when the first is preferred. */
export async function comparePriorities(a: Package, b: Package): Promise<number> {
  const [first, second] = [await a.priority(), await b.priority()];
  return first < second ? 1 : first > second ? -1 : 0;
}
