/** The environment of a program that a command starts, after its environment flags. */
import type { Invocation, ParsedFlags } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Applies `--ignore-env`, `--keep-env-var`, `--unset-env-var` and `--set-env-var` to an environment. */
export function programEnvironment({ flags }: Invocation, inherited: Environment): Environment {
  const keep = flags.all("keep-env-var").map(([name]) => name ?? "");
  const unset = flags.all("unset-env-var").map(([name]) => name ?? "");
  if (keep.length > 0 && !flags.has("ignore-env")) {
    throw new UsageError("--keep-env-var does not make sense without --ignore-env");
  }
  if (unset.length > 0 && flags.has("ignore-env")) {
    throw new UsageError("--unset-env-var does not make sense with --ignore-env");
  }
  const result: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (flags.has("ignore-env") ? keep.includes(name) : !unset.includes(name)) result[name] = value;
  }
  for (const [name = "", value = ""] of flags.all("set-env-var")) result[name] = value;
  return result;
}

/** Refuses flags that set a variable twice, or set and unset it; commands do so before anything else. */
export function refuseContradictions(flags: ParsedFlags): void {
  const set = new Set<string>();
  const unset = new Set<string>();
  for (const flag of flags.ordered("set-env-var", "unset-env-var")) {
    const [name = ""] = flag.values;
    if (flag.name === "unset-env-var") {
      if (set.has(name))
        throw new UsageError(`Cannot unset environment variable '${name}' that is set with '--set-env-var'`);
      unset.add(name);
      continue;
    }
    if (unset.has(name))
      throw new UsageError(`Cannot set environment variable '${name}' that is unset with '--unset-env-var'`);
    if (set.has(name))
      throw new UsageError(`Duplicate definition of environment variable '${name}' with '--set-env-var' is ambiguous`);
    set.add(name);
  }
}
