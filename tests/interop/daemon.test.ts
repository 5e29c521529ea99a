/** Daemons and their clients: each program with itself and, both ways, with the reference, at several versions of the protocol. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { sandboxWorks } from "@firn/build";
import { bytesOf, type Derivation, wire } from "@firn/formats";
import {
  addDerivation,
  copyClosure,
  type FirnEvent,
  LocalStore,
  type MachineStore,
  offered,
  openMachineStore,
  openStore,
  readFileChunks,
  removePath,
  Settings,
  type Store,
  storeLocation,
  tryLock,
  verifyStore,
} from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  daemonHere,
  firnClient,
  firnDaemon,
  realDaemon,
  realEnvironment,
  sandboxPrograms,
  type TestDaemon,
  workerProtocolUntil,
} from "../support/daemons.ts";

const run = promisify(execFile);
const realNix = process.env.FIRN_REAL_NIX ?? "";

let top: string;
let root: string;
let events: FirnEvent[];
const opened: Store[] = [];
const daemons: TestDaemon[] = [];

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-daemon-"));
  fs.chmodSync(top, 0o755);
  root = path.join(top, "root");
  events = [];
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const daemon of daemons.splice(0)) await daemon.stop();
  removePath(top);
});

const kept = <Daemon extends TestDaemon>(daemon: Daemon): Daemon => {
  daemons.push(daemon);
  return daemon;
};

async function client(daemon: TestDaemon, minor = 38, settings = new Settings()): Promise<MachineStore> {
  const store = await openMachineStore(
    {
      settings,
      environment: {},
      events: (event) => void events.push(event),
      workerProtocol: workerProtocolUntil(minor),
      verbosity: 3,
    },
    daemon.url,
  );
  opened.push(store);
  return store;
}

async function localStore(name: string): Promise<LocalStore> {
  const store = await LocalStore.open({ location: storeLocation({ rootDir: path.join(top, name) }) });
  opened.push(store);
  return store;
}

/** A derivation that runs a script, with the path of its file. */
async function derivation(
  store: MachineStore,
  name: string,
  script: string,
): Promise<{ readonly drvPath: string; readonly given: Derivation }> {
  const given: Derivation = {
    name,
    outputs: new Map([["out", { kind: "deferred" }]]),
    inputDrvs: new Map(),
    inputSrcs: [],
    system: "x86_64-linux",
    builder: "/bin/sh",
    args: ["-ec", script],
    env: new Map([
      ["PATH", "/bin:/usr/bin"],
      ["name", name],
      ["out", ""],
    ]),
  };
  return { drvPath: await addDerivation(store, given, { dryRun: false }), given };
}

