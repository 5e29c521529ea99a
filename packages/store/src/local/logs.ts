/** Logs of builds on disk, as builders keep them. */
import { storePathBaseName } from "@firn/formats";
import { disk } from "../fs/disk.ts";
import { createReadStream, existsSync } from "../fs/files.ts";
import type { StoreLocation } from "../store/location.ts";
import { compress, decompress } from "../substitute/compression.ts";

/** Returns the path of a derivation's log, without a compression suffix. */
export function logFile(location: StoreLocation, drvPath: string): string {
  const name = storePathBaseName(drvPath);
  return `${location.logDir}/drvs/${name.slice(0, 2)}/${name.slice(2)}`;
}

/** Returns the log of a derivation's last build; undefined when none was kept. */
export function readBuildLog(location: StoreLocation, drvPath: string): AsyncIterable<Uint8Array> | undefined {
  for (const suffix of ["", ".bz2"]) {
    const file = `${logFile(location, drvPath)}${suffix}`;
    if (existsSync(file)) return decompress(createReadStream(file), suffix === "" ? "none" : "bzip2");
  }
  return undefined;
}

/** Keeps a log of a derivation's build, compressed, unless there is one. */
export async function writeBuildLog(
  location: StoreLocation,
  drvPath: string,
  log: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = logFile(location, drvPath);
  if (existsSync(file) || existsSync(`${file}.bz2`)) return;
  const parts: Uint8Array[] = [];
  for await (const chunk of compress(log, "bzip2")) parts.push(chunk);
  disk.mkdirs(file.slice(0, file.lastIndexOf("/")));
  disk.replaceFile(`${file}.bz2`, Buffer.concat(parts));
}
