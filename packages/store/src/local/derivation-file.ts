/** Derivations in the files of a store. */
import { type Derivation, FirnError, parseDerivation, storePathName } from "@firn/formats";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";

/** Reads the derivation at a store path from its file; error `invalid-path` when there is no file, those of derivations. */
export function readDerivationFile(
  path: string,
  { file, storeDir }: { readonly file: string; readonly storeDir: string },
): Derivation {
  let text: string;
  try {
    text = fs.readFileSync(file, "latin1");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    throw error;
  }
  try {
    return parseDerivation(text, storePathName(path).slice(0, -".drv".length), storeDir);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    throw new FirnError(error.code, `error parsing derivation '${path}': ${error.message}`, { cause: error });
  }
}
