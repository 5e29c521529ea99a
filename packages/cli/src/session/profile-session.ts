/** Functions that the profile commands share: the profile's path, its elements and changes. */
import { resolve } from "node:path";
import type { Installable } from "@firn/flake";
import { showFlakeRef } from "@firn/flake";
import type { ProfileElement } from "@firn/formats";
import { defaultProfile, type ProfilePlaces } from "@firn/store";
import { changeProfile, type Manifest, storePathElementName } from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { buildTargets } from "../targets/build-targets.ts";
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

/** Changes the manifest of the command line's profile, in one step; undefined leaves it unchanged. */
export async function changeManifest(
  session: Session,
  change: (manifest: Manifest) => Promise<Manifest | undefined>,
): Promise<void> {
  const warn = (text: string): void => session.progress.warn(text);
  await changeProfile({ store: await session.store(), profile: await profilePath(session), warn }, change);
}

/** Returns the names of the elements that the arguments select; warns about those that match nothing. */
export function chosenElements(session: Session, manifest: Manifest): Set<string> {
  const { flags, positionals } = session.invocation;
  const chosen = new Set<string>();
  if (flags.has("all")) for (const name of manifest.keys()) chosen.add(name);
  const regexes = flags.all("regex").map(([text]) => new RegExp(`^(?:${text ?? ""})$`));
  for (const regex of regexes) for (const name of manifest.keys()) if (regex.test(name)) chosen.add(name);
  for (const word of positionals) {
    const matching = [...manifest]
      .filter(([name, element]) => name === word || element.storePaths.includes(word))
      .map(([name]) => name);
    if (matching.length === 0)
      session.progress.warn(`Package name '${word}' does not match any packages in the profile.`);
    for (const name of matching) chosen.add(name);
  }
  return chosen;
}

/** Builds an installable as a profile element; returns it with its preferred name. */
export async function buildElement(
  session: EvaluationSession,
  installable: Installable,
  priority: number | undefined,
): Promise<{ readonly name: string; readonly element: ProfileElement }> {
  const target = await session.installables.target(installable);
  const [built] = await buildTargets(session, [target]);
  const storePaths = [...(built?.outputs.values() ?? [])].sort();
  const base = { storePaths, active: true, priority: priority ?? 5 };
  if (installable.kind !== "flake" || target.kind !== "outputs" || target.found?.locked === undefined) {
    return { name: storePathElementName(storePaths[0] ?? ""), element: base };
  }
  const { originalRef, lockedRef } = target.found.locked.flake;
  const { outputs } = installable;
  const element: ProfileElement = {
    ...base,
    originalUrl: showFlakeRef(originalRef),
    url: showFlakeRef(lockedRef),
    attrPath: target.found.attrPath,
    ...(outputs.kind === "default" ? {} : { outputs: outputs.kind === "all" ? ["*"] : outputs.names }),
  };
  return { name: elementName(target.found.attrPath, showFlakeRef(originalRef)), element };
}

/** Returns the last part of the attribute path, or for defaults the name of the flake's directory or repository. */
function elementName(attrPath: string, url: string): string {
  const last = attrPath.split(".").at(-1) ?? "";
  if (last !== "default" && !attrPath.startsWith("default")) return last;
  const dir = /[?&]dir=([^&]+)/.exec(url)?.[1];
  const path = dir ?? url.replace(/\?.*$/, "");
  const forge = /^(?:github|gitlab|sourcehut):[^/]+\/([^/]+)/.exec(path)?.[1];
  return (
    forge ??
    path
      .split("/")
      .filter((part) => part !== "")
      .at(-1)
      ?.replace(/\.(git|tar\..*|zip)$/, "") ??
    "package"
  );
}
