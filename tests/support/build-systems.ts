/** Builds systems of the checkout for tests, in a store of the tests' own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debMirrors, loadSettings } from "@firn/store";
import { makePlace, type Place, runProgram } from "./run-firn.ts";

/** The checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** Whether systems can be built and booted in containers here: the Debian mirror is known, and this is root. */
export const canBootContainers =
  process.getuid?.() === 0 && debMirrors(loadSettings()).some((mirror) => mirror.archive === "debian");

/** A place whose store stays with the checkout, so that the packages of Debian are fetched and unpacked once for all tests. */
export function makeSystemsPlace(): Place {
  const place = makePlace();
  const store = join(checkout, "node_modules/.cache/test-systems");
  return { ...place, store, environment: { ...place.environment, NIX_REMOTE: store } };
}

/** Makes a key pair of ssh without a passphrase; returns the path of the public one. */
export function makeKey(directory: string): string {
  mkdirSync(directory, { recursive: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
  return join(directory, "key.pub");
}

/**
 * Builds systems in one go: modules (Nix text, taken together with the example's configuration) by name. Returns their store
 * paths.
 */
export async function buildSystems(
  place: Place,
  modules: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const example = join(checkout, "examples/media-server/configuration.nix");
  const systems = Object.entries(modules).map(
    ([name, module]) =>
      `${name} = (import ${checkout}os/eval-config.nix { modules = [ ${example} (${module}) ]; }).config.system.build.toplevel;`,
  );
  const work = join(place.directory, "work");
  writeFileSync(join(work, "systems.nix"), `{\n${systems.join("\n")}\n}\n`);
  const args = ["build", "--impure", "-f", "systems.nix", ...Object.keys(modules), "--no-link", "--print-out-paths"];
  const built = await runProgram(args, { cwd: work, env: place.environment });
  if (built.code !== 0) throw new Error(built.err);
  const paths = built.out.trim().split("\n");
  return Object.fromEntries(Object.keys(modules).map((name, i) => [name, paths[i] ?? ""]));
}
