/** Root for single programs, as nixos-rebuild has it for its `--elevate`. */

/** A way to become root: not at all, by sudo with more words of its own, or by systemd's `run0`. */
export type Elevation =
  | { readonly kind: "none" }
  | { readonly kind: "sudo"; readonly words: readonly string[]; readonly password?: string }
  | { readonly kind: "run0" };

/** The variables of a program: those that it inherits, and those that it is given. */
interface Variables {
  readonly keep?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The command of `run0` where nobody can be asked; variables are given one by one. */
const unitAsRoot = [
  "systemd-run",
  "--uid=0",
  "--pipe",
  "--quiet",
  "--wait",
  "--collect",
  "--service-type=exec",
  "--send-sighup",
];

const sudo = (elevation: Elevation & { readonly kind: "sudo" }): readonly string[] => [
  "sudo",
  ...(elevation.password === undefined ? [] : ["--prompt=", "--stdin"]),
  ...elevation.words,
];

/** Returns the standard input of a program that runs as root: the password first, when sudo is given one. */
export function elevatedInput(elevation: Elevation, input: string | undefined): string | undefined {
  if (elevation.kind !== "sudo" || elevation.password === undefined) return input;
  return `${elevation.password}\n${input ?? ""}`;
}

/** Returns the command that runs a program on this machine as root, with exactly these variables. */
export function elevatedHere(
  elevation: Elevation,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  if (elevation.kind === "none") return argv;
  const variables = Object.entries(environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const command = variables.length === 0 ? argv : ["env", "-i", ...variables, ...argv];
  return elevation.kind === "sudo" ? [...sudo(elevation), ...command] : ["run0", "--", ...command];
}

/**
 * Returns the command that runs a program in a login by ssh: with the chosen variables of that login and those that are given, no others,
 * and as root when it has to be.
 */
export function elevatedThere(
  elevation: Elevation,
  argv: readonly string[],
  { keep = [], environment = {} }: Variables,
): readonly string[] {
  const kept = ["PATH", ...keep.filter((name) => name !== "PATH")];
  if (elevation.kind === "run0") {
    const variables = [
      ...kept.map((name) => `--setenv=${name}="\${${name}-}"`),
      ...Object.entries(environment).map(([name, value]) => `--setenv=${quoted(`${name}=${value}`)}`),
    ];
    return ["/bin/sh", "-c", `exec ${unitAsRoot.join(" ")} ${variables.join(" ")} -- "$@"`, "sh", ...argv];
  }
  const assignments = [
    ...kept.map((name) => `${name}="\${${name}-}"`),
    ...Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`),
  ];
  const prefix = elevation.kind === "sudo" ? sudo(elevation) : [];
  return [...prefix, "/bin/sh", "-c", `exec /usr/bin/env -i ${assignments.join(" ")} "$@"`, "sh", ...argv];
}

/** Quotes a word for a shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
