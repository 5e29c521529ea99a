/** Store paths that running programs use, as the kernel tells. */
import { escapePattern, isStorePath } from "@firn/formats";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import type { Roots } from "../store/roots.ts";
import type { LocalInternals } from "./internals.ts";

/** Adds a link to those that keep a path. */
export function addRoot(roots: Roots, storePath: string, link: string): void {
  const links = roots.get(storePath) ?? new Set();
  roots.set(storePath, links.add(link));
}

/** Returns the store paths that running processes use: programs, mapped and open files, current directories, environments. */
export function runtimeRoots(store: LocalInternals): Roots {
  const roots: Roots = new Map();
  const prefixes = [...new Set([store.storeDir, store.location.realStoreDir])];
  const inStore = `(?:${prefixes.map(escapePattern).join("|")})/([0-9a-df-np-sv-z]{32}-[0-9A-Za-z+\\-._?=]+)`;
  const anywhere = new RegExp(inStore, "g");
  // A file below another store directory, such as that of another chroot store, has this one's name in the middle of its path.
  const atStart = new RegExp(`^${inStore}`, "g");
  const inMaps = new RegExp(`^(?:\\S+ +){5}${inStore}`, "gm");
  const scan = (text: string, origin: string, pattern: RegExp): void => {
    for (const match of text.matchAll(pattern)) {
      const storePath = `${store.storeDir}/${match[1]}`;
      if (isStorePath(storePath, store.storeDir) && store.database.isValid(storePath))
        addRoot(roots, storePath, origin);
    }
  };
  const quietly = (read: () => string, origin: string, pattern: RegExp): void => {
    try {
      scan(read(), origin, pattern);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "EACCES", "ESRCH", "EPERM", "ENOTDIR", "EINVAL", "ENAMETOOLONG")) throw error;
    }
  };
  let processes: string[];
  try {
    processes = fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return roots;
    throw error;
  }
  for (const pid of processes) {
    const directory = `/proc/${pid}`;
    for (const link of ["exe", "cwd"]) {
      quietly(() => fs.readlinkSync(`${directory}/${link}`, { encoding: "latin1" }), `${directory}/${link}`, atStart);
    }
    quietly(() => fs.readFileSync(`${directory}/maps`, "latin1"), `${directory}/maps`, inMaps);
    quietly(() => fs.readFileSync(`${directory}/environ`, "latin1"), `${directory}/environ`, anywhere);
    let descriptors: string[] = [];
    try {
      descriptors = fs.readdirSync(`${directory}/fd`);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "EACCES", "ESRCH", "EPERM")) throw error;
    }
    for (const fd of descriptors) {
      quietly(() => fs.readlinkSync(`${directory}/fd/${fd}`, { encoding: "latin1" }), `${directory}/fd/${fd}`, atStart);
    }
  }
  for (const file of ["modprobe", "fbsplash", "poweroff_cmd"]) {
    quietly(() => fs.readFileSync(`/proc/sys/kernel/${file}`, "latin1"), `/proc/sys/kernel/${file}`, anywhere);
  }
  return roots;
}
