/** The file with the profile of an evaluation (manual: setting `eval-profile-file`). */
import { bytesOf } from "@firn/formats";
import { machineError } from "@firn/store";
import { writeFileSync } from "@firn/store/files";

/** Writes folded stacks, a byte string, to a file. Error `system-error` when that cannot be written. */
export function writeProfile(file: string, stacks: string): void {
  try {
    writeFileSync(file, bytesOf(stacks));
  } catch (error) {
    throw machineError(error, `cannot write the profile to '${file}'`) ?? error;
  }
}
