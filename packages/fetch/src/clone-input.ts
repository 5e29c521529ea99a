/** Clones of the repositories that inputs are revisions of (manual: "nix flake clone"). */
import { FirnError } from "@firn/formats";
import { dumpPath, removePath, restorePath } from "@firn/store";
import { existsSync } from "@firn/store/files";
import type { FetchContext } from "./context.ts";
import { fetchInput } from "./fetch-input.ts";
import { cloneRepository } from "./git-program.ts";
import { type Input, requireString, stringAttribute } from "./input.ts";

/** Hosts of the forges, where an input names none. */
const forgeHosts: Readonly<Record<string, string>> = {
  github: "github.com",
  gitlab: "gitlab.com",
  sourcehut: "git.sr.ht",
};

/**
 * Clones the repository of an input into a new directory and checks out its branch or revision; copies the tree of an input that is no
 * repository. Fails with `exists` when the directory is there, with `git`, and as fetching does.
 */
export async function cloneInput(
  input: Input,
  { directory, shown, context }: { readonly directory: string; readonly shown: string; readonly context: FetchContext },
): Promise<void> {
  if (existsSync(directory)) throw new FirnError("exists", `cannot clone into existing path "${shown}"`);
  const url = repositoryUrl(input);
  if (url !== undefined) {
    try {
      await cloneRepository(url, directory, stringAttribute(input, "rev") ?? stringAttribute(input, "ref"));
    } catch (error) {
      // What was cloned without its branch or revision is of no use.
      removePath(directory);
      throw error;
    }
    return;
  }
  const { storePath } = await fetchInput(input, context);
  await restorePath(directory, dumpPath(context.store.realPath(storePath)));
}

function repositoryUrl(input: Input): string | undefined {
  const type = requireString(input, "type");
  if (type === "git") return requireString(input, "url").replace(/^git\+/, "");
  const host = stringAttribute(input, "host") ?? forgeHosts[type];
  if (host === undefined) return undefined;
  return `https://${host}/${requireString(input, "owner")}/${requireString(input, "repo")}${type === "sourcehut" ? "" : ".git"}`;
}
