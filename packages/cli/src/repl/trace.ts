/** The debugger's trace and environments as text, in the reference's layout. They are always coloured, as upstream. */
import type { DebugLevel, DebugTraceStep } from "@firn/language";
import { colors } from "../render/colors.ts";

const { normal, red, blue, magenta } = colors;

/** Global names as upstream lists them, without those that only sets of builtins have. */
const globalNames =
  "builtins true false null scopedImport import isNull break abort throw derivationStrict placeholder baseNameOf dirOf " +
  "removeAttrs map toString fetchMercurial fetchTree fetchTarball fetchGit fromTOML derivation";

function codeLine(number: number, text: string): string {
  return `\n ${String(number).padStart(5)}| ${text}`;
}

/** Returns one step of the trace with its number. */
export function stepText(step: DebugTraceStep, index: number): string {
  let text = `\n${blue}${index}${normal}: ${step.isError ? `${red}error: ${normal}` : ""}${step.text}\n`;
  const { position } = step;
  if (position === undefined) return text;
  text += `${position.file}:${position.line}:${position.column}`;
  const { excerpt, line, column } = position;
  if (excerpt === undefined) return text;
  text += "\n";
  if (excerpt.previous !== undefined) text += codeLine(line - 1, excerpt.previous);
  if (excerpt.line !== undefined) {
    text += codeLine(line, excerpt.line);
    if (column > 0) text += `\n      |${" ".repeat(column)}${red}^${normal}`;
  }
  if (excerpt.next !== undefined) text += codeLine(line + 1, excerpt.next);
  return `${text}\n`;
}

function nameList(names: readonly string[]): string {
  return `${magenta}${names.map((name) => `${name} `).join("")}${normal}\n`;
}

/** Returns the environments around a step, the global one last. Names are byte strings. */
export function levelsText(levels: readonly DebugLevel[]): string {
  let text = "";
  levels.forEach(({ names, withNames }, i) => {
    text += `Env level ${i}\nstatic: ${nameList(names)}`;
    if (withNames !== undefined) text += `with: ${nameList(withNames)}`;
    text += "\n";
  });
  return `${text}Env level ${levels.length}\n${nameList(globalNames.split(" "))}\n`;
}
