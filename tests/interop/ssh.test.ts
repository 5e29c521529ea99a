/** Stores reached by ssh: each program with itself and, both ways, with the reference. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { sandboxWorks } from "@firn/build";
import { bytesOf, type Derivation } from "@firn/formats";
import {
  addDerivation,
  copyClosure,
  LocalStore,
  offered,
  openStore,
  removePath,
  Settings,
  SshStore,
  type Store,
  storeLocation,
  verifyStore,
} from "@firn/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../support/program.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

let top: string;
let source: LocalStore;
let root: string;

/** Starts what ssh would start on the other machine, here; what it was called with is written down. */
const fakeSsh = `#!/bin/sh
echo "$*" >> LOG
case $1 in -O) exit 255 ;; esac
case "$*" in *"LocalCommand=echo started"*) echo started ;; esac
while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
shift
exec sh -c "$*"
`;

beforeAll(async () => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-ssh-"));
  fs.mkdirSync(path.join(top, "bin"));
  fs.writeFileSync(path.join(top, "bin/ssh"), fakeSsh.replace("LOG", path.join(top, "log")), { mode: 0o755 });
  fs.writeFileSync(
    path.join(top, "bin/firn-nix-store"),
    `#!/bin/sh\nNIX_REMOTE=${top}/far exec ${process.execPath} --disable-warning=ExperimentalWarning ${main} nix-store "$@"\n`,
    { mode: 0o755 },
  );
  fs.writeFileSync(
    path.join(top, "bin/firn-nix-daemon"),
    `#!/bin/sh\nNIX_CONFIG='substituters =' NIX_REMOTE=${top}/far exec ${process.execPath} --disable-warning=ExperimentalWarning ${main} nix-daemon "$@"\n`,
    { mode: 0o755 },
  );
  source = await LocalStore.open({ location: storeLocation({ rootDir: path.join(top, "near") }) });
  const dependency = await source.addTextToStore("dependency", bytesOf("x".repeat(300_000)), []);
  root = await source.addTextToStore("root", dependency, [dependency]);
});
afterAll(async () => {
  await source.close();
  removePath(top);
});

/** Opens the store behind a daemon that ssh starts. */
function openNg(program: string): Promise<Store> {
  const environment = { ...process.env, PATH: `${top}/bin:${process.env.PATH}` };
  return openStore(`ssh-ng://user@machine?compress=true&ssh-key=/key&remote-program=${encodeURIComponent(program)}`, {
    settings: new Settings(),
    environment,
  });
}

function open(program: string): Promise<LocalStore | SshStore> {
  const environment = { ...process.env, PATH: `${top}/bin:${process.env.PATH}`, NIX_SSHOPTS: "-p 2222" };
  process.env.PATH = environment.PATH;
  return openStore(`ssh://user@machine?remote-program=${encodeURIComponent(program)}`, {
    settings: new Settings(),
    environment,
  }) as Promise<SshStore>;
}

async function far(): Promise<LocalStore> {
  return LocalStore.open({ location: storeLocation({ rootDir: path.join(top, "far") }) });
}

