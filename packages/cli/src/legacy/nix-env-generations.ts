/** The operations of `nix-env` on generations of a profile. */
import { resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, profileLink } from "@firn/store";
import { deleteGenerations, findGenerations, type GenerationChoice, rollbackProfile } from "@firn/system";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";
import { tidyBootMenu } from "../session/boot-menu.ts";
import { timeOfAge } from "../session/generation-age.ts";
import { generationReport, profilePlaces } from "../session/profile-session.ts";
import type { Session } from "../session/session.ts";

type GenerationOperation = (session: Session, profile: string) => Promise<number>;

/** The operations by the names of their flags; each resolves to the exit status. */
export const generationOperations = {
  "switch-profile": switchProfile,
  "switch-generation": switchGeneration,
  rollback: (session: Session, profile: string) => switchTo(session, profile, undefined),
  "list-generations": listGenerations,
  "delete-generations": removeGenerations,
} as const satisfies Readonly<Record<string, GenerationOperation>>;

async function switchProfile(session: Session): Promise<number> {
  const [path = ""] = session.invocation.positionals;
  disk.replaceSymlink(resolve(session.io.cwd, path), profileLink(await profilePlaces(session)));
  return 0;
}

async function switchGeneration(session: Session, profile: string): Promise<number> {
  const number = generationNumber(session.invocation.positionals[0] ?? "");
  if (number === undefined) throw new UsageError("expected a generation number");
  return switchTo(session, profile, number);
}

async function switchTo(session: Session, profile: string, to: number | undefined): Promise<number> {
  const dryRun = session.invocation.flags.has("dry-run");
  const moved = await rollbackProfile(profile, { dryRun, ...(to === undefined ? {} : { to }) });
  const text = `switching profile from version ${moved.from ?? 0} to ${moved.to}`;
  session.progress.event({ kind: "message", level: "notice", text });
  return 0;
}

async function listGenerations({ io }: Session, profile: string): Promise<number> {
  const { generations, current } = findGenerations(profile);
  for (const { number, created } of generations) {
    const mark = number === current ? "(current)" : "";
    printLine(io, `${String(number).padStart(4)}   ${localTime(new Date(created * 1000))}   ${mark}`);
  }
  return 0;
}

function localTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

async function removeGenerations(session: Session, profile: string): Promise<number> {
  const dryRun = session.invocation.flags.has("dry-run");
  const choice = chosen(session.invocation.positionals);
  await deleteGenerations(profile, choice, { dryRun, report: generationReport(session, dryRun) });
  if (!dryRun) await tidyBootMenu(session);
  return 0;
}

function chosen(words: readonly string[]): GenerationChoice {
  const [word = "", ...more] = words;
  if (more.length === 0 && word === "old") return { kind: "old" };
  if (more.length === 0 && word.includes("d")) return { kind: "older-than", time: timeOfAge(word) };
  if (more.length === 0 && word.includes("+")) {
    if (word.length < 2) throw new FirnError("bad-profile", `invalid number of generations '${word}'`);
    const count = generationNumber(word.slice(1));
    if (count === undefined) throw new FirnError("bad-profile", `invalid number of generations to keep '${word}'`);
    if (count === 0) {
      throw new FirnError(
        "bad-profile",
        "Must keep at least one generation, otherwise the current one would be deleted",
      );
    }
    return { kind: "beyond", count };
  }
  return {
    kind: "numbers",
    numbers: words.map((text) => {
      const number = generationNumber(text);
      if (number === undefined) throw new UsageError(`invalid generation number '${text}'`);
      return number;
    }),
  };
}

function generationNumber(text: string): number | undefined {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
