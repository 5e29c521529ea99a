/** Removal of old generations from all profiles of a directory. */
import { join } from "node:path";
import { hasErrorCode } from "@firn/store";
import { accessSync, constants, lstatSync, readdirSync, readlinkSync } from "@firn/store/files";
import { deleteGenerations, type GenerationChoice } from "./generations.ts";

/** Receives what is removed: the profile first, then each of its generations. */
export interface CleanReport {
  profile(path: string): void;
  generation(number: number): void;
}

/** Deletes generations of every profile in a directory and those below it; what this user may not change is left out. */
export async function cleanProfiles(
  directory: string,
  choice: GenerationChoice,
  options: { readonly dryRun: boolean; readonly report: CleanReport },
): Promise<void> {
  if (!permits(directory, constants.R_OK)) return;
  const changes = permits(directory, constants.W_OK);
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) await cleanProfiles(path, choice, options);
    if (stat?.isSymbolicLink() !== true || !changes || !readlinkSync(path).includes("link")) continue;
    options.report.profile(path);
    await deleteGenerations(path, choice, {
      dryRun: options.dryRun,
      report: (number) => options.report.generation(number),
    });
  }
}

function permits(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR")) throw error;
    return false;
  }
}
