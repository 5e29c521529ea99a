/** Systems for tests: trees in a temporary store, described by the texts of their files. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openSystem, type StoreView, type System } from "@firn/system";

/** A temporary store. */
export interface FakeStore extends StoreView {
  readonly directory: string;
  /** Makes a system of files by path; a value that begins with `-> ` is a link. */
  system(name: string, files: Readonly<Record<string, string>>, manifest?: object): System;
  remove(): void;
}

/** What a manifest says unless a test says otherwise. */
export const fakeManifest = {
  format: 1,
  name: "machine",
  label: "test",
  packages: [],
  users: {},
  groups: {},
  boot: {
    loader: "systemd-boot",
    efiSysMountPoint: "/boot",
    configurationLimit: null,
    timeout: 3,
    bootCountingTries: 0,
    editor: false,
  },
  health: { timeout: 5, units: [], network: true },
};

/** Makes an empty temporary store. */
export function makeFakeStore(): FakeStore {
  const directory = mkdtempSync(join(tmpdir(), "firn-systems-"));
  const view = { storeDir: "/nix/store", realStoreDir: join(directory, "store") };
  let count = 0;
  return {
    ...view,
    directory,
    system(name, files, manifest = {}) {
      const hash = String(count++).padStart(32, "0");
      const path = `/nix/store/${hash}-${name}`;
      const all = { "firn-os.json": JSON.stringify({ ...fakeManifest, ...manifest }), ...files };
      for (const [file, text] of Object.entries(all)) {
        const real = join(view.realStoreDir, `${hash}-${name}`, file);
        mkdirSync(dirname(real), { recursive: true });
        if (text.startsWith("-> ")) symlinkSync(text.slice(3), real);
        else writeFileSync(real, text);
        if (file === "activate") chmodSync(real, 0o755);
      }
      return openSystem(view, path);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
