import { join, resolve } from "node:path";
import { FirnError } from "@firn/formats";
import { startProgram } from "@firn/store";
import { existsSync, readlinkSync } from "@firn/store/files";
import { bootContainer, type Container, hasUplink } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";

/** `firn os enter`: boots an installed system in a container and runs a command, by default a shell, inside. */
export const command: Command = {
  positionals: [{ label: "command", optional: true, repeats: true }],
  flags: [
    { name: "root", labels: ["directory"], description: "The directory of the installed system. It defaults to /mnt." },
    { name: "system", labels: ["path"], description: "Store path of the system; by default its current generation." },
    { name: "timeout", labels: ["seconds"], description: "How long the start may take. It defaults to 90 seconds." },
    {
      name: "network",
      labels: ["kind"],
      description:
        "'uplink' (default where slirp4netns is installed) leads out through this machine; 'own' has nothing but the machine itself; 'host' lets it use this machine's network.",
    },
    { name: "console", description: "Show what the system writes to its console." },
  ],
  async run({ flags, positionals: words }, io) {
    const timeout = flags.value("timeout") ?? "90";
    if (!/^[1-9][0-9]{0,5}$/.test(timeout)) throw new UsageError(`'${timeout}' is not a number of seconds`);
    const network = flags.value("network") ?? (hasUplink() ? "uplink" : "own");
    if (network !== "own" && network !== "uplink" && network !== "host") {
      throw new UsageError(`'${network}' is not 'uplink', 'own' or 'host'`);
    }
    const root = resolve(io.cwd, flags.value("root") ?? "/mnt");
    const realStore = join(root, "nix/store");
    const container = await bootContainer({
      system: flags.value("system") ?? currentSystem(root),
      root,
      realStore,
      network,
      ...(flags.has("console") ? { console: (text: string) => io.err(text) } : {}),
    });
    try {
      const state = await container.booted(Number(timeout));
      if (state !== "running") {
        io.err(`warning: the system is ${state}; see 'systemctl --failed'\n`);
      }
      return await runInside(container, words.length > 0 ? words : ["/usr/bin/bash", "-l"]);
    } finally {
      await container.stop();
    }
  },
};

/** Returns the system that the profile below a root names. */
function currentSystem(root: string): string {
  const profile = join(root, "nix/var/nix/profiles/system");
  if (!existsSync(join(root, "nix/store"))) {
    throw new FirnError("container", `there is no installed system in '${root}'`, {
      hint: "make one with 'firn os build-image --container' or 'firn os install'",
    });
  }
  const generation = readlinkSync(profile, "latin1");
  return readlinkSync(join(root, "nix/var/nix/profiles", generation), "latin1");
}

function runInside(container: Container, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const [program = "", ...args] = container.command(command);
    const child = startProgram(program, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
