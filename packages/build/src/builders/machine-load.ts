/**
 * The load of machines: each build there holds a lock on one of the machine's slots in the directory `current-load` of the store's
 * state. Files and locks are the reference's, so that both programs count each other's builds.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { hashData, printHash } from "@firn/formats";
import { hasErrorCode, lock, openLockFile, tryLock } from "@firn/store";
import * as fs from "@firn/store/files";
import { type Machine, type Needs, suits } from "./machines.ts";

/** A slot of a machine that is held for one build. */
export interface Slot {
  readonly machine: Machine;
  /** Frees the slot. */
  release(): void;
}

/** The result of looking for a machine: a slot, or no machine that suits is free now, or none suits at all. */
export type Choice = Slot | "busy" | "none";

/** Longest time in milliseconds that an upload waits for another one to the same machine. */
const uploadPatience = 15 * 60 * 1000;

/** Milliseconds between two tries of a lock. */
const pollInterval = 100;

/** Largest number of slots of one machine that are looked at. */
const mostSlots = 1024;

interface Candidate {
  readonly machine: Machine;
  readonly fd: number;
  readonly load: number;
}

/** Tells whether one candidate is to be preferred to another: less load for its speed, then the faster, then the less loaded one. */
function isBetter(one: Candidate, other: Candidate): boolean {
  const share = ({ load, machine }: Candidate): number => load / machine.speedFactor;
  if (share(one) !== share(other)) return share(one) < share(other);
  const { speedFactor } = one.machine;
  if (speedFactor !== other.machine.speedFactor) return speedFactor > other.machine.speedFactor;
  return one.load < other.load;
}

/** The load of machines, as all programs that build in one store see it. */
export class MachineLoad {
  readonly #directory: string;

  /** Takes the directory of the store's state. */
  constructor(stateDir: string) {
    this.#directory = `${stateDir}/current-load`;
  }

  /** Takes the best free slot of the machines that suit. */
  async choose(machines: readonly Machine[], needs: Needs): Promise<Choice> {
    const suitable = machines.filter((machine) => suits(machine, needs));
    if (suitable.length === 0) return "none";
    fs.mkdirSync(this.#directory, { recursive: true });
    const main = openLockFile(`${this.#directory}/main-lock`);
    let best: Candidate | undefined;
    try {
      await lock(main, "write");
      for (const machine of suitable) {
        const candidate = this.#candidate(machine);
        if (candidate === undefined) continue;
        if (best === undefined || isBetter(candidate, best)) {
          if (best !== undefined) fs.closeSync(best.fd);
          best = candidate;
        } else fs.closeSync(candidate.fd);
      }
    } finally {
      fs.closeSync(main);
    }
    if (best === undefined) return "busy";
    const { fd, machine } = best;
    return { machine, release: () => fs.closeSync(fd) };
  }

  /** Runs an upload to a machine alone among all programs; after a quarter of an hour of waiting it is run all the same. */
  async uploading<Result>(
    machine: Machine,
    { waits, hogged, work }: { waits(): void; hogged(): void; work(): Promise<Result> },
  ): Promise<Result> {
    const fd = this.#openUploadLock(machine.uri);
    try {
      const deadline = Date.now() + uploadPatience;
      for (let tries = 0; !tryLock(fd, "write"); tries++) {
        if (tries === 0) waits();
        if (Date.now() >= deadline) {
          hogged();
          break;
        }
        await sleep(pollInterval);
      }
      return await work();
    } finally {
      fs.closeSync(fd);
    }
  }

  #candidate(machine: Machine): Candidate | undefined {
    let free: number | undefined;
    let load = 0;
    for (let slot = 0; slot < Math.min(machine.maxJobs, mostSlots); slot++) {
      const fd = openLockFile(`${this.#directory}/${escaped(machine.uri)}-${slot}`);
      if (!tryLock(fd, "write")) load++;
      else if (free === undefined) {
        free = fd;
        continue;
      }
      fs.closeSync(fd);
    }
    return free === undefined ? undefined : { machine, fd: free, load };
  }

  #openUploadLock(uri: string): number {
    const file = (name: string): string => `${this.#directory}/${escaped(name)}.upload-lock`;
    try {
      return openLockFile(file(uri));
    } catch (error) {
      if (!hasErrorCode(error, "ENAMETOOLONG")) throw error;
      return openLockFile(file(printHash({ algorithm: "md5", bytes: hashData("md5", uri).bytes }, "base64", false)));
    }
  }
}

/** The URL of a machine as part of a file name. */
function escaped(uri: string): string {
  return uri.replaceAll("/", "_");
}
