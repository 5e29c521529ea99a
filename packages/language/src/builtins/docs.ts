/**
 * The documentation of the builtins: one page each, beside the code in pages/. This module holds all their texts, so it is an
 * entry point of its own (`@firn/language/docs`), loaded only where they are shown.
 */
import { pageTexts } from "./page-texts.ts";

/** The parsed page of one builtin. */
export interface BuiltinDoc {
  /** The name without `builtins.`. */
  readonly name: string;
  /** Names of the arguments; absent for values that are no functions. */
  readonly args?: readonly string[];
  /** Number of arguments; 0 for values. */
  readonly arity: number;
  /** Description with examples, in Markdown. */
  readonly doc: string;
  /** The types of arguments and result, or of the value, for readers. */
  readonly type: string;
  /** The first version of Nix that had the builtin. */
  readonly since: string;
  /** The experimental feature that the builtin needs. */
  readonly experimentalFeature?: string;
  /** The setting that must be enabled. */
  readonly setting?: string;
  /** True when it is absent in pure evaluation. */
  readonly impureOnly: boolean;
}

const heading = /^# builtins\.(\S+)((?: \*[^*\s]+\*)*)\n\n/;
const fact = /^- (type|since|experimental feature|setting|impure only): `?([^\n]*?)`?\n/;

/** Parses a page; undefined when it has another layout. */
export function parseBuiltinPage(text: string): BuiltinDoc | undefined {
  const head = heading.exec(text);
  if (head === null) return undefined;
  const args = [...head[2]!.matchAll(/\*([^*]+)\*/g)].map((match) => match[1]!);
  const facts = new Map<string, string>();
  let rest = text.slice(head[0].length);
  for (let match = fact.exec(rest); match !== null; match = fact.exec(rest)) {
    facts.set(match[1]!, match[2]!);
    rest = rest.slice(match[0].length);
  }
  const type = facts.get("type");
  const since = facts.get("since");
  if (type === undefined || since === undefined) return undefined;
  const feature = facts.get("experimental feature");
  const setting = facts.get("setting");
  return {
    name: head[1]!,
    ...(args.length === 0 ? {} : { args }),
    arity: args.length,
    doc: rest.trim(),
    type,
    since,
    ...(feature === undefined ? {} : { experimentalFeature: feature }),
    ...(setting === undefined ? {} : { setting }),
    impureOnly: facts.has("impure only"),
  };
}

/** Returns the names of all builtins that have a page, sorted. */
export function documentedBuiltins(): string[] {
  return [...pageTexts.keys()];
}

/** Returns the page of the builtin `name` (without `builtins.` or `__`); undefined when there is none. */
export function builtinDocs(name: string): BuiltinDoc | undefined {
  const text = pageTexts.get(name);
  return text === undefined ? undefined : parseBuiltinPage(text);
}

interface LanguageEntry {
  readonly args?: readonly string[];
  readonly doc: string;
  readonly "experimental-feature"?: string;
  readonly "impure-only"?: true;
  readonly type?: string;
}

/** Returns all builtins in the layout of the reference's `nix __dump-language`. */
export function dumpLanguage(): Readonly<Record<string, LanguageEntry>> {
  const result: Record<string, LanguageEntry> = {};
  for (const name of documentedBuiltins()) {
    const page = builtinDocs(name);
    if (page === undefined) continue;
    const { args, doc, experimentalFeature, impureOnly, type } = page;
    result[name] = {
      ...(args === undefined ? {} : { args }),
      doc,
      ...(experimentalFeature === undefined ? {} : { "experimental-feature": experimentalFeature }),
      ...(impureOnly ? { "impure-only": true as const } : {}),
      ...(args === undefined ? { type } : {}),
    };
  }
  return result;
}
