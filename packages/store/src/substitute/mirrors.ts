/**
 * Mirrors for `mirror://debian/…`, `mirror://debian-security/…` and `mirror://npm/…`: the servers come from a setting, or
 * from the configuration of this machine's apt and npm.
 */

import path from "node:path";
import { FirnError } from "@firn/formats";
import { hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { runProgramSync } from "../program/start.ts";
import type { Settings } from "../settings/settings.ts";

const SECURITY = /debian-security\/?$|security\.debian\.org/;

/** One archive on a server. */
export interface DebMirror {
  readonly archive: string;
  readonly url: string;
}

/** Returns the mirrors in order: those of the setting `deb-mirrors`, else those of the host's apt. */
export function debMirrors(settings: Settings, aptDirectory = "/etc/apt"): DebMirror[] {
  const configured = settings.get("deb-mirrors").map((text): DebMirror => {
    const split = /^([a-z-]+)=(.*)$/.exec(text);
    const url = (split?.[2] ?? text).replace(/\/*$/, "");
    return { archive: split?.[1] ?? (SECURITY.test(url) ? "debian-security" : "debian"), url };
  });
  return configured.length > 0 ? configured : aptMirrors(aptDirectory);
}

/** Returns the mirrors in the apt sources below `directory`, without duplicates. */
export function aptMirrors(directory: string): DebMirror[] {
  const found = new Map<string, DebMirror>();
  for (const file of sourceFiles(directory)) {
    const text = fs.readFileSync(file, "latin1");
    for (const line of text.split("\n")) {
      const plain = line.replace(/#.*/, "").trim();
      const fields = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/.exec(plain)?.[1] ?? /^URIs:\s*(.*)$/.exec(plain)?.[1];
      for (const raw of (fields ?? "").split(/\s+/)) {
        if (!/^(https?|file):/.test(raw)) continue;
        const url = raw.replace(/\/*$/, "");
        found.set(url, { archive: SECURITY.test(url) ? "debian-security" : "debian", url });
      }
    }
  }
  return [...found.values()];
}

function sourceFiles(directory: string): string[] {
  const files = [path.join(directory, "sources.list")];
  try {
    for (const name of fs.readdirSync(path.join(directory, "sources.list.d")).sort()) {
      if (/\.(list|sources)$/.test(name)) files.push(path.join(directory, "sources.list.d", name));
    }
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
  }
  return files.filter((file) => fs.existsSync(file));
}

/** Returns the real URLs of a `mirror://` URL; any other URL is returned itself. Errors `unknown-mirror`, `no-mirror`. */
export function resolveMirrors(url: string, settings: Settings): string[] {
  const match = /^mirror:\/\/([a-z-]+)\/(.*)$/.exec(url);
  if (match === null) return [url];
  const [, archive, file] = match;
  if (archive === "npm") return [`${npmRegistry(settings)}/${file}`];
  if (archive !== "debian" && archive !== "debian-security") {
    throw new FirnError("unknown-mirror", `cannot download '${url}': there is no mirror list '${archive}'`);
  }
  const mirrors = debMirrors(settings).filter((mirror) => mirror.archive === archive);
  if (mirrors.length === 0) {
    throw new FirnError("no-mirror", `cannot download '${url}': no mirror of '${archive}' is known`, {
      hint: `set deb-mirrors in nix.conf: deb-mirrors = ${archive}=URL`,
    });
  }
  return mirrors.map((mirror) => `${mirror.url}/${file}`);
}

/**
 * Returns the URLs of a `mirror://` URL of Debian in the archives of the setting `deb-snapshots`, as it was at a time in snapshots' form
 * (`20261127T235959Z`); none for any other URL.
 */
export function resolveSnapshots(url: string, time: string, settings: Settings): string[] {
  const match = /^mirror:\/\/([a-z-]+)\/(.*)$/.exec(url);
  if (match === null) return [];
  const [, archive, file] = match;
  return settings
    .get("deb-snapshots")
    .filter((text) => text.startsWith(`${archive}=`))
    .map((text) => `${text.slice(text.indexOf("=") + 1).replace(/\/*$/, "")}/${time}/${file}`);
}

/** Returns the npm registry: the setting `npm-registry`, else the one of npm's configuration. Error `no-mirror`. */
function npmRegistry(settings: Settings): string {
  const configured = settings.get("npm-registry");
  const url = configured === "" ? askNpm() : configured;
  if (!/^(https?|file):/.test(url)) {
    throw new FirnError("no-mirror", "no npm registry is known: npm is not installed here", {
      hint: "set npm-registry in nix.conf to a registry's URL",
    });
  }
  return url.replace(/\/*$/, "");
}

let npmAnswer: string | undefined;

function askNpm(): string {
  // Asked outside any project, whose own settings are not this machine's.
  npmAnswer ??=
    runProgramSync("npm", ["config", "get", "registry"], { cwd: "/" }).stdout?.toString("latin1").trim() ?? "";
  return npmAnswer;
}
