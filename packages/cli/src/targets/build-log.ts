/** Logs of builds, as they were kept. */

import { logFile } from "@firn/build";
import { decompress, type LocalStore } from "@firn/store";
import { createReadStream, existsSync } from "@firn/store/files";

/** The log of a derivation's last build here; undefined when none was kept. */
export function buildLog(store: LocalStore, drvPath: string): AsyncIterable<Uint8Array> | undefined {
  for (const suffix of ["", ".bz2"]) {
    const file = Buffer.from(`${logFile(store, drvPath)}${suffix}`, "latin1");
    if (existsSync(file)) return decompress(createReadStream(file), suffix === "" ? "none" : "bzip2");
  }
  return undefined;
}
