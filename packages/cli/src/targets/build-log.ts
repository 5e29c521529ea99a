/** Logs of builds, as they were kept. */
import { createReadStream, existsSync } from "node:fs";
import { logFile } from "@firn/build";
import { decompress, type LocalStore } from "@firn/store";

/** The log of a derivation's last build here; undefined when none was kept. */
export function buildLog(store: LocalStore, drvPath: string): AsyncIterable<Uint8Array> | undefined {
  for (const suffix of ["", ".bz2"]) {
    const file = Buffer.from(`${logFile(store, drvPath)}${suffix}`, "latin1");
    if (existsSync(file)) return decompress(createReadStream(file), suffix === "" ? "none" : "bzip2");
  }
  return undefined;
}
