/** The machines of the setting `builders` (manual: "Remote Builds"). */
import { FirnError } from "@firn/formats";
import { hasErrorCode, type Settings } from "@firn/store";
import * as fs from "@firn/store/files";

/** A machine that builds for this one. */
export interface Machine {
  /** The URL of its store, as it is named in messages and in the names of locks. */
  readonly uri: string;
  /** Systems that it builds for. */
  readonly systems: readonly string[];
  /** The file of the private key to log in with. */
  readonly sshKey: string | undefined;
  /** Number of builds that it does at a time. */
  readonly maxJobs: number;
  /** Its speed beside that of the other machines. */
  readonly speedFactor: number;
  readonly supportedFeatures: readonly string[];
  /** Features without which it takes no derivation. */
  readonly mandatoryFeatures: readonly string[];
  /** Its public key, in base 64. */
  readonly hostKey: string | undefined;
}

/** The needs of a derivation. */
export interface Needs {
  readonly system: string;
  readonly features: readonly string[];
}

/** Tells whether a machine can build a derivation with such needs. */
export function suits(machine: Machine, { system, features }: Needs): boolean {
  const has = new Set([...machine.supportedFeatures, ...machine.mandatoryFeatures]);
  return (
    (system === "builtin" || machine.systems.includes(system)) &&
    features.every((feature) => has.has(feature)) &&
    machine.mandatoryFeatures.every((feature) => features.includes(feature))
  );
}

/** Splits the text of the setting, and the files that it names with `@`, into one entry for each machine. */
function expand(text: string): string[] {
  const entries = text.split("\n").flatMap((line) => line.replace(/#.*/s, "").split(";"));
  return entries.flatMap((entry) => {
    const trimmed = entry.trim();
    if (trimmed === "") return [];
    if (!trimmed.startsWith("@")) return [trimmed];
    try {
      return expand(fs.readFileSync(trimmed.slice(1).trim(), "latin1"));
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
      return [];
    }
  });
}

function bad(message: string): FirnError {
  return new FirnError("bad-machine", `bad machine specification: ${message}`);
}

/** Makes the URL of a machine from what stands in its first column: a name without a scheme is one for ssh. */
function machineUri(text: string): string {
  const complete = text.includes("/") || /^(?:auto|daemon|local)?(?:\?|$)/.test(text);
  return complete ? text : `ssh://${text}`;
}

function parseMachine(line: string, settings: Settings): Machine {
  const columns = line.split(/\s+/);
  const column = (index: number): string | undefined => {
    const text = columns[index];
    return text === undefined || text === "-" ? undefined : text;
  };
  const list = (index: number): readonly string[] => (column(index) ?? "").split(",").filter((word) => word !== "");
  const number = (index: number, pattern: RegExp, type: string): number => {
    const text = column(index);
    if (text === undefined) return 1;
    if (pattern.test(text)) return Number(text);
    throw bad(`failed to convert column #${index} in a row: '${line}' to '${type}'`);
  };
  const store = column(0);
  if (store === undefined) throw bad(`store URL was not found at the first column of a row: '${line}'`);
  const speedFactor = number(4, /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/, "float");
  if (speedFactor < 0) throw new FirnError("bad-machine", "speed factor must be >= 0");
  const hostKey = column(7);
  if (hostKey !== undefined && !/^[A-Za-z0-9+/]+=*$/.test(hostKey)) {
    throw new FirnError("bad-machine", "invalid character in Base64 string", {
      trace: [{ message: `while parsing machine specification at a column #7 in a row: '${line}'` }],
    });
  }
  const systems = list(1);
  return {
    uri: machineUri(store),
    systems: column(1) === undefined ? [settings.get("system")] : systems,
    sshKey: column(2),
    maxJobs: number(3, /^\d{1,9}$/, "unsigned int"),
    speedFactor: speedFactor === 0 ? 1 : speedFactor,
    supportedFeatures: list(5),
    mandatoryFeatures: list(6),
    hostKey,
  };
}

/** Reads the setting `builders`, with the files that it names; one that is not there has no machines. Error `bad-setting`. */
export function readMachines(settings: Settings): Machine[] {
  return expand(settings.get("builders")).map((line) => parseMachine(line, settings));
}
