/**
 * `deb#NAME`: the Debian set that comes with Firn, with a lock made for that name from the user's kept index. The flake is
 * a directory in the user's data, made once for each name and index.
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import {
  type ArchiveAccess,
  type DebianLock,
  type ForeignArchive,
  hostSuites,
  lockPackages,
  printDebianLock,
  readSavedIndex,
  renewSavedIndex,
  type SavedIndex,
  type SuiteSpec,
} from "@firn/fetch";
import type { RegistryEntry } from "@firn/formats";
import { collect, debMirrors, disk, type EventSink, type Settings, Transferrer, transferOptions } from "@firn/store";
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "@firn/store/files";
import { homeDirectory, pathOfFileUrl } from "@firn/store/surroundings";
import { copyCheckout, isCheckout } from "./checkout-set.ts";

type InputAttributes = RegistryEntry["to"];

/** Surroundings of the Debian set. */
export interface DebianContext {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly offline: boolean;
  readonly allowExpired?: boolean;
  /** Archives besides Debian's. */
  readonly archives?: Readonly<Record<string, ForeignArchive>>;
}

/** The package that every environment of the set needs besides its own packages, for the builder. */
const builderPackage = "busybox-static";

/** Returns the directory of the Debian set (flake.nix, pkgs) that comes with Firn; undefined when the installation lacks it. */
export function debianSetDirectory(): string | undefined {
  return ownFlake("os");
}

/**
 * Returns the attributes of the flake of the Debian set; undefined when the installation lacks it. It is a part of the whole package, or of
 * a copy of what matters of a checkout, because `pkgs.firn` is made of that.
 */
export function debianSetFlake(environment: DebianContext["environment"]): InputAttributes | undefined {
  const set = debianSetDirectory();
  if (set === undefined) return undefined;
  const around = dirname(set);
  if (existsSync(join(around, "dist/firn.mjs"))) return new Map([...pathAttributes(around), ["dir", "os"]]);
  if (!isCheckout(around)) return pathAttributes(set);
  const name = `checkout-${createHash("sha256").update(around, "latin1").digest("hex").slice(0, 16)}`;
  return new Map([...pathAttributes(copyCheckout(around, join(dataDirectory(environment), name))), ["dir", "os"]]);
}

/** Returns the attributes of the flake of templates that comes with Firn; undefined when the installation lacks it. */
export function templatesFlake(): InputAttributes | undefined {
  const directory = ownFlake("templates");
  return directory === undefined ? undefined : pathAttributes(directory);
}

function pathAttributes(directory: string): InputAttributes {
  return new Map([
    ["type", "path"],
    ["path", directory],
  ]);
}

function ownFlake(name: string): string | undefined {
  // Beside the bundle, or in a checkout.
  for (const candidate of [`../${name}`, `../../../../${name}`]) {
    const path = pathOfFileUrl(new URL(candidate, import.meta.url));
    if (existsSync(join(path, "flake.nix"))) return path;
  }
  return undefined;
}

function dataDirectory(environment: DebianContext["environment"]): string {
  const home = homeDirectory(environment);
  return join(environment.XDG_DATA_HOME ?? join(home, ".local", "share"), "firn", "deb");
}

/** Returns this machine's access to Debian's archive. */
export function archiveAccess(context: DebianContext): ArchiveAccess {
  const mirrors = new Map<string, string[]>();
  for (const { archive, url } of debMirrors(context.settings))
    mirrors.set(archive, [...(mirrors.get(archive) ?? []), url]);
  const transferrer = new Transferrer(
    transferOptions(context.settings, { offline: context.offline, events: context.events }),
  );
  return {
    mirrors,
    archives: new Map(Object.entries(context.archives ?? {})),
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    now: new Date(),
    keyrings: keyrings(context.settings),
    allowExpired: context.allowExpired ?? false,
    download: async (url, limit) => collect(await transferrer.open({ url, progress: true }), limit),
  };
}

function keyrings(settings: Settings): Uint8Array[] {
  const named = settings.get("deb-keyring");
  const files = named.length > 0 ? named : ["/usr/share/keyrings/debian-archive-keyring.gpg"];
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file));
}

/** Returns the kept index; downloads it when there is none or with `renew`. */
export async function debianIndex(context: DebianContext, renew = false): Promise<SavedIndex> {
  const file = join(dataDirectory(context.environment), "index.json");
  const kept = renew ? undefined : readSavedIndex(file);
  if (kept !== undefined) return kept;
  const previous = readSavedIndex(file)?.suites;
  const suites: readonly SuiteSpec[] = previous ?? hostSuites();
  context.events({
    kind: "message",
    level: "notice",
    text: `locking the Debian package index (${suites.map((s) => s.suite).join(", ")})`,
  });
  const saved = await renewSavedIndex(file, archiveAccess(context), suites);
  writeFileSync(join(dataDirectory(context.environment), "current"), stampOf(saved));
  return saved;
}

/** Returns the flake directory for one package. Fails with `deb-unknown-package`. */
export async function debianFlake(context: DebianContext, name: string): Promise<string> {
  const set = debianSetDirectory();
  if (set === undefined) throw new Error("the Debian set is missing from this installation of Firn");
  const stamp = readStamp(context);
  const place = join(dataDirectory(context.environment), "flakes", stamp ?? "new", name);
  if (stamp !== undefined && existsSync(join(place, "flake.nix"))) return place;

  const saved = await debianIndex(context);
  const identity = stampOf(saved);
  const target = join(dataDirectory(context.environment), "flakes", identity, name);
  const lock: DebianLock = {
    version: 1,
    architecture: saved.architecture,
    suites: saved.suites,
    roots: [name],
    packages: lockPackages(saved.index, [name, builderPackage]),
    sources: {},
  };
  const staging = `${target}.tmp-${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  disk.mkdirs(dirname(staging));
  cpSync(set, staging, { recursive: true });
  writeFileSync(join(staging, "pkgs", "debian.lock.json"), printDebianLock(lock));
  rmSync(target, { recursive: true, force: true });
  renameSync(staging, target);
  return target;
}

/** Returns the identity of the kept index, without reading all of it. */
function readStamp(context: DebianContext): string | undefined {
  const file = join(dataDirectory(context.environment), "current");
  return existsSync(file) ? readFileSync(file, "latin1") : undefined;
}

function stampOf(saved: SavedIndex): string {
  return saved.suites.map((suite) => suite.inRelease.slice(0, 12)).join("-");
}
