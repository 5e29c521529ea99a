/** Builds systems of the checkout for tests, in a store of the tests' own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debMirrors } from "@firn/build";
import { loadSettings } from "@firn/store";
import { type Place, runProgram } from "../cli/run-firn.ts";

/** The checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** Whether systems can be built and booted in containers here: the Debian mirror is known, and this is root. */
export const canBootContainers =
  process.getuid?.() === 0 && debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");

/** What of the checkout a system is built from. */
const parts = [
  "os",
  "examples",
  "scripts",
  "packages",
  "package.json",
  "package-lock.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
];

/** A copy of the checkout to build from, without what is not part of it. */
export function copyCheckout(place: Place): string {
  const work = join(place.directory, "work");
  for (const part of parts) {
    cpSync(join(checkout, part), join(work, part), {
      recursive: true,
      filter: (path) => !path.endsWith("/node_modules"),
    });
  }
  return work;
}

/** Makes a key pair of ssh without a passphrase; returns the path of the public one. */
export function makeKey(directory: string): string {
  mkdirSync(directory, { recursive: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
  return join(directory, "key.pub");
}

/** Builds systems: modules (Nix text, beside the example's configuration) by name. Returns their store paths. */
export async function buildSystems(
  place: Place,
  work: string,
  modules: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const systems = Object.entries(modules).map(
    ([name, module]) =>
      `${name} = (import ./os/eval-config.nix { modules = [ ./examples/media-server/configuration.nix (${module}) ]; }).config.system.build.toplevel;`,
  );
  writeFileSync(join(work, "systems.nix"), `{\n${systems.join("\n")}\n}\n`);
  const args = [
    "build",
    "--impure",
    "-f",
    join(work, "systems.nix"),
    ...Object.keys(modules),
    "--no-link",
    "--print-out-paths",
  ];
  const built = await runProgram(args, { cwd: work, env: place.environment });
  if (built.code !== 0) throw new Error(built.err);
  const paths = built.out.trim().split("\n");
  return Object.fromEntries(Object.keys(modules).map((name, i) => [name, paths[i] ?? ""]));
}
