/**
 * Images of what evaluations have in common, such as `import nixpkgs { … }`. An image is made by a process of its own, which evaluates nothing but that
 * application; what it has read is kept as for an answer, and the image is used while nothing of it has changed.
 */
import { hash } from "node:crypto";
import { join } from "node:path";
import type { ImageApplication } from "@firn/language";
import { disk, machineError } from "@firn/store";
import * as fs from "@firn/store/files";
import type { ImagesOfEvaluation, WantedImage } from "../evaluator/client.ts";
import { imageRequests } from "../evaluator/image-requests.ts";
import type { HostConfig } from "../evaluator/node-host.ts";
import type { Reads } from "../evaluator/reads.ts";
import { lastRunWasLong } from "../evaluator/worker-start.ts";
import type { KeptReads } from "./kept-reads.ts";
import { KeptResults, type KeptResultsOptions } from "./kept-results.ts";

/** Milliseconds that an evaluation takes at least for an image of it to be made. */
const worthAnImage = 1500;
/** Numbers of images and of their bytes that are kept at most. */
const mostImages = 4;
const mostBytes = 1024 ** 3;
/** Number of images that may be made in vain, one after the other, before none is made for a while. */
const mostInVain = 4;
const patience = 24 * 3600 * 1000;

/** Returns the directory of images in that of what evaluations keep. */
export function imagesDirectory(codeDirectory: string): string {
  return join(codeDirectory, "images");
}

/** The work of a process that makes an image. */
export interface ImageWork {
  readonly config: HostConfig;
  readonly application: ImageApplication;
  /** Settings by name, in the notation of nix.conf. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly flakes: boolean;
}

/** Options of using images. */
export interface KeptImagesOptions extends KeptResultsOptions {
  readonly codeDirectory: string;
  /** Starts a process that makes an image, and does not wait for it. */
  start(application: ImageApplication): Promise<void>;
  /** Numbers of imports and of attributes from which an application counts as one of packages. */
  readonly from?: { readonly imports: number; readonly attributes: number };
  /** Milliseconds that an evaluation takes at least for an image of it to be made (default: 1500). */
  readonly worthAnImage?: number;
  /** Tells whether an image is to be looked for; by default when the last run of the command line was a long one. */
  isWanted?(): boolean;
}

/** The last application of a kind of evaluation. */
interface Noted {
  readonly application: ImageApplication;
  /** Number of its images that were of no use since one was used. */
  readonly inVain: number;
}

/** Returns the configuration by which images are found: they serve in any directory, unless the search path depends on it. */
export function imageConfig(config: HostConfig): HostConfig {
  const { workingDirectory: _, ...rest } = config;
  return config.searchPath.every(({ path }) => path.startsWith("/")) ? rest : config;
}

/** Returns the file of an image. */
export function imageFile(codeDirectory: string, config: HostConfig, { file, argument }: ImageApplication): string {
  const { currentTime: _, environment: __, codeDirectory: ___, ...fixed } = imageConfig(config);
  const name = hash("sha256", JSON.stringify([fixed, file, argument]), "hex").slice(0, 32);
  return join(imagesDirectory(codeDirectory), `${name}.image`);
}

/** Finds the image of an evaluation, and has one made. */
export class KeptImages implements ImagesOfEvaluation {
  readonly use: ImagesOfEvaluation["use"];
  readonly #options: KeptImagesOptions;
  /** True when an image was looked for and was not what it would be now. */
  #hasChanged = false;

  constructor(options: KeptImagesOptions) {
    this.#options = options;
    this.use = options.from === undefined ? {} : { from: options.from };
  }

