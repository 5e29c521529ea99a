import { join } from "node:path";
import { hasErrorCode, isMachineStore } from "@firn/store";
import { existsSync, readdirSync, readlinkSync, realpathSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { openQueriedStore } from "../session/queried-store.ts";
import { withReadingSession } from "../session/session.ts";
import { serverFacts } from "./store-info.ts";

/** `firn config check`: looks for problems of the machine and tells the result of each check. */
export const command: Command = {
  positionals: [],
  flags: [],
  run: (invocation, io) =>
    withReadingSession(invocation, io, async (session) => {
      const store = await openQueriedStore(session);
      try {
        const local = isMachineStore(store);
        io.out(`Running checks against store uri: ${store.uri}\n`);
        const checks = [oneNix(io.env.PATH)];
        if (local) checks.push(profilesAreRoots(io.env.PATH, store.location.stateDir));
        for (const { passed, text } of checks) io.out(`[${passed ? "PASS" : "FAIL"}] ${text}\n`);
        io.out("[PASS] Client protocol matches store protocol.\n");
        io.out(`[INFO] ${trustText(store.uri, (await serverFacts(store)).trusted)}\n`);
        return checks.every(({ passed }) => passed) ? 0 : 2;
      } finally {
        await store.close();
      }
    }),
};

function trustText(uri: string, trusted: boolean | undefined): string {
  if (trusted === undefined) return `The store uri ${uri} doesn't have a notion of trusted user`;
  return trusted ? `You are trusted by store uri: ${uri}` : `You are not trusted by store uri: ${uri}`;
}

interface CheckResult {
  readonly passed: boolean;
  readonly text: string;
}

/** Checks that the search path leads to one Nix only. */
function oneNix(path = ""): CheckResult {
  const found = new Set<string>();
  for (const directory of path.split(":")) {
    const program = join(directory, "nix-env");
    if (directory !== "" && existsSync(program)) found.add(join(realpathSync(program), ".."));
  }
  if (found.size < 2) return { passed: true, text: "PATH contains only one nix version." };
  return { passed: false, text: `Multiple versions of nix found in PATH:\n${listed(found)}` };
}

/** Checks that profiles on the search path are links that keep paths alive. */
function profilesAreRoots(path = "", stateDir: string): CheckResult {
  const profiles = join(stateDir, "profiles");
  const stray = new Set<string>();
  for (const directory of path.split(":")) {
    const profile = join(directory, "..");
    if (directory === "" || !existsSync(join(profile, "manifest.nix"))) continue;
    if (!leadsThrough(profile, profiles) && !isRoot(profile, join(stateDir, "gcroots/auto"))) stray.add(profile);
  }
  if (stray.size === 0) return { passed: true, text: "All profiles are gcroots." };
  const advice =
    "The generation this profile points to might not have a gcroot and could be\ngarbage collected, resulting in broken symlinks.";
  return { passed: false, text: `Found profiles outside of ${profiles}.\n${advice}\n\n${listed(stray)}` };
}

function listed(paths: ReadonlySet<string>): string {
  return [...paths]
    .sort()
    .map((path) => `  ${path}\n`)
    .join("");
}

function leadsThrough(link: string, directory: string): boolean {
  let current = link;
  for (let links = 0; links < 40; links++) {
    if (current.startsWith(`${directory}/`)) return true;
    try {
      current = join(current, "..", readlinkSync(current));
    } catch (error) {
      if (hasErrorCode(error, "EINVAL", "ENOENT", "ENOTDIR")) return false;
      throw error;
    }
  }
  return false;
}

function isRoot(profile: string, directory: string): boolean {
  if (!existsSync(directory)) return false;
  return readdirSync(directory).some((name) => readlinkSync(join(directory, name)).startsWith(profile));
}
