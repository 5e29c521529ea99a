/** Settings of a flake's `nixConfig`, applied when they are harmless or the user trusts them (manual: "nix flake", "Flake format"). */
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import type { FlakeSetting } from "@firn/flake";
import { isJsonObject, type JsonValue, parseJson, printJson } from "@firn/formats";
import { disk } from "@firn/store";
import { existsSync, mkdirSync, readFileSync } from "@firn/store/files";
import { homeDirectory } from "@firn/store/surroundings";
import type { Session } from "./session.ts";

/** Settings that can do no harm. */
const harmless: ReadonlySet<string> = new Set([
  ...["bash-prompt", "bash-prompt-prefix", "bash-prompt-suffix", "flake-registry"],
  ...["commit-lock-file-summary", "commit-lockfile-summary"],
]);

/** The user's answers for good: by setting, by value, whether it is trusted. */
type Answers = Map<string, Map<string, boolean>>;

/** Applies the settings of a flake to the session; those that are not trusted are named in warnings. */
export async function applyFlakeSettings(
  session: Session,
  nixConfig: ReadonlyMap<string, FlakeSetting>,
): Promise<void> {
  const { settings, progress } = session;
  for (const name of [...nixConfig.keys()].sort()) {
    const value = settingText(nixConfig.get(name)!);
    if (harmless.has(name) || settings.get("accept-flake-config") || (await isTrusted(session, name, value))) {
      settings.set(name, value);
    } else {
      progress.warn(
        `ignoring untrusted flake configuration setting '${name}'.\nPass '--accept-flake-config' to trust it`,
      );
    }
  }
}

function settingText(value: FlakeSetting): string {
  return typeof value === "string" ? value : Array.isArray(value) ? value.join(" ") : String(value);
}

async function isTrusted({ io, progress }: Session, name: string, value: string): Promise<boolean> {
  const file = answersFile(io.env);
  const answers = readAnswers(file);
  const known = answers.get(name)?.get(value);
  if (known !== undefined) {
    if (known)
      progress.event({
        kind: "message",
        level: "notice",
        text: `Using saved setting for '${name} = ${value}' from ~/.local/share/nix/trusted-settings.json.`,
      });
    return known;
  }
  if (!io.terminal || process.stdin.isTTY !== true) return false;
  progress.clear();
  const trusted = await ask(`do you want to allow configuration setting '${name}' to be set to '${value}' (y/N)?`);
  const kind = trusted ? "trusted" : "untrusted";
  if (await ask(`do you want to permanently mark this value as ${kind} (y/N)?`)) {
    answers.set(name, new Map([...(answers.get(name) ?? []), [value, trusted]]));
    writeAnswers(file, answers);
  }
  return trusted;
}

async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} `)).trim().toLowerCase() === "y";
  } finally {
    lines.close();
  }
}

function answersFile(environment: Session["io"]["env"]): string {
  const data = environment.XDG_DATA_HOME;
  const base = data?.startsWith("/") ? data : join(homeDirectory(environment), ".local/share");
  return join(base, "nix/trusted-settings.json");
}

function readAnswers(file: string): Answers {
  const answers: Answers = new Map();
  if (!existsSync(file)) return answers;
  const root = parseJson(readFileSync(file, "latin1"));
  if (!isJsonObject(root)) return answers;
  for (const [name, values] of root) {
    if (!isJsonObject(values)) continue;
    answers.set(
      name,
      new Map([...values].filter((entry): entry is [string, boolean] => typeof entry[1] === "boolean")),
    );
  }
  return answers;
}

function writeAnswers(file: string, answers: Answers): void {
  const root = new Map<string, JsonValue>([...answers].sort(([a], [b]) => (a < b ? -1 : 1)));
  mkdirSync(dirname(file), { recursive: true });
  disk.replaceFile(file, printJson(root));
}
