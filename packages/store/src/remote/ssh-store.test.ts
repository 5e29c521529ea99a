import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FirnEvent } from "../events.ts";
import { removePath } from "../fs/remove.ts";
import { SshStore } from "./ssh-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-ssh-"));
});
afterEach(() => void removePath(directory));

/** A store behind an `ssh` that is a script of ours. */
function storeBehind(script: string, events: FirnEvent[]): SshStore {
  const program = join(directory, "ssh");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const environment = { PATH: `${directory}:${process.env.PATH}` };
  return new SshStore({ host: "machine", environment, events: (event) => void events.push(event) });
}

const message = (text: string) => ({ kind: "message", level: "error", text });

test("what ssh says before it fails is told, line by line, and goes to no terminal by itself", async () => {
  const events: FirnEvent[] = [];
  const store = storeBehind("printf 'no \\033]0;x\\007such\\nhost' >&2; exit 255", events);
  await expect(store.isValidPath(`/nix/store/${"0".repeat(32)}-x`)).rejects.toThrow("cannot connect to 'machine'");
  await store.close();
  expect(events).toEqual([message("no \x1b]0;x\x07such"), message("host")]);
});

test("a far end that ends its output but stays is ended", async () => {
  const events: FirnEvent[] = [];
  const store = storeBehind("echo waiting >&2; exec 1>&-; exec sleep 1000", events);
  await expect(store.isValidPath(`/nix/store/${"0".repeat(32)}-x`)).rejects.toThrow("cannot connect to 'machine'");
  expect(events).toEqual([message("waiting")]);
});
