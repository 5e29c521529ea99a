import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { debianSetDirectory } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { firstConfiguration, firstFlake, hardwareConfiguration, inspectMachine } from "@firn/system";
import type { Command } from "../grammar/command.ts";

/** `firn os generate-config`: writes a first configuration from what is seen of the machine. */
export const command: Command = {
  positionals: [],
  flags: [
    {
      name: "root",
      labels: ["directory"],
      description: "Where the machine's file systems are mounted. It defaults to /.",
    },
    { name: "dir", labels: ["directory"], description: "Where to write, instead of etc/nixos below the root." },
    { name: "force", description: "Write configuration.nix anew even when it exists." },
    { name: "no-filesystems", description: "Leave file systems and swap out." },
    { name: "show-hardware-config", description: "Print hardware-configuration.nix and write nothing." },
    { name: "flake", description: "Write a flake.nix as well." },
  ],
  async run({ flags }, io) {
    const root = resolve(io.cwd, flags.value("root") ?? "/");
    const directory = resolve(io.cwd, flags.value("dir") ?? join(root, "etc/nixos"));
    const facts = inspectMachine(root);
    const hardware = hardwareConfiguration(facts, { fileSystems: !flags.has("no-filesystems") });
    if (flags.has("show-hardware-config")) {
      io.out(hardware);
      return 0;
    }
    if (!existsSync(root)) throw new FirnError("not-found", `the directory '${root}' does not exist`);
    mkdirSync(directory, { recursive: true });
    const write = (name: string, text: string, anew: boolean): void => {
      const path = join(directory, name);
      if (!anew && existsSync(path)) {
        io.err(`warning: not overwriting existing '${path}'\n`);
        return;
      }
      io.err(`writing '${path}'...\n`);
      writeFileSync(path, text);
    };
    write("hardware-configuration.nix", hardware, true);
    write("configuration.nix", firstConfiguration(facts), flags.has("force"));
    if (flags.has("flake")) write("flake.nix", firstFlake(facts, debianSetDirectory() ?? "."), flags.has("force"));
    return 0;
  },
};
