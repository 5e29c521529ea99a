/** Stores behind a real SSH server: both protocols, and the reference at either end. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { copyClosure, LocalStore, openStore, removePath, Settings, storeLocation, verifyStore } from "@firn/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realEnvironment } from "../support/daemons.ts";
import { main } from "../support/program.ts";
import { sshdProgram, startSshd, type TestSshd } from "../support/sshd.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const realNix = process.env.FIRN_REAL_NIX ?? "";

let top: string;
let sshd: TestSshd;
let near: LocalStore;
let root: string;

const openAt = (name: string): Promise<LocalStore> =>
  LocalStore.open({ location: storeLocation({ rootDir: path.join(top, name) }), requireSigs: false });

/** Makes a program for the far end with the store below a directory. */
function far(name: string, variables: Record<string, string>, command: string): string {
  const file = path.join(top, name);
  const set = Object.entries(variables).map(([key, value]) => `export ${key}='${value}'\n`);
  fs.writeFileSync(file, `#!/bin/sh\n${set.join("")}exec ${command} "$@"\n`, { mode: 0o755 });
  return file;
}

/** A far end of ours for each protocol. */
const ours = (program: string): string =>
  far(
    `firn-${program}`,
    {
      NIX_REMOTE: path.join(top, "far"),
      NIX_CONFIG: "substituters =\nbuild-users-group =",
      ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
    },
    `${process.execPath} --disable-warning=ExperimentalWarning ${main} ${program}`,
  );

/** A far end of the reference. */
function theirs(program: string): string {
  fs.mkdirSync(path.join(top, "real/nix"), { recursive: true });
  return far(
    `real-${program}`,
    realEnvironment(path.join(top, "real"), "require-sigs = false"),
    `${realNix} ${program}`,
  );
}

const protocols = [
  ["ssh", "nix-store"],
  ["ssh-ng", "nix-daemon"],
] as const;

const urlOf = (scheme: string, program: string): string =>
  `${scheme}://${sshd.destination}?remote-program=${encodeURIComponent(program)}`;

beforeAll(async () => {
  if (sshdProgram === "") return;
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-sshd-"));
  fs.chmodSync(top, 0o755);
  sshd = await startSshd(path.join(top, "sshd"));
  near = await openAt("near");
  root = await near.addTextToStore("root", "", [await near.addTextToStore("dependency", "x".repeat(300_000), [])]);
});
afterAll(async () => {
  if (sshdProgram === "") return;
  await near.close();
  await sshd.stop();
  removePath(top);
});

/** Copies the closure of a path to the store behind a far end and into a new store from there. */
async function thereAndBack(scheme: string, program: string): Promise<void> {
  const environment = { ...process.env, NIX_SSHOPTS: sshd.options };
  const copied = await near.addTextToStore(path.basename(program), root, [root]);
  const remote = await openStore(urlOf(scheme, program), { settings: new Settings(), environment });
  const back = await openAt(`back-${path.basename(program)}`);
  try {
    expect(await copyClosure([copied], { from: near, to: remote, checkSignatures: false })).toContain(copied);
    expect(await copyClosure([copied], { from: remote, to: back, checkSignatures: false })).toHaveLength(3);
    expect(await verifyStore(back, { checkContents: true })).toBe(false);
  } finally {
    await back.close();
    await remote.close();
  }
}

/** Has the reference, with a store of its own, copy a file there and a path of ours back. */
async function byTheReference(scheme: string, program: string): Promise<void> {
  const state = path.join(top, `client-${scheme}`);
  fs.mkdirSync(path.join(state, "nix"), { recursive: true });
  fs.writeFileSync(path.join(state, "file"), `by ${scheme}\n`);
  const env = {
    ...realEnvironment(state, "require-sigs = false"),
    REAL_NIX_BIND: [top, checkout, path.dirname(path.dirname(process.execPath))].join(":"),
    NIX_SSHOPTS: sshd.options,
  };
  const nix = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)(realNix, ["nix", ...words], { cwd: top, env })).stdout.trim();
  const added = await nix("store", "add", path.join(state, "file"));
  await nix("copy", "--to", urlOf(scheme, program), added);
  const store = await openAt("far");
  expect([await store.isValidPath(added), await verifyStore(store, { checkContents: true })]).toEqual([true, false]);
  await store.close();
  await nix("copy", "--from", urlOf(scheme, program), "--no-check-sigs", root);
  await nix("store", "verify", "--no-trust", root);
}

describe.skipIf(sshdProgram === "")("a store behind a real SSH server", () => {
  it.each(protocols)(
    "is used by %s, with our far end",
    (scheme, program) => thereAndBack(scheme, ours(program)),
    60_000,
  );

  describe.skipIf(realNix === "")("and the reference", () => {
    it.each(protocols)("at the far end of %s", (scheme, program) => thereAndBack(scheme, theirs(program)), 60_000);
    it.each(protocols)("as our client by %s", (scheme, program) => byTheReference(scheme, ours(program)), 60_000);
  });

  it("is not entered when the server has another key", async () => {
    fs.writeFileSync(path.join(top, "sshd/other_hosts"), "");
    const options = sshd.options.replace("known_hosts", "other_hosts");
    const environment = { ...process.env, NIX_SSHOPTS: `${options} -o StrictHostKeyChecking=yes` };
    const remote = await openStore(urlOf("ssh", ours("nix-store")), { settings: new Settings(), environment });
    await expect(remote.isValidPath(root)).rejects.toThrow("cannot connect to");
    await remote.close();
  }, 60_000);
});
