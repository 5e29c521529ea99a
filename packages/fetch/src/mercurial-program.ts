/** Runs the `hg` program: a repository's own configuration is not read, and passwords stay out of its arguments. */

import { join } from "node:path";
import { FirnError, withoutPasswords } from "@firn/formats";
import { disk, withTemporaryDirectory } from "@firn/store";
import { processEnvironment } from "@firn/store/surroundings";
import { checkLogin, type Login } from "./login.ts";
import { type ProgramOutcome, programOutcome, type SourceProgram } from "./source-program.ts";

/** The program `hg`, without the configuration of repositories, which names programs: hooks, extensions, aliases. */
const program: SourceProgram = {
  name: "hg",
  debianPackage: "mercurial",
  environment: { HGPLAIN: "", HGRCSKIPREPO: "1" },
};

/** Runs `hg` and resolves to its standard output. Fails with `hg` and the text of standard error. */
export async function mercurial(args: readonly string[], login?: Login): Promise<Buffer> {
  const { code, stdout, stderr } = await mercurialOutcome(args, login);
  if (code !== 0) throw new FirnError("hg", `hg failed with exit code ${code}:\n${withoutPasswords(stderr.trim())}`);
  return stdout;
}

/** Runs `hg` and resolves to its outcome, also when it failed. */
export async function mercurialOutcome(args: readonly string[], login?: Login): Promise<ProgramOutcome> {
  if (login === undefined) return programOutcome(program, args);
  return withTemporaryDirectory("firn-hg-", (directory) => {
    const file = join(directory, "login.rc");
    disk.replaceFile(file, loginConfiguration(login), { mode: 0o600 });
    const HGRCPATH = [...configurationFiles(processEnvironment()), file].join(":");
    return programOutcome({ ...program, environment: { ...program.environment, HGRCPATH } }, args);
  });
}

/** Returns the places in which hg looks for its configuration by default; `HGRCPATH` replaces them all, so it has to list them. */
function configurationFiles(environment: Readonly<Record<string, string | undefined>>): string[] {
  if (environment.HGRCPATH !== undefined) return [environment.HGRCPATH];
  const system = ["/usr/etc", "/usr/local/etc", "/etc"].map((directory) => `${directory}/mercurial`);
  const home = environment.HOME ?? "";
  const files = system.flatMap((directory) => [`${directory}/hgrc`, `${directory}/hgrc.d`]);
  if (home !== "") files.push(`${home}/.hgrc`);
  const xdg = environment.XDG_CONFIG_HOME ?? (home === "" ? "" : `${home}/.config`);
  if (xdg !== "") files.push(`${xdg}/hg/hgrc`);
  return files;
}

/** Returns a configuration with the password of this server and no other. */
function loginConfiguration(login: Login): string {
  checkLogin(login);
  const { origin, user, password } = login;
  return `[auth]\nfirn.prefix = ${origin}\nfirn.schemes = http https\nfirn.username = ${user}\nfirn.password = ${password}\n`;
}
