/** Clones of the repositories that inputs are revisions of (manual: "nix flake clone"). */
import { FirnError } from "@firn/formats";
import { existsSync } from "@firn/store/files";
import { cloneRepository } from "./git-program.ts";
import { type Input, requireString, stringAttribute } from "./input.ts";
import { showInput } from "./input-forms.ts";

/** Hosts of the forges, where an input names none. */
const forgeHosts: Readonly<Record<string, string>> = {
  github: "github.com",
  gitlab: "gitlab.com",
  sourcehut: "git.sr.ht",
};

/**
 * Clones the repository of an input into a new directory and checks out its branch or revision. Fails with `exists` when the directory
 * is there, with `usage` when the input is no repository, and with `git`.
 */
export async function cloneInput(input: Input, directory: string): Promise<void> {
  if (existsSync(directory)) throw new FirnError("exists", `cannot clone into existing path "${directory}"`);
  const revision = stringAttribute(input, "rev") ?? stringAttribute(input, "ref");
  await cloneRepository(repositoryUrl(input), directory, revision);
}

function repositoryUrl(input: Input): string {
  const type = requireString(input, "type");
  if (type === "git") return requireString(input, "url").replace(/^git\+/, "");
  const host = stringAttribute(input, "host") ?? forgeHosts[type];
  if (host === undefined) throw new FirnError("usage", `do not know how to clone input '${showInput(input)}'`);
  return `https://${host}/${requireString(input, "owner")}/${requireString(input, "repo")}${type === "sourcehut" ? "" : ".git"}`;
}