  async wanted(): Promise<WantedImage | undefined> {
    if (!(this.#options.isWanted ?? lastRunWasLong)()) return undefined;
    const noted = this.#noted();
    if (noted === undefined || (noted.inVain > mostInVain && !this.#isOld())) return undefined;
    const found = await this.#find(noted.application);
    this.#hasChanged = found === undefined;
    if (found !== undefined) this.#options.explain?.(`beginning with an image of '${noted.application.file}'`);
    return found;
  }

  left(reason: string, isInVain: boolean): void {
    const noted = isInVain ? this.#noted() : undefined;
    if (noted !== undefined) this.#note({ ...noted, inVain: noted.inVain + 1 });
    this.#options.explain?.(`evaluating again without an image: ${reason}`);
  }

  used(): void {
    const noted = this.#noted();
    if (noted !== undefined && noted.inVain > 0) this.#note({ ...noted, inVain: 0 });
  }

  async found(application: ImageApplication, took: number): Promise<void> {
    if (took < (this.#options.worthAnImage ?? worthAnImage)) return;
    const before = this.#noted();
    const isSame =
      before !== undefined &&
      before.application.file === application.file &&
      JSON.stringify(before.application.argument) === JSON.stringify(application.argument);
    const inVain = isSame ? before.inVain + (this.#hasChanged ? 1 : 0) : 0;
    if (isSame && inVain > mostInVain && !this.#isOld()) return;
    if (isSame && (await this.#find(before.application)) !== undefined) return;
    this.#note({ application, inVain });
    await this.#options.start(application);
  }

  async #find(application: ImageApplication): Promise<WantedImage | undefined> {
    const { codeDirectory, config } = this.#options;
    const file = imageFile(codeDirectory, config, application);
    if (!fs.existsSync(file)) return undefined;
    const { explain: _, ...options } = this.#options;
    const results = new KeptResults({ ...options, config: imageConfig(config) });
    try {
      let key = "";
      for (const request of imageRequests(file, config, application)) key = results.next(request);
      const entry = await results.answer(key);
      if (entry === undefined || entry.messages.length > 0) return undefined;
      touch(file);
      return { file, identity: String(entry.value), reads: readsOf(entry.reads) };
    } finally {
      await results.close();
    }
  }

  /** The file that says which application evaluations of this kind, in this directory, made last. */
  #noteFile(): string {
    const { codeDirectory, config } = this.#options;
    const { currentTime: _, environment: __, codeDirectory: ___, ...fixed } = config;
    const name = hash("sha256", JSON.stringify(fixed), "hex").slice(0, 32);
    return join(imagesDirectory(codeDirectory), `${name}.wanted`);
  }

  #noted(): Noted | undefined {
    try {
      return JSON.parse(fs.readFileSync(this.#noteFile(), "latin1")) as Noted;
    } catch {
      return undefined;
    }
  }

  #note(noted: Noted): void {
    quietly(() => {
      disk.mkdirs(imagesDirectory(this.#options.codeDirectory), 0o700);
      disk.replaceFile(this.#noteFile(), JSON.stringify(noted), { mode: 0o600 });
    });
  }

  #isOld(): boolean {
    const status = fs.statSync(this.#noteFile(), { throwIfNoEntry: false });
    return status === undefined || Date.now() - status.mtimeMs > patience;
  }
}

/** Does what may fail because of the disk. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (machineError(error) === undefined) throw error;
  }
}

function touch(path: string): void {
  const now = new Date();
  quietly(() => fs.utimesSync(path, now, now));
}

function readsOf({ files, directories, trees, ...rest }: KeptReads): Reads {
  return {
    types: [...rest.types],
    resolved: [...rest.resolved],
    variables: [...rest.variables],
    storePaths: [...rest.storePaths],
    files: files.map(([path, digest]) => [path, digest]),
    directories: directories.map(([path, digest]) => [path, digest]),
    trees: trees.map(({ state: _, ...tree }) => tree),
  };
}

/** Returns the files of images and notes, the newest first. */
export function imageFiles(codeDirectory: string): string[] {
  const directory = imagesDirectory(codeDirectory);
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory)
    .map((name) => join(directory, name))
    .map((path) => ({ path, time: fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time)
    .map(({ path }) => path);
}

/** Removes the images that were used least recently, and what processes have left behind that were killed. */
export function removeOldImages(codeDirectory: string): void {
  const hourAgo = Date.now() - 3600_000;
  let count = 0;
  let bytes = 0;
  for (const path of imageFiles(codeDirectory)) {
    const status = fs.statSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    const isImage = path.endsWith(".image");
    if (isImage) {
      count++;
      bytes += status.size;
    }
    const isTooMuch = isImage && (count > mostImages || bytes > mostBytes);
    if (isTooMuch || (path.endsWith(".tmp") && status.mtimeMs < hourAgo)) {
      quietly(() => fs.rmSync(path, { force: true }));
    }
  }
}
