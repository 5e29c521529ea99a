import { join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { runProgramSync } from "@firn/store";
import { existsSync } from "@firn/store/files";
import type { OsConfiguration } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { chooseConfiguration, configurationFlags } from "../systems/configuration.ts";

/** `firn os edit`: opens the configuration in the editor. */
export const command: Command = {
  positionals: [{ label: "configuration", optional: true }],
  flags: configurationFlags,
  async run(invocation, io) {
    const file = fileOf(chooseConfiguration(invocation, io, invocation.positionals[0]), io.cwd);
    if (!existsSync(file))
      throw new FirnError("no-configuration", `cannot find the configuration: '${file}' does not exist`);
    const [program = "nano", ...args] = editorWords(io.env);
    const { status, error } = runProgramSync(program, [...args, file], { stdio: "inherit", env: { ...io.env } });
    if (error !== undefined)
      throw new FirnError("program-failed", `executing '${program}': ${error.message}`, { cause: error });
    return status ?? 1;
  },
};

function fileOf(configuration: OsConfiguration, cwd: string): string {
  switch (configuration.kind) {
    case "flake": {
      const reference = configuration.reference.replace(/^path:/, "").replace(/\?dir=/, "/");
      if (/^[a-z+]+:/.test(reference)) {
        throw new FirnError("usage", `'${reference}' is not on this machine`, { hint: "edit a copy of that flake" });
      }
      const directory = resolve(cwd, reference);
      // What one wants to change is the configuration, where the flake keeps it beside itself.
      const module = join(directory, "configuration.nix");
      return existsSync(module) ? module : join(directory, "flake.nix");
    }
    case "file":
    case "module":
      return configuration.path;
    case "search-path":
      return "/etc/nixos/configuration.nix";
  }
}

function editorWords(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env.VISUAL ?? env.EDITOR ?? "nano").split(" ").filter((word) => word !== "");
}
