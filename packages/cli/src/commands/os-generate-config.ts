import { join, resolve } from "node:path";
import { existsSync, mkdirSync, writeFileSync } from "@firn/store/files";
import { detectHardware, firstConfiguration, firstFlake, hardwareConfiguration } from "@firn/system";
import type { Command } from "../grammar/command.ts";

/** The value of `system.stateVersion` for new machines. */
const stateVersion = "26.11";

/** `firn os generate-config`: writes a first configuration for this machine. */
export const command: Command = {
  positionals: [],
  flags: [
    { name: "root", labels: ["directory"], description: "Where the new machine's file systems are mounted." },
    {
      name: "dir",
      labels: ["directory"],
      description: "Where to write, relative to the root. It defaults to /etc/nixos.",
    },
    { name: "force", description: "Also write a configuration.nix that exists anew." },
    { name: "flake", description: "Also write a flake.nix." },
    { name: "no-filesystems", description: "Leave out file systems and swap." },
    { name: "show-hardware-config", description: "Print hardware-configuration.nix and write nothing." },
  ],
  async run({ flags }, io) {
    const root = flags.value("root") === undefined ? "" : resolve(io.cwd, flags.value("root") ?? "");
    const hardware = detectHardware({ root });
    const generated = hardwareConfiguration(hardware, { fileSystems: !flags.has("no-filesystems") });
    if (flags.has("show-hardware-config")) {
      io.out(generated);
      return 0;
    }
    const directory = join(root, resolve("/", flags.value("dir") ?? "/etc/nixos"));
    mkdirSync(directory, { recursive: true });
    const write = (name: string, text: string): void => {
      const file = join(directory, name);
      io.err(`writing ${file}...\n`);
      writeFileSync(file, text);
    };
    write("hardware-configuration.nix", generated);
    if (flags.has("force") || !existsSync(join(directory, "configuration.nix"))) {
      write("configuration.nix", firstConfiguration(hardware, stateVersion));
    } else io.err("warning: not overwriting existing configuration.nix\n");
    if (flags.has("flake") && (flags.has("force") || !existsSync(join(directory, "flake.nix")))) {
      // The registry knows the set that comes with Firn by this name.
      write("flake.nix", firstFlake("deb"));
    }
    return 0;
  },
};
