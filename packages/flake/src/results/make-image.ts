/** Makes an image of an application, in a process of its own. */
import { setPriority } from "node:os";
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, hasErrorCode } from "@firn/store";
import * as fs from "@firn/store/files";
import { answerImageRequests, imageRequests } from "../evaluator/image-requests.ts";
import type { HostServices } from "../evaluator/services.ts";
import { type ImageWork, imageConfig, imageFile, imagesDirectory, removeOldImages } from "./kept-images.ts";
import { KeptResults, type KeptResultsOptions } from "./kept-results.ts";

/** The surroundings of making an image. */
export interface ImageMaking extends Omit<KeptResultsOptions, "config"> {
  readonly codeDirectory: string;
  readonly services: HostServices;
}

/** Makes an image, unless another process is making one. Returns true when it did. Errors are those of the application. */
export async function makeImage(work: ImageWork, making: ImageMaking): Promise<boolean> {
  const release = takeTurn(making.codeDirectory);
  if (release === undefined) return false;
  try {
    await make(work, making);
    return true;
  } finally {
    release();
    removeOldImages(making.codeDirectory);
  }
}

async function make({ config, application, flakes }: ImageWork, making: ImageMaking): Promise<void> {
  const { services, codeDirectory, ...options } = making;
  const used = imageConfig(config);
  // Answered by what is evaluated now, and kept however long that takes.
  const results = new KeptResults({ ...options, config: used, worthKeeping: 0, isAnswering: false });
  const requests = imageRequests(imageFile(codeDirectory, config, application), config, application);
  await answerImageRequests(requests, { config: used, services, flakes, results });
}

/** Lowers the priority of this process to that of work that nobody waits for. */
export function stepBack(): void {
  try {
    setPriority(19);
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM")) throw error;
  }
}

/** Makes this process the only one that makes images; returns what ends that, or undefined when another one is at it. */
function takeTurn(codeDirectory: string): (() => void) | undefined {
  const directory = imagesDirectory(codeDirectory);
  const lock = join(directory, "making");
  disk.mkdirs(directory, 0o700);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const descriptor = fs.openSync(lock, "wx", 0o600);
      fs.writeSync(descriptor, String(process.pid));
      fs.closeSync(descriptor);
      return () => fs.rmSync(lock, { force: true });
    } catch (error) {
      if (!hasErrorCode(error, "EEXIST")) throw error;
      if (isRunning(lock)) return undefined;
      fs.rmSync(lock, { force: true });
    }
  }
  return undefined;
}

/** Tells whether the process that has a lock is there. */
function isRunning(lock: string): boolean {
  try {
    const pid = Number(fs.readFileSync(lock, "latin1"));
    // One that was made a moment ago may not have its number yet.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrorCode(error, "ESRCH", "ENOENT");
  }
}

/** Reads the work of a process that makes an image, as `KeptImages` writes it. Error `bad-input`. */
export function readImageWork(text: string): ImageWork {
  try {
    return JSON.parse(text) as ImageWork;
  } catch (error) {
    throw new FirnError("bad-input", "the work of making an image cannot be read", { cause: error });
  }
}
