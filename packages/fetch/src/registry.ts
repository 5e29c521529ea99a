/** Flake registries' files: names that stand for other references. */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { byteStringOf, parseRegistry, printRegistry, type RegistryEntry } from "@firn/formats";
import { disk } from "@firn/store";
import type { Registry, RegistryKind } from "./resolve-input.ts";

/** Reads a registry file; an absent one is empty. Fails with `bad-registry`. */
export function readRegistryFile(kind: RegistryKind, path: string): Registry {
  if (!existsSync(path)) return { kind, entries: [] };
  return { kind, entries: parseRegistry(readFileSync(path, "latin1"), path) };
}

/** Writes a registry file by rename. */
export function writeRegistryFile(path: string, entries: readonly RegistryEntry[]): void {
  disk.mkdirs(byteStringOf(dirname(path)));
  disk.replaceFile(byteStringOf(path), Buffer.from(printRegistry(entries), "latin1"));
}
