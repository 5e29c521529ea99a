/**
 * The boot menu: one entry for each generation (Boot Loader Specification), kernel and initrd copied to the EFI partition,
 * which is small. Space is secured before anything is written; the oldest entries are dropped first. systemd-boot reads the
 * entries; GRUB's menu is made of them.
 */

import { basename, dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import { disk } from "@firn/store";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from "@firn/store/files";
import type { BootSettings } from "../generation/manifest.ts";
import type { System } from "../generation/system.ts";
import { type BiosLoader, writeBiosLoader } from "./bios-loader.ts";
import { grubMenu } from "./grub-menu.ts";
import { type Secrets, secretsArchive, sizeOfSecrets } from "./secrets.ts";

/** A generation that may get an entry. */
export interface BootGeneration {
  readonly number: number;
  /** Time of creation, in seconds since 1970. */
  readonly created: number;
  readonly system: System;
  /** Variants of the system, which get entries of their own. */
  readonly specialisations?: readonly { readonly name: string; readonly system: System }[];
}

/** The menu to make. */
export interface BootRequest {
  /** The mounted EFI partition. */
  readonly directory: string;
  /** Prefix of the machine's files, where secrets of first stages are; empty for the running machine. */
  readonly root?: string;
  readonly settings: BootSettings;
  readonly generations: readonly BootGeneration[];
  /** The number of the generation to start next. */
  readonly next: number;
  /** The number of the generation that would start now; undefined when the menu is new. */
  readonly now: number | undefined;
  /** Generations that must keep their entries, such as the one that runs. */
  readonly keep: readonly number[];
}

/** A file to be copied to the partition. */
interface BootFile {
  readonly name: string;
  readonly from: string;
  readonly size: number;
}

/** An archive of secrets to be made on the partition. */
interface SecretsFile {
  readonly name: string;
  readonly secrets: Secrets;
  readonly size: number;
}

/** Planned changes to the partition; made by {@link planBoot}, carried out by {@link writeBootFiles} and {@link finishBoot}. */
export interface BootPlan {
  readonly directory: string;
  /** The number of the generation to start next. */
  readonly next: number;
  /** The number of the generation that starts until then. */
  readonly now: number | undefined;
  readonly copies: readonly BootFile[];
  readonly secrets: readonly SecretsFile[];
  readonly root: string;
  /** Texts of the missing entries by file name. */
  readonly entries: ReadonlyMap<string, string>;
  /** Entries and files that no kept generation needs, relative to the partition. */
  readonly stale: readonly string[];
  /** Generations left out of the menu because of lacking space or the limit. */
  readonly dropped: readonly number[];
  /** True when stale files must be removed to make space for the new ones. */
  readonly tight: boolean;
  readonly settings: BootSettings;
  /** The pattern of the entries of which the first is started. */
  readonly pattern: string;
}

const filesDirectory = "EFI/firn";
const entriesDirectory = "loader/entries";
const SYSTEMD_BOOT = "EFI/systemd/systemd-bootx64.efi";
const GRUB_MENU = "grub/grub.cfg";
/** Bytes that the partition needs besides the files themselves, for directories and clusters. */
const reserve = 1 << 20;

/** Plans the menu. Fails with `boot-full` when the next generation and those to keep do not fit, with `boot-secret` when it lacks a secret. */
export function planBoot(request: BootRequest, free = freeSpace(request.directory)): BootPlan {
  const { directory, settings, generations, next } = request;
  const present = new Map(
    list(directory, filesDirectory).map((name) => [name, statSync(join(directory, filesDirectory, name)).size]),
  );
  const needed = new Set([next, ...request.keep]);
  const newest = [...generations].sort((a, b) => b.number - a.number);
  const limited = newest.filter(
    ({ number }, index) =>
      needed.has(number) || settings.configurationLimit === undefined || index < settings.configurationLimit,
  );
  // The oldest goes first until the rest fits.
  let kept = limited;
  for (;;) {
    const plan = layOut(request, kept, present);
    const freed = plan.stale
      .filter((path) => dirname(path) === filesDirectory)
      .reduce((sum, path) => sum + (present.get(basename(path)) ?? 0), 0);
    const wanted = [...plan.copies, ...plan.secrets].reduce((sum, { size }) => sum + size, 0);
    if (wanted + reserve <= free) return { ...plan, dropped: droppedFrom(newest, kept), tight: false };
    if (wanted + reserve <= free + freed) return { ...plan, dropped: droppedFrom(newest, kept), tight: true };
    const oldest = kept.findLast(({ number }) => !needed.has(number));
    if (oldest === undefined) {
      const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
      throw new FirnError(
        "boot-full",
        `there is not enough space on '${directory}': generation ${next} needs ${mib(wanted + reserve)}, and ${mib(free + freed)} can be had`,
        { hint: "nothing was changed; remove files of other systems from the EFI partition or make it larger" },
      );
    }
    kept = kept.filter((generation) => generation !== oldest);
  }
}

function droppedFrom(all: readonly BootGeneration[], kept: readonly BootGeneration[]): number[] {
  return all.filter((generation) => !kept.includes(generation)).map(({ number }) => number);
}

function layOut(
  { directory, root = "", settings, next, now, generations, keep }: BootRequest,
  kept: readonly BootGeneration[],
  present: ReadonlyMap<string, number>,
): Omit<BootPlan, "dropped" | "tight"> {
  const copies = new Map<string, BootFile>();
  const entries = new Map<string, string>();
  const wantedFiles = new Set<string>();
  const wantedEntries = new Set<string>();
  const presentEntries = list(directory, entriesDirectory);
  const secretsFiles: SecretsFile[] = [];
  /** The file of a system's secrets, made anew for the next generation and where it is missing; undefined when there is none. */
  const secretsOf = (system: System, suffix: string, isNext: boolean): string | undefined => {
    const secrets = system.manifest?.boot.secrets;
    if (secrets === undefined || secrets.size === 0) return undefined;
    const name = `secrets-${suffix}.img`;
    const size = sizeOfSecrets(secrets, root);
    if (size !== undefined && (isNext || !present.has(name))) secretsFiles.push({ name, secrets, size });
    else if (!present.has(name)) {
      if (!isNext) return undefined;
      const missing = [...secrets.values()].filter((source) => !existsSync(root + source)).join("', '");
      throw new FirnError("boot-secret", `the first stage of generation ${next} lacks its secret '${missing}'`, {
        hint: "make the file that boot.initrd.secrets names",
      });
    }
    wantedFiles.add(name);
    return name;
  };
  for (const generation of kept) {
    const kernel = bootFile(generation.system, "kernel");
    const initrd = bootFile(generation.system, "initrd");
    for (const file of [kernel, initrd]) {
      wantedFiles.add(file.name);
      if (present.get(file.name) !== file.size) copies.set(file.name, file);
    }
    const nearest = generation.number === next || keep.includes(generation.number);
    const secrets = secretsOf(generation.system, `${generation.number}`, generation.number === next);
    const text = entryText(generation, { kernel: kernel.name, initrd: initrd.name, secrets, nearest });
    const name = entryName(generation.number, { presentEntries, next, tries: settings.bootCountingTries });
    wantedEntries.add(name);
    const texts = [[name, text]];
    for (const variant of generation.specialisations ?? []) {
      const files = [bootFile(variant.system, "kernel"), bootFile(variant.system, "initrd")] as const;
      for (const file of files) {
        wantedFiles.add(file.name);
        if (present.get(file.name) !== file.size) copies.set(file.name, file);
      }
      // No pattern of the loader's default matches this name.
      const variantName = `firn_${generation.number}_${variant.name}.conf`;
      wantedEntries.add(variantName);
      const own = secretsOf(variant.system, `${generation.number}-${variant.name}`, generation.number === next);
      const names = { kernel: files[0].name, initrd: files[1].name, secrets: own, variant: variant.name };
      texts.push([variantName, entryText({ ...generation, system: variant.system }, names)]);
    }
    for (const [file = "", contents = ""] of texts) {
      const path = join(directory, entriesDirectory, file);
      if (!existsSync(path) || readFileSync(path, "latin1") !== contents) entries.set(file, contents);
    }
  }
  const ours = (name: string): boolean => generationOfEntry(name) !== undefined;
  const newest = Math.max(...generations.map(({ number }) => number));
  return {
    directory,
    next,
    now,
    copies: [...copies.values()],
    secrets: secretsFiles,
    root,
    entries,
    stale: [
      ...presentEntries
        .filter((name) => ours(name) && !wantedEntries.has(name))
        .map((name) => join(entriesDirectory, name)),
      ...[...present.keys()].filter((name) => !wantedFiles.has(name)).map((name) => join(filesDirectory, name)),
    ],
    settings,
    pattern: next === newest ? "firn-*" : onlyPattern(next),
  };
}

function bootFile({ tree, path }: System, kind: "kernel" | "initrd"): BootFile {
  const entry = tree.entry(kind);
  const target = tree.target(kind);
  if (entry?.kind !== "file" || target === undefined) {
    throw new FirnError("bad-system", `'${path}' has no ${kind}, so it cannot be started by a boot loader`);
  }
  const [, , , store = "", ...rest] = target.split("/");
  return { name: `${[store, ...rest].join("-")}.efi`, from: entry.real, size: entry.size };
}

/**
 * Returns the text of an entry. The loader falls back to the next entry in its order, so generations that are known to start
 * come before all other older ones.
 */
function entryText(
  { number, created, system }: BootGeneration,
  {
    kernel,
    initrd,
    secrets,
    nearest,
    variant,
  }: {
    readonly kernel: string;
    readonly initrd: string;
    readonly secrets: string | undefined;
    readonly nearest?: boolean;
    readonly variant?: string;
  },
): string {
  const { manifest, tree, path } = system;
  const date = new Date(created * 1000).toISOString().slice(0, 10);
  const parameters = (tree.text("kernel-params") ?? "").trim();
  const key = variant !== undefined ? "firn-variant" : nearest === true ? "firn" : "firn-older";
  return `title Firn (${manifest?.name ?? "system"}${variant === undefined ? "" : `, ${variant}`})
version Generation ${number} ${manifest?.label ?? ""}, built on ${date}
sort-key ${key}
linux /${filesDirectory}/${kernel}
initrd /${filesDirectory}/${initrd}
${secrets === undefined ? "" : `initrd /${filesDirectory}/${secrets}\n`}options init=${path}/init ${parameters}
`;
}

/**
 * Returns the file name of an entry. An existing entry keeps its name, which holds its remaining tries; the next generation
 * gets a new count.
 */
function entryName(
  number: number,
  { presentEntries, next, tries }: { presentEntries: readonly string[]; next: number; tries: number },
): string {
  const plain = `firn-${number}.conf`;
  const found = presentEntries.find((name) => name === plain || name.startsWith(`firn-${number}+`));
  const failed = found !== undefined && /\+0(-[0-9]+)?\.conf$/.test(found);
  if (number === next && tries > 0 && (found === undefined || failed)) return `firn-${number}+${tries}.conf`;
  return found ?? plain;
}

/** Returns the generation whose entry, or that of one of its variants, a file is; undefined for other files. */
function generationOfEntry(name: string): number | undefined {
  const number = /^firn(?:-([0-9]+)(?:\+[0-9]+(?:-[0-9]+)?)?|_([0-9]+)_.*)\.conf$/.exec(name);
  return number === null ? undefined : Number(number[1] ?? number[2]);
}

/** Returns the pattern that generation `number` alone matches. */
const onlyPattern = (number: number): string => `firn-${number}[.+]*`;

/**
 * Returns the text of the loader's settings. The newest entry that has tries left is first in the menu, so the pattern of all
 * entries lets the loader pass over a generation that does not start; an older generation is named itself.
 */
function loaderText(settings: BootSettings, pattern: string): string {
  return `timeout ${settings.timeout ?? "menu-force"}
default ${pattern}
editor ${settings.editor ? "yes" : "no"}
${settings.consoleMode === undefined ? "" : `console-mode ${settings.consoleMode}\n`}`;
}

/** Copies kernels and initrds and writes entries; the generation to start next stays the same. */
export function writeBootFiles(plan: BootPlan): void {
  for (const part of [filesDirectory, entriesDirectory]) mkdirSync(join(plan.directory, part), { recursive: true });
  // A new entry would be the first of the pattern of all.
  if (plan.now !== undefined) putLoader(plan, plan.now, onlyPattern(plan.now));
  if (plan.tight) removeStale(plan);
  for (const { name, from } of plan.copies) {
    put(join(plan.directory, filesDirectory, name), readFileSync(from));
  }
  for (const { name, secrets } of plan.secrets) {
    put(join(plan.directory, filesDirectory, name), secretsArchive(secrets, plan.root), 0o600);
  }
  for (const [name, text] of plan.entries) {
    put(join(plan.directory, entriesDirectory, name), Buffer.from(text, "latin1"));
  }
}

/** Makes the planned generation the one to start next, by one rename, then removes stale entries and files. */
export function finishBoot(plan: BootPlan): void {
  putLoader(plan, plan.next, onlyPattern(plan.next));
  if (!plan.tight) removeStale(plan);
  putLoader(plan, plan.next, plan.pattern);
}

/** Makes the loader start a generation. `pattern` is what systemd-boot is told, which may pass over one that does not start. */
function putLoader({ directory, settings }: BootPlan, number: number, pattern: string): void {
  if (settings.grub === undefined) {
    put(join(directory, "loader/loader.conf"), Buffer.from(loaderText(settings, pattern)));
  } else putGrubMenu(directory, settings, number);
}

function putGrubMenu(directory: string, { timeout, grub }: BootSettings, number: number): void {
  const entries = new Map(
    list(directory, entriesDirectory)
      .filter((name) => generationOfEntry(name) !== undefined)
      .map((name) => [name, readFileSync(join(directory, entriesDirectory, name), "latin1")]),
  );
  const { place = "", extraConfig = "", extraEntries = "" } = grub ?? {};
  const text = grubMenu(entries, { start: `firn-${number}`, timeout, place, extraConfig, extraEntries });
  mkdirSync(dirname(join(directory, GRUB_MENU)), { recursive: true });
  put(join(directory, GRUB_MENU), Buffer.from(text, "latin1"));
}

/** Tells whether the loader of these settings was installed. */
export function loaderPresent({ directory, settings }: Pick<BootPlan, "directory" | "settings">): boolean {
  return existsSync(join(directory, settings.grub === undefined ? SYSTEMD_BOOT : GRUB_MENU));
}

/** Installs the boot loader itself: copies it when it is missing or differs. GRUB is written to the disks of its settings. */
export function installLoader(
  { directory, settings }: Pick<BootPlan, "directory" | "settings">,
  system: System,
  { withoutDisks = false }: { readonly withoutDisks?: boolean } = {},
): void {
  if (settings.grub !== undefined) {
    const loader = biosLoader(system);
    if (!withoutDisks) for (const device of settings.grub.devices) writeBiosLoader(device, loader);
    return;
  }
  const entry = system.tree.entry("usr/lib/systemd/boot/efi/systemd-bootx64.efi");
  if (entry?.kind !== "file") {
    throw new FirnError("bad-system", `'${system.path}' has no systemd-boot`, {
      hint: "add the package systemd-boot-efi",
    });
  }
  const bytes = readFileSync(entry.real);
  for (const path of [SYSTEMD_BOOT, "EFI/BOOT/BOOTX64.EFI"]) {
    const target = join(directory, path);
    if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
    mkdirSync(dirname(target), { recursive: true });
    put(target, bytes);
  }
}

/** Returns GRUB's image of a system. */
export function biosLoader({ tree, path }: System): BiosLoader {
  const bytes = (name: string): Uint8Array => {
    const entry = tree.entry(`grub/${name}`);
    if (entry?.kind !== "file") throw new FirnError("bad-system", `'${path}' has no GRUB`);
    return readFileSync(entry.real);
  };
  return { boot: bytes("boot.img"), core: bytes("core.img") };
}

/**
 * Removes the entries of generations that no longer exist, and the kernels that only they started. Returns the numbers of those
 * generations.
 */
export function pruneEntries(
  { directory, settings }: Pick<BootPlan, "directory" | "settings">,
  numbers: ReadonlySet<number>,
  next: number,
): number[] {
  const gone: number[] = [];
  const used = new Set<string>();
  for (const name of list(directory, entriesDirectory)) {
    const number = generationOfEntry(name);
    const path = join(directory, entriesDirectory, name);
    if (number !== undefined && !numbers.has(number)) {
      rmSync(path, { force: true });
      if (!gone.includes(number)) gone.push(number);
      continue;
    }
    for (const [, file = ""] of readFileSync(path, "latin1").matchAll(/^(?:linux|initrd) +\/(\S+)$/gm)) used.add(file);
  }
  if (gone.length === 0) return gone;
  if (settings.grub !== undefined) putGrubMenu(directory, settings, next);
  for (const name of list(directory, filesDirectory)) {
    const file = join(filesDirectory, name);
    if (!used.has(file)) rmSync(join(directory, file), { force: true });
  }
  return gone.sort((a, b) => a - b);
}

function removeStale(plan: BootPlan): void {
  for (const path of plan.stale) rmSync(join(plan.directory, path), { force: true });
}

/** Writes a file and waits until it is on the disk; the old file stays until the new one is complete. */
function put(path: string, contents: Uint8Array, mode = 0o666): void {
  disk.replaceFile(path, contents, { mode, sync: true });
}

function list(directory: string, part: string): string[] {
  const path = join(directory, part);
  // Left by one who was killed while writing.
  return existsSync(path) ? readdirSync(path).filter((name) => !/\.tmp-[0-9]+$/.test(name)) : [];
}

function freeSpace(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
