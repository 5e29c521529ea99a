/** Starts the process that makes an image, after a command for which one would have been worth its time. */
import type { ImageWork } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { machineError, startProgram } from "@firn/store";
import { launcherVariables, ownCommand, processEnvironment } from "@firn/store/surroundings";

/** Starts it and gives it its work; returns when that is done, and the process goes on by itself. Where it cannot start, nothing is made. */
export async function startImage(work: ImageWork): Promise<void> {
  const [program = "", ...own] = ownCommand();
  try {
    const child = startProgram(program, [...own, "__make-image"], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      env: { ...processEnvironment(), ...launcherVariables(), FIRN_ARGV0: "firn" },
    });
    await new Promise<void>((resolve) => {
      child.on("error", () => resolve());
      child.stdin.on("error", () => resolve());
      child.stdin.end(Buffer.from(JSON.stringify(work), "latin1"), () => resolve());
    });
    child.unref();
  } catch (error) {
    if (!(error instanceof FirnError) && machineError(error) === undefined) throw error;
  }
}
