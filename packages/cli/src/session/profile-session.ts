/** Functions that the profile commands share: the profile's path, its elements and changes. */
import { resolve } from "node:path";
import { FileCollision } from "@firn/build";
import { type FlakeRef, type Installable, showFlakeRef, type Target, type ValueRef } from "@firn/flake";
import { FirnError, isStorePath, type ProfileElement, storePathBaseName } from "@firn/formats";
import { userRegex } from "@firn/language";
import { defaultProfile, type ProfilePlaces } from "@firn/store";
import {
  changeProfile,
  defaultPriority,
  elementIdentifier,
  elementInstallables,
  elementName,
  installedPackages,
  type Manifest,
  type ProfileReader,
} from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { type BuiltTarget, buildTargets } from "../targets/build-targets.ts";
import type { EvaluationSession } from "./evaluation-session.ts";
import type { Session } from "./session.ts";

/** The flag `--profile PATH`. */
export const profileFlag: Flag = { name: "profile", labels: ["path"], description: "The profile to operate on." };
/** Flags that select elements for `remove` and `upgrade`. */
export const elementFlags: readonly Flag[] = [
  { name: "all", description: "Match all packages in the profile." },
  {
    name: "regex",
    labels: ["pattern"],
    description: "A regular expression to match one or more packages in the profile.",
  },
];

/** Returns the places of the user's profiles. */
export async function profilePlaces(session: Session): Promise<ProfilePlaces> {
  const useXdg = session.settings.get("use-xdg-base-directories");
  return { location: (await session.store()).location, environment: session.io.env, useXdg };
}

/** Returns the path of the command line's profile. */
export async function profilePath(session: Session): Promise<string> {
  const named = session.invocation.flags.value("profile");
  return named === undefined ? defaultProfile(await profilePlaces(session)) : resolve(session.io.cwd, named);
}

/** Returns a function that tells of a generation that is removed, or would be. */
export function generationReport(session: Session, dryRun: boolean): (number: number) => void {
  const verb = dryRun ? "would remove" : "removing";
  return (number) =>
    session.progress.event({ kind: "message", level: "notice", text: `${verb} profile version ${number}` });
}

/** Returns the reader of profiles, those of `nix-env` included. */
export async function profileReader(session: EvaluationSession): Promise<ProfileReader> {
  const store = await session.store();
  return {
    store,
    async installedPackages(profile) {
      const { evaluator } = await session.evaluation();
      return installedPackages({ evaluator, store }, profile);
    },
  };
}

/** Changes the manifest of the command line's profile, in one step; undefined leaves it unchanged. Error `collision`. */
export async function changeManifest(
  session: EvaluationSession,
  change: (manifest: Manifest) => Promise<Manifest | undefined>,
): Promise<void> {
  const warn = (text: string): void => session.progress.warn(text);
  const profile = await profilePath(session);
  const store = await session.store();
  let next: Manifest | undefined;
  try {
    await changeProfile({ ...(await profileReader(session)), store, profile, warn }, async (present) => {
      next = await change(present);
      return next;
    });
  } catch (error) {
    if (!(error instanceof FileCollision) || next === undefined) throw error;
    throw explained(error, next, session.invocation.mainProgram);
  }
}

/** Says which packages are in each other's way, and the commands that resolve it. */
function explained(collision: FileCollision, manifest: Manifest, program: string): FirnError {
  const elements = [...manifest].sort(([a], [b]) => (a < b ? -1 : 1));
  const isIn = (file: string, { storePaths }: ProfileElement): boolean =>
    storePaths.some((path) => file.startsWith(`${path}/`));
  const ofCollision = ([, element]: (typeof elements)[number]): boolean =>
    collision.files.some((file) => isIn(file, element));
  const present = elements.find(ofCollision);
  const added = elements.findLast(ofCollision);
  if (present === undefined || added === undefined) return collision;
  const fileOf = (element: ProfileElement): string => `"${collision.files.find((file) => isIn(file, element)) ?? ""}"`;
  const add = `${program} profile add ${elementInstallables(added[1]).join(" ")} --priority`;
  return new FirnError(
    "collision",
    [
      "An existing package already provides the following file:",
      `  ${fileOf(present[1])}`,
      "This is the conflicting file from the new package:",
      `  ${fileOf(added[1])}`,
      "To remove the existing package:",
      `  ${program} profile remove ${present[0]}`,
      `The new package can also be added next to the existing one by assigning a different priority.\nThe conflicting packages have a priority of ${collision.priority}.\nTo prioritise the new package:`,
      `  ${add} ${collision.priority - 1}`,
      "To prioritise the existing package:",
      `  ${add} ${collision.priority + 1}`,
    ].join("\n\n"),
    { cause: collision },
  );
}

