/**
 * Programs that units of systemd start and that do not exist. On the machine such a unit would fail with the status 203/EXEC; here the message
 * names the option.
 */
import { editDistance, escapePattern } from "@firn/formats";
import * as fs from "@firn/store/files";
import { findInput, type InputView, isThere } from "./input-path.ts";

/** The places of the programs that units name. */
export interface ProgramPlaces {
  /** The option that the units are made of, such as `systemd.services`. */
  readonly options: string;
  /** The tree whose `usr` is the machine's. */
  readonly env: string;
  /** The tree that is the machine's /run/current-system/sw. */
  readonly sw: string;
}

/** The options that scripts of units are made of, by the end of their names. */
const PHASES: Readonly<Record<string, string>> = {
  "-pre-start": "preStart",
  "-post-start": "postStart",
  "-pre-stop": "preStop",
  "-post-stop": "postStop",
  "-reload": "reload",
};

/** Returns a line for each program that units (files of a directory of units, by place) start or their scripts name, and that is not there. */
export function absentPrograms(view: InputView, places: ProgramPlaces, files: Iterable<[string, string]>): string[] {
  const lines: string[] = [];
  const look = (unit: string, option: string, verb: string, program: string, place: string): void => {
    if (isThere(view, place)) return;
    const name = `${places.options}.${unit.replace(/\.service$/, "")}.${option}`;
    lines.push(
      `the unit '${unit}' ${verb} '${program}', which does not exist (option '${name}')${nearPrograms(view, place)}`,
    );
  };
  for (const [file, text] of files) {
    const override = /^(.*)\.d\/overrides\.conf$/.exec(file)?.[1];
    if (override === undefined && !file.endsWith(".service")) continue;
    const unit = override ?? file;
    for (const [, key, program = ""] of text.matchAll(/^(Exec[A-Za-z]*)=[@:+!|]*(\/[^ "%$\n]*)/gm)) {
      if (isInput(view, program) && /^[^/]*-unit-script-/.test(program.slice(view.store.storeDir.length + 1))) {
        for (const named of programsNamed(view, program)) look(unit, phaseOf(program), "names", named, named);
        continue;
      }
      const place = placeOf(view, places, program);
      if (place !== undefined) look(unit, `serviceConfig.${key}`, "starts", program, place);
    }
  }
  return lines;
}

/** Tells whether a path lies in an input. What the derivation does not name cannot be looked at. */
function isInput({ store, allows }: InputView, file: string): boolean {
  const prefix = `${store.storeDir}/`;
  return file.startsWith(prefix) && allows(prefix + (file.slice(prefix.length).split("/")[0] ?? ""));
}

/** Returns where a program of the machine is in the inputs; undefined for one that is not looked at. */
function placeOf(view: InputView, { env, sw }: ProgramPlaces, program: string): string | undefined {
  if (program.startsWith(`${view.store.storeDir}/`)) return isInput(view, program) ? program : undefined;
  const current = "/run/current-system/sw/";
  if (program.startsWith(current)) return `${sw}/${program.slice(current.length)}`;
  if (program.startsWith("/usr/local/")) return undefined;
  return /^\/(?:usr|bin|sbin)\//.test(program) ? `${env}/usr/${program.replace(/^\/usr\//, "")}` : undefined;
}

/** Returns the programs of inputs that a script names by their paths. */
function programsNamed(view: InputView, script: string): string[] {
  const found = findInput(view, script);
  if (found?.status.isFile() !== true) return [];
  const text = fs.readFileSync(found.real, "latin1");
  const store = escapePattern(view.store.storeDir);
  const named = new RegExp(`${store}/[0-9a-z]*-[^/ "'\`;|&()<>\\n]*/s?bin/[\\w.+-]*`, "g");
  return [...new Set(text.match(named))].sort().filter((program) => isInput(view, program));
}

function phaseOf(script: string): string {
  return Object.entries(PHASES).find(([end]) => script.endsWith(end))?.[1] ?? "script";
}

/** Returns the names beside an absent program that are a few letters from its own, or longer, as a question; "" for none. */
function nearPrograms(view: InputView, program: string): string {
  const [directory, wanted] = [program.replace(/\/[^/]*$/, ""), program.replace(/^.*\//, "")];
  const found = isThere(view, directory) ? findInput(view, directory) : undefined;
  if (found?.status.isDirectory() !== true) return "";
  const distant = 1 + wanted.length / 4;
  const scored = fs
    .readdirSync(found.real, { encoding: "latin1" })
    .map((name): [number, string] => [editDistance(wanted, name), name])
    .filter(([distance, name]) => distance <= distant || name.startsWith(wanted))
    .map(([distance, name]): [number, string] => [Math.min(distance, Math.ceil(distant)), name])
    .sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  const names = scored.slice(0, 2).map(([, name]) => `'${name}'`);
  return names.length === 0 ? "" : `, did you mean ${names.join(" or ")}?`;
}
