/** Machines of a configuration, built in the store of the tests and booted from it in a container. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { bootContainer, type CommandResult, type Container } from "@firn/system";
import { expect } from "vitest";
import { checkout, makeSystemsPlace } from "./build-systems.ts";
import { type Place, runProgram } from "./run-firn.ts";

/** A machine that runs. */
export interface ContainerMachine {
  readonly place: Place;
  readonly container: Container;
  /** Runs a command of the shell inside, as root. */
  run(command: string): Promise<CommandResult>;
  /** Runs a command of the shell inside that has to succeed; returns its output. */
  out(command: string): Promise<string>;
  /** Ends it and removes all but the store. */
  remove(): Promise<void>;
}

/**
 * Builds the configuration in a directory (`configuration.nix` and what lies beside it) and boots the system; all units have to
 * start. `prepare` changes the copy of the directory that is built.
 */
export async function bootConfiguration(
  directory: string,
  prepare: (copy: string, place: Place) => Promise<void> = async () => undefined,
): Promise<ContainerMachine> {
  const place = makeSystemsPlace();
  const copy = join(place.directory, "work/machine");
  mkdirSync(copy, { recursive: true });
  cpSync(directory, copy, { recursive: true });
  await prepare(copy, place);
  const root = join(place.directory, "root");
  const expression = `(import ${checkout}os/eval-config.nix { modules = [ ${copy}/configuration.nix ]; }).config.system.build.toplevel`;
  const args = ["build", "--impure", "--expr", expression, "--no-link", "--print-out-paths"];
  const built = await runProgram(args, { cwd: place.directory, env: place.environment });
  if (built.code !== 0) throw new Error(built.err);
  // The store is read-only to the machine, so that the very store of the tests serves.
  const container = await bootContainer({ system: built.out.trim(), root, realStore: join(place.store, "nix/store") });
  const run = (command: string): Promise<CommandResult> => container.run(["bash", "-c", command]);
  const state = await container.booted(120).catch(async (error: unknown) => {
    await container.kill();
    throw error;
  });
  if (state !== "running") {
    const { out } = await run(
      "journalctl -b -p warning -o cat; for unit in $(systemctl --failed --no-legend --plain | cut -d' ' -f1); do systemctl status -n 40 $unit; done",
    );
    await container.kill();
    throw new Error(`the machine is ${state}:\n${out}`);
  }
  return {
    place,
    container,
    run,
    out: async (command) => {
      const { code, out, err } = await run(command);
      expect([command, code, code === 0 ? "" : err]).toEqual([command, 0, ""]);
      return out.trim();
    },
    remove: async () => {
      await container.kill();
      place.remove();
    },
  };
}