interface Matcher {
  readonly title: string;
  matches(name: string, element: ProfileElement): boolean;
}

/** Returns the names of the elements that the arguments select; warns about those that match nothing. Error `usage`. */
export async function chosenElements(session: Session, manifest: Manifest): Promise<Set<string>> {
  const chosen = new Set<string>();
  const matchers = elementMatchers(session, (await session.store()).storeDir);
  if (manifest.size === 0) {
    session.progress.warn("There are no packages in the profile.");
    return chosen;
  }
  for (const matcher of matchers) {
    const matching = [...manifest].filter(([name, element]) => matcher.matches(name, element));
    if (matching.length === 0) session.progress.warn(`${matcher.title} does not match any packages in the profile.`);
    for (const [name] of matching) chosen.add(name);
  }
  return chosen;
}

function elementMatchers({ invocation }: Session, storeDir: string): Matcher[] {
  const { flags, positionals } = invocation;
  const matchers: Matcher[] = flags.all("regex").map(([pattern = ""]) => {
    // Case does not matter.
    const regex = userRegex(pattern.toLowerCase());
    return {
      title: `Regex '${pattern}'`,
      matches: (_, element) => regex.match(elementIdentifier(element).toLowerCase()) !== undefined,
    };
  });
  for (const word of positionals) matchers.push(wordMatcher(word, storeDir));
  if (flags.has("all")) {
    if (matchers.length > 0) throw new UsageError("--all cannot be used with package names or regular expressions.");
    matchers.push({ title: "--all", matches: () => true });
  }
  if (matchers.length === 0) throw new UsageError("No packages specified.");
  return matchers;
}

function wordMatcher(word: string, storeDir: string): Matcher {
  if (/^[0-9]+$/.test(word)) throw new FirnError("bad-profile", `'nix profile' no longer supports indices ('${word}')`);
  if (!isStorePath(word, storeDir)) return { title: `Package name '${word}'`, matches: (name) => name === word };
  return {
    title: `Store path '${storePathBaseName(word)}'`,
    matches: (_, { storePaths }) => storePaths.includes(word),
  };
}

/** An installable that a profile is to have, with the priority that the user gave. */
export interface WantedElement {
  readonly installable: Installable;
  readonly priority: number | undefined;
}

/** Builds installables, all at a time, as profile elements; returns them with their preferred names. */
export async function buildElements(
  session: EvaluationSession,
  wanted: readonly WantedElement[],
): Promise<{ readonly name: string; readonly element: ProfileElement }[]> {
  const targets: Target[] = [];
  for (const { installable } of wanted) targets.push(await session.installables.target(installable));
  const built = await buildTargets(session, targets);
  const elements: Awaited<ReturnType<typeof buildElements>> = [];
  for (const [index, one] of wanted.entries()) elements.push(await elementOf(session, one, built[index]!));
  return elements;
}

async function elementOf(
  session: EvaluationSession,
  { installable, priority }: WantedElement,
  { target, outputs: paths }: BuiltTarget,
): Promise<{ readonly name: string; readonly element: ProfileElement }> {
  const storePaths = [...paths.values()].sort();
  const found = target.kind === "outputs" ? target.found : undefined;
  const own = priority ?? (await metaPriority(found?.value)) ?? defaultPriority;
  const base = { storePaths, active: true, priority: own };
  if (installable.kind !== "flake" || found?.locked === undefined) return { name: elementName(base), element: base };
  const { originalRef } = found.locked.flake;
  const { outputs } = installable;
  const element: ProfileElement = {
    ...base,
    // The flake that stands for a Debian package is made anew when the package is upgraded.
    originalUrl: showFlakeRef(isDebian(installable.ref) ? installable.ref : originalRef),
    url: await (await session.evaluation()).lockedReference(found.locked),
    attrPath: found.attrPath,
    ...(outputs.kind === "default" ? {} : { outputs: outputs.kind === "all" ? ["*"] : outputs.names }),
  };
  return { name: elementName(element), element };
}

function isDebian({ input }: FlakeRef): boolean {
  return input.get("type") === "indirect" && input.get("id") === "deb";
}

async function metaPriority(value: ValueRef | undefined): Promise<number | undefined> {
  const [entry] = (await value?.packageMeta("priority")) ?? [];
  return entry?.value?.kind === "int" ? Number(entry.value.value) : undefined;
}