describe("a store reached by ssh", () => {
  it("takes a closure, tells about it and gives it back", async () => {
    const remote = await open(path.join(top, "bin/firn-nix-store"));
    expect(await copyClosure([root], { from: source, to: remote })).toHaveLength(2);
    expect(await copyClosure([root], { from: source, to: remote })).toHaveLength(0);
    const { registrationTime: _, ultimate: __, ...info } = (await source.queryPathInfo(root))!;
    expect(await remote.queryPathInfo(root)).toEqual(info);
    expect(await remote.queryPathInfo(`/nix/store/${"0".repeat(32)}-none`)).toBeUndefined();
    const back = await LocalStore.open({ location: storeLocation({ rootDir: path.join(top, "back") }) });
    await copyClosure([root], { from: remote, to: back });
    expect(await verifyStore(back, { checkContents: true })).toBe(false);
    await back.close();
    await remote.close();
    expect(fs.readFileSync(path.join(top, "log"), "utf8")).toBe(
      `-p 2222 -x user@machine -- ${top}/bin/firn-nix-store --serve --write\n`,
    );
    const store = await far();
    expect(await store.isValidPath(root)).toBe(true);
    await store.close();
  }, 60_000);

  it("refuses an archive that is not what it was said to be, and names that are no store paths", async () => {
    const remote = await open(path.join(top, "bin/firn-nix-store"));
    const info = (await source.queryPathInfo(root))!;
    const bad = { ...info, path: `/nix/store/${"1".repeat(32)}-other`, ca: undefined };
    const nar = [...((await source.narFromPath(root)) as Iterable<Uint8Array>)].map((chunk) =>
      chunk.map((byte) => byte ^ 1),
    );
    await expect(remote.addToStore(bad as unknown as typeof info, nar)).rejects.toThrow(/cannot connect|failed to add/);
    await remote.close();
    const again = await open(path.join(top, "bin/firn-nix-store"));
    await expect(again.queryValidPaths(["/etc/passwd"])).rejects.toThrow(/cannot connect/);
    await again.close();
    const store = await far();
    expect(await store.isValidPath(bad.path)).toBe(false);
    await store.close();
  }, 60_000);

  it("says so when the other side is another program, or none", async () => {
    for (const program of ["echo hello there, this is no store at all;", "true"]) {
      const remote = await open(program);
      await expect(remote.isValidPath(root)).rejects.toThrow(/protocol mismatch|cannot connect|sent the number/);
      await remote.close();
    }
    expect(() => new SshStore({ host: "-oProxyCommand=evil" })).toThrow(/must not start with '-'/);
  }, 60_000);

  const realNix = process.env.FIRN_REAL_NIX ?? "";
  const real = (state: string, ...command: string[]): string =>
    execFileSync(realNix, command, {
      encoding: "utf8",
      cwd: "/",
      env: {
        ...process.env,
        REAL_NIX_STATE: state,
        REAL_NIX_BIND: [top, checkout, path.dirname(path.dirname(process.execPath))].join(":"),
        PATH: `${top}/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
        NIX_CONFIG: "build-users-group =\nexperimental-features = nix-command\nsubstituters =\nrequire-sigs = false",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });

  it.skipIf(realNix === "")(
    "takes and gives paths with the reference at the far end",
    async () => {
      const state = path.join(top, "real");
      fs.mkdirSync(state);
      const remote = await open(`env REAL_NIX_STATE=${state} ${realNix} nix-store`);
      await copyClosure([root], { from: source, to: remote });
      expect(real(state, "nix-store", "-qR", root).trim().split("\n").sort()).toEqual(
        [root, ...(await source.queryPathInfo(root))!.references].sort(),
      );
      real(state, "nix-store", "--verify", "--check-contents");
      const back = await LocalStore.open({ location: storeLocation({ rootDir: path.join(top, "from-real") }) });
      await copyClosure([root], { from: remote, to: back });
      expect(await verifyStore(back, { checkContents: true })).toBe(false);
      await back.close();
      await remote.close();
    },
    120_000,
  );

  it.skipIf(realNix === "")(
    "serves the reference",
    async () => {
      const state = path.join(top, "client");
      fs.mkdirSync(state);
      fs.writeFileSync(path.join(top, "file"), "from the reference\n");
      const added = real(state, "nix-store", "--add", path.join(top, "file")).trim();
      const url = `ssh://machine?remote-program=${top}/bin/firn-nix-store`;
      real(state, "nix", "copy", "--to", url, added);
      const store = await far();
      expect(await store.isValidPath(added)).toBe(true);
      expect(await verifyStore(store, { checkContents: true })).toBe(false);
      await store.close();
      real(state, "nix", "copy", "--from", url, "--no-check-sigs", root);
      expect(real(state, "nix-store", "--verify-path", root)).toBe("");
    },
    120_000,
  );

  it("is also reached through its daemon, which adds, builds, tells and gives back", async () => {
    const remote = await openNg(path.join(top, "bin/firn-nix-daemon"));
    expect(await offered(remote, "server").queryServer()).toMatchObject({ trusted: true });
    await copyClosure([root], { from: source, to: remote });
    expect(fs.readFileSync(path.join(top, "log"), "utf8")).toContain(
      `-i /key -C -x user@machine -- ${top}/bin/firn-nix-daemon --stdio\n`,
    );
    const { registrationTime: _, ultimate: __, ...info } = (await source.queryPathInfo(root))!;
    expect(await remote.queryPathInfo(root)).toMatchObject(info);
    const back = await LocalStore.open({ location: storeLocation({ rootDir: path.join(top, "back-ng") }) });
    await copyClosure([root], { from: remote, to: back });
    expect(await verifyStore(back, { checkContents: true })).toBe(false);
    await back.close();
    const missing = await offered(remote, "building").queryMissing([{ kind: "opaque", path: root }]);
    expect(missing).toMatchObject({ willBuild: [], willSubstitute: [], unknown: [] });
    await remote.close();
    const other = await openNg("true");
    await expect(other.isValidPath(root)).rejects.toThrow(
      "cannot open connection to remote store 'ssh-ng://user@machine': the other end closed it",
    );
  }, 60_000);

  it.skipIf(!sandboxWorks())(
    "builds what is asked for by either protocol",
    async () => {
      const script = "echo a line; echo built > $out";
      const given: Derivation = {
        name: "far-built",
        outputs: new Map([["out", { kind: "deferred" }]]),
        inputDrvs: new Map(),
        inputSrcs: [],
        system: "x86_64-linux",
        builder: "/bin/sh",
        args: ["-ec", script],
        env: new Map([["out", ""]]),
      };
      const drvPath = await addDerivation(source, given, { dryRun: false });
      const { inputDrvs: _none, ...derivation } = source.readDerivation(drvPath);
      for (const remote of [
        await open(path.join(top, "bin/firn-nix-store")),
        await openNg(path.join(top, "bin/firn-nix-daemon")),
      ]) {
        await copyClosure([drvPath], { from: source, to: remote });
        const building = offered(remote, "building");
        const { outputs, error } = await building.buildDerivation({ drvPath, derivation });
        expect(error).toBeUndefined();
        expect(await remote.isValidPath(outputs.get("out") ?? "")).toBe(true);
        const [built] = await building.buildPaths([{ kind: "built", drvPath, outputs: ["out"] }]);
        expect(built?.error).toBeUndefined();
        await remote.close();
      }
    },
    60_000,
  );

  it.skipIf(realNix === "")(
    "speaks the daemon's protocol with the reference, at either end",
    async () => {
      const state = path.join(top, "real-ng");
      fs.mkdirSync(state);
      const remote = await openNg(`env REAL_NIX_STATE=${state} ${realNix} nix-daemon`);
      await copyClosure([root], { from: source, to: remote });
      expect(real(state, "nix-store", "-qR", root).trim().split("\n")).toContain(root);
      await remote.close();
      fs.writeFileSync(path.join(top, "file-ng"), "through the daemon\n");
      const added = real(state, "nix-store", "--add", path.join(top, "file-ng")).trim();
      const url = `ssh-ng://machine?remote-program=${top}/bin/firn-nix-daemon`;
      real(state, "nix", "copy", "--to", url, added);
      const store = await far();
      expect(await store.isValidPath(added)).toBe(true);
      await store.close();
      expect(real(state, "nix", "store", "info", "--json", "--store", url)).toContain('"trusted":true');
    },
    120_000,
  );
});
