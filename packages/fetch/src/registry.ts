/** Flake registries' files: names that stand for other references. */
import { dirname } from "node:path";
import { parseRegistry, printRegistry, type RegistryEntry } from "@firn/formats";
import { disk } from "@firn/store";
import { existsSync, readFileSync } from "@firn/store/files";
import type { Registry, RegistryKind } from "./resolve-input.ts";

/** Reads a registry file; an absent one is empty. Fails with `bad-registry`. */
export function readRegistryFile(kind: RegistryKind, path: string): Registry {
  if (!existsSync(path)) return { kind, entries: [] };
  return { kind, entries: parseRegistry(readFileSync(path, "latin1"), path) };
}

/** Writes a registry file by rename. */
export function writeRegistryFile(path: string, entries: readonly RegistryEntry[]): void {
  disk.mkdirs(dirname(path));
  disk.replaceFile(path, Buffer.from(printRegistry(entries), "latin1"));
}