async function bytes(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Everything that a client does with a daemon's store, one after the other. */
async function everything(store: MachineStore, minor: number): Promise<void> {
  // Adding what follows from its content, in every form.
  const text = await store.addTextToStore("text", "a text", []);
  const flat = path.join(top, "flat");
  fs.writeFileSync(flat, "x".repeat(100_000));
  const file = await store.addPath(flat, { name: "file", method: "flat" });
  const tree = path.join(top, "tree");
  fs.mkdirSync(path.join(tree, "sub"), { recursive: true });
  fs.writeFileSync(path.join(tree, "sub/a"), "b".repeat(300_000));
  const added = await store.addPath(tree, { name: "tree" });
  expect(await store.queryValidPaths([text, file.path, added.path])).toEqual(new Set([text, file.path, added.path]));
  expect(await store.queryPathInfo(added.path)).toMatchObject({ narSize: added.narSize, narHash: added.narHash });
  expect(await store.queryPathFromHashPart(added.path.slice(11, 43))).toBe(added.path);
  expect((await bytes(store.narFromPath(added.path))).length).toBe(added.narSize);

  // Importing a path that is signed by nobody, with what it refers to.
  const source = await localStore("source");
  const leaf = await source.addTextToStore("leaf", bytesOf("y".repeat(200_000)), []);
  const top1 = await source.addTextToStore("top", leaf, [leaf]);
  expect(await copyClosure([top1], { from: source, to: store })).toHaveLength(2);
  expect(await store.queryReferrers(leaf)).toEqual([top1]);
  const unsigned = { ...(await source.queryPathInfo(leaf))!, path: `/nix/store/${"1".repeat(32)}-unsigned` };
  const { ca: _ca, ...facts } = unsigned;
  await store.addToStore(facts, source.narFromPath(leaf), { checkSignatures: false });
  await store.addSignatures(
    facts.path,
    ["key-1:".padEnd(94, "A")].map((text) => `${text.slice(0, 92)}==`),
  );
  expect((await store.queryPathInfo(facts.path))?.signatures).toHaveLength(1);

  // Building, with the log as it is written and as it is kept.
  const { drvPath } = await derivation(store, "built", `echo a line of the log; echo ${leaf} > $out`);
  const plan = await offered(store, "building").queryMissing([{ kind: "built", drvPath, outputs: "*" }]);
  expect(plan.willBuild).toEqual([drvPath]);
  const [result] = await offered(store, "building").buildPaths([{ kind: "built", drvPath, outputs: ["out"] }]);
  expect(result?.error).toBeUndefined();
  const out = result?.outputs.get("out") ?? "";
  expect(events).toContainEqual({ kind: "build-log", drvPath, line: "a line of the log" });
  const log = await store.buildLog(drvPath);
  expect((await bytes(log ?? [])).toString()).toBe("a line of the log\n");
  if (minor >= 22) {
    expect(await store.queryDerivationOutputs(drvPath)).toEqual(new Map([["out", out]]));
    expect(await store.queryValidDerivers(out)).toEqual([drvPath]);
  }
  const failing = await derivation(store, "failing", "echo no way; exit 3");
  const failed = await offered(store, "building").buildPaths([
    { kind: "built", drvPath: failing.drvPath, outputs: "*" },
  ]);
  expect(failed[0]?.error?.message).toMatch(/failed with exit code 3/);
  expect(failed[0]?.error?.exitStatus).toBe(100);

  // Roots, garbage, checks.
  const link = path.join(root, "link");
  await store.addPermRoot(top1, link);
  expect((await offered(store, "roots").findRoots()).get(top1)).toContain(link);
  const { paths: dead } = await offered(store, "roots").collectGarbage({ action: "dead" });
  // What this client has added stays while it is connected.
  for (const path of [facts.path, leaf, text]) expect(dead).not.toContain(path);
  await expect(offered(store, "roots").collectGarbage({ action: "delete-specific", paths: [leaf] })).rejects.toThrow(
    /still alive|alive/,
  );
  await offered(store, "upkeep").optimiseStore();
  expect(await offered(store, "upkeep").verifyStore({ checkContents: true })).toBe(false);
  const all = await store.queryAllValidPaths();
  expect(all).toContain(leaf);
  // The connection is as good as before.
  expect(await store.isValidPath(text)).toBe(true);
}

/** Minor versions of the protocol: the oldest, the newest, and with `FIRN_ALL_VERSIONS` those between that changed something. */
const versions = process.env.FIRN_ALL_VERSIONS === undefined ? [21, 38] : [21, 23, 25, 30, 32, 34, 38];

describe.skipIf(!sandboxWorks())("a client and a daemon of ours", () => {
  it.each(versions)("do everything in version 1.%i of the protocol", async (minor) => {
    const daemon = kept(await daemonHere(root, { protocol: workerProtocolUntil(minor) }));
    await everything(await client(daemon), minor);
  });

  it("share a realisation, and a log from elsewhere", async () => {
    const daemon = kept(await daemonHere(root));
    const store = await client(daemon);
    const outPath = await store.addTextToStore("realised", "r", []);
    const id = wire.parseDrvOutput(`sha256:${"0".repeat(64)}!out`);
    expect(await store.queryRealisation(id)).toBeUndefined();
    await store.registerRealisation({ id, outPath, signatures: [] });
    expect(await store.queryRealisation(id)).toEqual({ id, outPath, signatures: [] });
    const drvPath = `/nix/store/${"2".repeat(32)}-logged.drv`;
    const file = path.join(top, "log");
    fs.writeFileSync(file, "from elsewhere\n");
    const chunks = readFileChunks(file);
    await store.addBuildLog(
      drvPath,
      (async function* () {
        yield* chunks;
      })(),
    );
    expect((await bytes((await store.buildLog(drvPath)) ?? [])).toString()).toBe("from elsewhere\n");
  });

  it("build a derivation that is in no store, and again to compare", async () => {
    const daemon = kept(await daemonHere(root));
    const store = await client(daemon);
    const { drvPath } = await derivation(store, "given", "echo given > $out");
    const { inputDrvs: _none, ...basic } = store.readDerivation(drvPath);
    const building = offered(store, "building");
    const { outputs, error } = await building.buildDerivation({ drvPath, derivation: basic });
    expect(error).toBeUndefined();
    expect(await store.isValidPath(outputs.get("out") ?? "")).toBe(true);
    const again = await building.buildPaths([{ kind: "built", drvPath, outputs: "*" }], { mode: "check" });
    expect(again[0]?.error).toBeUndefined();
    const random = await derivation(store, "random", "cat /proc/sys/kernel/random/uuid > $out");
    const request = [{ kind: "built", drvPath: random.drvPath, outputs: "*" }] as const;
    await building.buildPaths(request);
    const [compared] = await building.buildPaths(request, { mode: "check" });
    expect(compared?.error?.exitStatus).toBe(104);
  });

  it.each([32, 38])("make a damaged path good again, in version 1.%i", async (minor) => {
    const daemon = kept(await daemonHere(root, { protocol: workerProtocolUntil(minor) }));
    const store = await client(daemon);
    const { drvPath } = await derivation(store, "damaged", "echo whole > $out");
    const building = offered(store, "building");
    await building.buildPaths([{ kind: "built", drvPath, outputs: "*" }]);
    const out = (await store.queryDerivationOutputs(drvPath)).get("out") ?? "";
    fs.chmodSync(store.realPath(out), 0o644);
    fs.writeFileSync(store.realPath(out), "broken\n");
    expect(await offered(store, "upkeep").isIntact(out)).toBe(false);
    const [result] = await building.buildPaths([{ kind: "opaque", path: out }], { mode: "repair" });
    expect(result?.error).toBeUndefined();
    expect(await offered(store, "upkeep").isIntact(out)).toBe(true);
    const text = await store.addTextToStore("text", "no cache has this", []);
    const [refused] = await building.buildPaths([{ kind: "opaque", path: text }], { mode: "repair" });
    expect(refused?.error?.message).toContain(`cannot repair path '${text}'`);
  });

  it("end a build that the client does not want any more", async () => {
    const daemon = kept(await daemonHere(root));
    const store = await client(daemon);
    const { drvPath } = await derivation(store, "endless", "echo started; while :; do sleep 1; done");
    const abort = new AbortController();
    const building = offered(store, "building").buildPaths([{ kind: "built", drvPath, outputs: "*" }], {
      signal: abort.signal,
    });
    while (!events.some((event) => event.kind === "build-log")) await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort();
    await expect(building).rejects.toMatchObject({ code: "aborted" });
    await lockIsFree(store, drvPath);
    expect(await store.isValidPath(drvPath)).toBe(true);
  });
});

/** Waits until the lock of a derivation's output can be taken: its builder and whoever waited for it are gone. */
async function lockIsFree(store: MachineStore, drvPath: string): Promise<void> {
  const output = store.readDerivation(drvPath).outputs.get("out");
  const file = `${store.realPath(output?.kind === "input-addressed" ? output.path : "")}.lock`;
  for (;;) {
    if (!fs.existsSync(file)) return;
    const fd = fs.openSync(file, "r+");
    try {
      if (tryLock(fd, "write")) return;
    } finally {
      fs.closeSync(fd);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.skipIf(realNix === "" || !sandboxWorks())("with the reference", () => {
  it.each(versions)("its daemon serves our client in version 1.%i of the protocol", async (minor) => {
    const daemon = kept(await realDaemon(root, `sandbox-paths = ${sandboxPrograms}`));
    await everything(await client(daemon, minor), minor);
  });

  it.each(versions)("its client uses our daemon in version 1.%i of the protocol", async (minor) => {
    const daemon = kept(await daemonHere(root, { protocol: workerProtocolUntil(minor) }));
    // The reference sees the files of the store where they are named.
    await (await client(daemon)).addTextToStore("first", "1", []);
    // What a client protects is kept while any client of the same process is there.
    await opened.pop()?.close();
    fs.writeFileSync(path.join(root, "file"), "some data\n");
    fs.writeFileSync(
      path.join(root, "cases.nix"),
      `let make = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-ec" script ]; };
       in rec { one = make "one" "echo log of one; echo 1 > $out"; two = make "two" "cat \${one} \${./file} > $out"; bad = make "bad" "echo oh no; exit 7"; }`,
    );
    const environment = { ...realEnvironment(root), NIX_REMOTE: `unix://${daemon.socket}` };
    const real = async (...words: string[]): Promise<string> =>
      (await run(realNix, words, { cwd: root, encoding: "utf8", env: environment })).stdout;
    const link = path.join(root, "result");
    const two = (await real("nix-build", "cases.nix", "-A", "two", "-o", link)).trim();
    expect(await real("nix", "log", "-f", "cases.nix", "one")).toBe("log of one\n");
    await expect(real("nix-build", "cases.nix", "-A", "bad", "--no-out-link")).rejects.toThrow(/exit code 7/);
    expect((await real("nix-store", "-qR", two)).split("\n")).toContain(two);
    const exported = path.join(root, "export");
    await real("sh", "-c", `nix-store --export ${two} > ${exported}`);
    const cache = `file://${path.join(root, "cache")}`;
    await real("nix", "copy", "--to", cache, two);
    expect(await real("nix-store", "--gc", "--print-roots")).toContain(two);
    fs.rmSync(link);
    await real("nix-store", "--gc");
    await expect(real("nix", "path-info", two)).rejects.toThrow("is not valid");
    await real("nix", "copy", "--no-check-sigs", "--from", cache, two);
    expect((await real("nix", "path-info", two)).trim()).toBe(two);
    await real("nix-store", "--gc");
    expect((await real("sh", "-c", `nix-store --import < ${exported}`)).trim()).toBe(two);
    await real("nix-store", "--verify", "--check-contents");
    await real("nix-store", "--optimise");
    expect(await real("nix", "store", "info", "--json")).toContain(minor >= 35 ? '"trusted":true' : '"url"');
  });
});

describe("clients that are not trusted", () => {
  it("add what proves itself and nothing else, and change no settings", async () => {
    const daemon = kept(await daemonHere(root, { rights: "untrusted" }));
    const settings = new Settings();
    const changes = [
      ["sandbox", "false"],
      ["post-build-hook", "/bin/evil"],
      ["require-sigs", "false"],
      ["trusted-public-keys", ""],
      ["substituters", "https://evil.example.org"],
      ["timeout", "5"],
    ] as const;
    for (const [name, value] of changes) settings.set(name, value);
    const store = await client(daemon, 38, settings);
    expect(await offered(store, "server").queryServer()).toMatchObject({ trusted: false });
    const warnings = events.flatMap((event) => (event.kind === "message" ? [event.text] : []));
    for (const name of ["sandbox", "post-build-hook", "require-sigs", "trusted-public-keys"]) {
      expect(warnings).toContain(
        `warning: ignoring the client-specified setting '${name}', because it is a restricted setting and you are not a trusted user`,
      );
    }
    expect(warnings.join("\n")).toContain("ignoring untrusted substituter 'https://evil.example.org'");
    expect(warnings.join("\n")).not.toContain("'timeout'");

    const text = await store.addTextToStore("text", "a text", []);
    const source = await localStore("source");
    const leaf = await source.addTextToStore("leaf", "leaf", []);
    expect(await copyClosure([leaf], { from: source, to: store, checkSignatures: false })).toEqual([leaf]);
    const { ca: _ca, ...facts } = (await source.queryPathInfo(leaf))!;
    const unsigned = { ...facts, path: `/nix/store/${"1".repeat(32)}-unsigned`, ultimate: true };
    const nar = await bytes(source.narFromPath(leaf));
    await expect(store.addToStore(unsigned, [nar], { checkSignatures: false })).rejects.toThrow(
      /lacks a signature by a trusted key/,
    );
    await expect(
      (store.addManyToStore as NonNullable<typeof store.addManyToStore>)([{ info: unsigned, nar: () => [nar] }]),
    ).rejects.toThrow(/lacks a signature by a trusted key/);
    await expect(store.addToStore({ ...facts, path: unsigned.path, ca: _ca! }, [nar])).rejects.toThrow();
    const { drvPath } = await derivation(store, "given", "echo given > $out");
    const { inputDrvs: _none, ...basic } = store.readDerivation(drvPath);
    const building = offered(store, "building");
    await expect(building.buildDerivation({ drvPath, derivation: basic })).rejects.toThrow(
      "you are not privileged to build input-addressed derivations",
    );
    await expect(building.buildPaths([{ kind: "opaque", path: text }], { mode: "repair" })).rejects.toThrow(
      "repairing is not allowed",
    );
    await expect(offered(store, "upkeep").verifyStore({ repair: async () => true })).rejects.toThrow(
      "not privileged to repair",
    );
    const repairs = [
      () => store.addContent(() => [nar], { name: "leaf", repair: true }),
      () => store.addToStore({ ...facts, ca: _ca! }, [nar], { repair: true }),
      () =>
        (store.addManyToStore as NonNullable<typeof store.addManyToStore>)(
          [{ info: { ...facts, ca: _ca! }, nar: () => [nar] }],
          { repair: true },
        ),
    ];
    for (const repair of repairs) await expect(repair()).rejects.toThrow("repairing is not allowed");
    for (const signature of ["two words:AAAA", "two\nlines:AAAA", ":AAAA"]) {
      await expect((await client(daemon)).addSignatures(text, [signature])).rejects.toThrow("signature is corrupt");
    }
    const again = await client(daemon);
    expect((await again.queryPathInfo(text))?.signatures).toEqual([]);
    await expect(
      offered(store, "roots").collectGarbage({ action: "delete-specific", paths: [], ignoreLiveness: true }),
    ).rejects.toThrow("not allowed to ignore liveness");
    await expect(
      store.addBuildLog(
        drvPath,
        (async function* () {
          yield bytesOf("log");
        })(),
      ),
    ).rejects.toThrow("not privileged to add logs");
    expect(await store.queryAllValidPaths()).not.toContain(unsigned.path);
  });

  it("are also those in trusted-users where hooks, the sandbox and keys are concerned", async () => {
    const daemon = kept(await daemonHere(root, { rights: "trusted" }));
    const settings = new Settings();
    settings.set("post-build-hook", "/bin/evil");
    settings.set("keep-outputs", "true");
    const store = await client(daemon, 38, settings);
    expect(await offered(store, "server").queryServer()).toMatchObject({ trusted: true });
    const warnings = events.flatMap((event) => (event.kind === "message" ? [event.text] : []));
    expect(warnings).toEqual([
      "warning: ignoring the client-specified setting 'post-build-hook', because only the owner of the daemon may change it",
    ]);
    expect(await store.isValidPath(`/nix/store/${"1".repeat(32)}-x`)).toBe(false);
  });
});

describe.skipIf(!sandboxWorks())("a daemon with processes for its clients", () => {
  it("outlives clients that are killed while they add and build, and frees what they held", async () => {
    const daemon = kept(await firnDaemon(root));
    const store = await client(daemon);
    const marker = `marker-${process.pid}-${Date.now()}`;
    const { drvPath } = await derivation(store, "endless", `: ${marker}; echo started; while :; do sleep 1; done`);
    const builder = firnClient(daemon, root, "build", `${drvPath}^out`, "--no-link", "-L");
    await new Promise<void>((resolve) => {
      builder.stderr?.on("data", (data: Buffer) => {
        if (data.toString().includes("started")) resolve();
      });
    });
    expect(processesWith(marker)).not.toEqual([]);
    builder.kill("SIGKILL");
    await lockIsFree(store, drvPath);
    while (processesWith(marker).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));

    // One that dies in the middle of an archive, as a connection that ends there.
    const source = await localStore("source");
    const leaf = await source.addTextToStore("leaf", bytesOf("z".repeat(1_000_000)), []);
    const info = (await source.queryPathInfo(leaf))!;
    const dying = await client(daemon);
    const half = async function* (): AsyncGenerator<Uint8Array> {
      yield (await bytes(source.narFromPath(leaf))).subarray(0, 400_000);
      throw new Error("the client dies");
    };
    await expect(dying.addToStore(info, half())).rejects.toThrow("the client dies");
    expect(await store.isValidPath(leaf)).toBe(false);
    await store.addToStore(info, source.narFromPath(leaf));
    expect(await store.isValidPath(leaf)).toBe(true);
    const own = await localStore("root");
    expect(await verifyStore(own, { checkContents: true })).toBe(false);
  });

  it("outlives garbage, and clients that say nothing", async () => {
    const daemon = kept(await firnDaemon(root));
    const store = await client(daemon);
    const path_ = await store.addTextToStore("text", "a text", []);
    const greeting = new wire.WireOutput();
    greeting.number(wire.workerProtocol.clientMagic);
    greeting.number(wire.workerProtocol.newest);
    const starts = [
      Buffer.alloc(0),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.alloc(100_000, 0xff),
      greeting.finish(),
    ];
    const idle = net.connect(daemon.socket);
    for (const start of starts) {
      const socket = net.connect(daemon.socket);
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(start);
      socket.write(Buffer.alloc(5000, 0xee));
      const closed = new Promise((resolve) => socket.once("close", resolve));
      if (start.length === 0) socket.destroy();
      await closed;
    }
    expect(await store.isValidPath(path_)).toBe(true);
    expect(await (await client(daemon)).isValidPath(path_)).toBe(true);
    idle.destroy();
  });

  it("serves twenty clients at once", async () => {
    const daemon = kept(await firnDaemon(root));
    const added = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const store = await client(daemon);
        const own = await store.addTextToStore(`own-${index}`, `${index}`, []);
        const shared = await store.addTextToStore("shared", "shared", []);
        return [own, shared, await store.isValidPath(own)];
      }),
    );
    expect(new Set(added.map(([own]) => own)).size).toBe(20);
    expect(new Set(added.map(([, shared]) => shared)).size).toBe(1);
    expect(added.every(([, , valid]) => valid)).toBe(true);
  }, 300_000);

  it("lets in and trusts as nix.conf says", async () => {
    const refusing = kept(await firnDaemon(root, { configuration: "allowed-users = nobody-at-all\ntrusted-users =" }));
    const refused = await client(refusing);
    await expect(refused.isValidPath(`/nix/store/${"1".repeat(32)}-x`)).rejects.toThrow(
      /cannot open connection to remote store/,
    );
    expect(refusing.log()).toContain("is not allowed to connect to the Nix daemon");
    await daemons.pop()?.stop();
    const flags = ["--force-untrusted", "--option", "extra-experimental-features", "daemon-trust-override"];
    const forced = await client(kept(await firnDaemon(path.join(top, "other"), { flags })));
    expect(await offered(forced, "server").queryServer()).toMatchObject({ trusted: false });
    const trusting = await client(
      kept(await firnDaemon(path.join(top, "third"), { configuration: "trusted-users = *" })),
    );
    expect(await offered(trusting, "server").queryServer()).toMatchObject({ trusted: true });
  });
});

/** The processes with a word in their arguments, other than this one. */
function processesWith(word: string): string[] {
  return fs.readdirSync("/proc").filter((pid) => {
    if (!/^[0-9]+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(word);
    } catch {
      return false;
    }
  });
}

it("a daemon that is not there is told with its socket", async () => {
  const store = await openStore(`unix://${top}/none`, { settings: new Settings(), environment: {} });
  opened.push(store);
  await expect(store.isValidPath(`/nix/store/${"1".repeat(32)}-x`)).rejects.toMatchObject({
    code: "cannot-connect",
    message: `cannot open connection to remote store 'unix://${top}/none': cannot connect to socket at '${top}/none': No such file or directory`,
  });
});
