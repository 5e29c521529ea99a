/** Runs the command line as an ordinary user of the machine, for tests that are started by root. */
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { checkout } from "../support/build-systems.ts";
import { main } from "../support/program.ts";
import type { Outcome } from "../support/run-firn.ts";

/** A user id that belongs to nobody. */
export const ordinaryUser = 54321;

/** Where the checkout is mounted for the user, who may not be able to enter the directories above it. */
const MOUNTED = "/mnt";
const SCRIPT = `mount --bind "$1" ${MOUNTED} || exit 1
user=$2
shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"`;

/** Runs `firn ARGS`. Needs root. */
export function asOrdinaryUser(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Outcome {
  const node = process.execPath.startsWith(checkout)
    ? `${MOUNTED}/${relative(checkout, process.execPath)}`
    : process.execPath;
  const firn = [node, "--disable-warning=ExperimentalWarning", `${MOUNTED}/${relative(checkout, main)}`, ...args];
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", checkout, String(ordinaryUser), ...firn],
    { ...options, encoding: "utf8", maxBuffer: 1 << 26 },
  );
  return { code: status ?? 128, out: stdout, err: stderr };
}
