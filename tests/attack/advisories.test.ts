/** One test for the lesson of each security advisory about Nix since 2024, in the order of their dates. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { hasProgram, sandboxWorks } from "@firn/build";
import { hashData, ignoringNarSink, makeFixedOutputPath, NarParser, type NarSink, printHash } from "@firn/formats";
import {
  canonicalise,
  dumpPath,
  LocalStore,
  observeSteps,
  RestoreSink,
  removePath,
  storeLocation,
  TreeWriter,
} from "@firn/store";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { debOf, narOf, tarOf } from "../support/archives.ts";
import { makePlace, type Outcome, type Place } from "../support/run-firn.ts";
import { asOrdinaryUser, ordinaryUser } from "./user.ts";

const isRoot = process.getuid?.() === 0;
const HOST = "/bin /lib /lib64? /usr";
const HELLO = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
const builds = test.skipIf(!sandboxWorks());

let place: Place;
/** A directory of the machine that nothing may touch. */
let outside: string;
beforeEach(() => {
  place = makePlace();
  fs.chmodSync(place.directory, 0o755);
  outside = at("outside");
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, "precious"), "kept", { mode: 0o640 });
});
afterEach(() => {
  observeSteps(undefined);
  const precious = join(outside, "precious");
  expect(fs.readdirSync(outside)).toEqual(["precious"]);
  expect(fs.readFileSync(precious, "utf8")).toBe("kept");
  expect(fs.statSync(precious)).toMatchObject({ mode: 0o100640, uid: process.getuid?.() });
  removePath(place.directory);
});

const at = (...names: string[]): string => join(place.directory, ...names);
const inStore = (out: string): string => join(place.store, out.trim());
const buildDirectories = (): string[] => fs.readdirSync(at("root/nix/var/nix/builds"));

/** Builds a derivation of these attributes. */
function build(attributes: string, ...args: string[]): Promise<Outcome> {
  fs.writeFileSync(at("work/x.nix"), `derivation { name = "x"; system = builtins.currentSystem; ${attributes} }\n`);
  return place.firn("build", "--no-link", "--print-out-paths", "-L", "-f", "x.nix", ...args);
}

/** The attributes of a derivation whose builder is a shell script; `fixed` says that its output is to be "hello". */
function script(text: string, fixed = false): string {
  fs.writeFileSync(at("work/script"), text);
  const hash = fixed ? `outputHash = "${HELLO}"; outputHashMode = "flat";` : "";
  return `builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-e" ./script ]; ${hash}`;
}

const withHost = (...more: string[]): string[] => ["--option", "sandbox-paths", [HOST, ...more].join(" ")];

/** A named pipe on which a builder that runs `read line < /gate/pipe` waits. */
function makeGate(): { readonly sandboxPath: string; reached(): Promise<{ open(): void }> } {
  fs.mkdirSync(at("gate"));
  execFileSync("mkfifo", ["-m", "666", at("gate/pipe")]);
  return {
    sandboxPath: `/gate=${at("gate")}`,
    reached: async () => {
      const pipe = await fs.promises.open(at("gate/pipe"), "w");
      return { open: () => void pipe.close() };
    },
  };
}

/** Exchanges the directory `a` of a tree for a link that leads outside before each step of `work` in turn. */
function exchangingAtEachStep(work: (tree: string) => void): void {
  for (let chosen = 0, steps = 1; chosen < steps; chosen++) {
    const tree = at("tree");
    fs.mkdirSync(join(tree, "a"), { recursive: true });
    for (const name of ["a/precious", "b"]) fs.writeFileSync(join(tree, name), name);
    steps = 0;
    observeSteps(() => {
      if (steps++ !== chosen || !fs.existsSync(join(tree, "a"))) return;
      fs.renameSync(join(tree, "a"), at("moved"));
      fs.symlinkSync(outside, join(tree, "a"));
    });
    try {
      work(tree);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
    observeSteps(undefined);
    expect(fs.readFileSync(join(outside, "precious"), "utf8")).toBe("kept");
    expect(fs.statSync(join(outside, "precious")).mode & 0o7777).toBe(0o640);
    removePath(tree);
    removePath(at("moved"));
  }
}

function parse(nar: Uint8Array, sink: NarSink = ignoringNarSink): void {
  const parser = new NarParser(sink);
  parser.push(nar);
  parser.finish();
}

/** A Perl program that tries a Unix socket with the name NAME of the abstract namespace. */
const socket = (call: string, name: string): string =>
  `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or exit 7; ${call}(S, pack_sockaddr_un("\\0${name}")) and exit 0; exit 7'`;

builds("3.1 CVE-2024-27297: what a fixed output's hash was checked of is in nobody else's hands", async () => {
  const name = `firn-3-1-${process.pid}`;
  const { code, out, err } = await build(
    script(
      `echo hello > $out
( exec 3>> $out; exec sleep 98761 ) > /dev/null 2>&1 &
if ${socket("bind", name)}; then echo bound; else echo "no socket"; fi`,
      true,
    ),
    ...withHost(),
  );
  expect([code, err]).toEqual([0, expect.stringContaining("no socket")]);
  const { ino, dev } = fs.statSync(inStore(out));
  expect(fs.readFileSync(inStore(out), "utf8")).toBe("hello\n");
  const holders = fs.readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
        const open = fs.statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
        return open?.ino === ino && open.dev === dev;
      });
    } catch (error) {
      // It has ended meanwhile.
      expect((error as NodeJS.ErrnoException).code).toMatch(/ENOENT|EACCES|ESRCH/);
      return false;
    }
  });
  expect(holders).toEqual([]);
});

builds("3.2 CVE-2024-38531: no other user enters a build's directory, and no builder sets a uid bit", async () => {
  const gate = makeGate();
  const building = build(
    script("touch f; ! chmod u+s f; ! chmod g+s f; read line < /gate/pipe || true; touch $out"),
    ...withHost(gate.sandboxPath),
  );
  const builder = await gate.reached();
  const [directory, ...others] = buildDirectories();
  expect(others).toEqual([]);
  const { mode, uid } = fs.statSync(at("root/nix/var/nix/builds", directory!));
  builder.open();
  expect(await building).toMatchObject({ code: 0 });
  expect([mode & 0o7777, uid]).toEqual([0o700, process.getuid?.()]);
});

test("3.3 CVE-2024-45593: unpacking a NAR follows no link and takes no name twice", () => {
  const file = ["(", "type", "regular", "contents", "x", ")"];
  const entry = (name: string, ...node: string[]): string[] => ["entry", "(", "name", name, "node", ...node, ")"];
  const link = ["(", "type", "symlink", "target", outside, ")"];
  const directory = ["(", "type", "directory", ...entry("planted", ...file), ")"];
  for (const entries of [
    [...entry("a", ...link), ...entry("a", ...directory)],
    entry("../outside/planted", ...file),
    entry("..", ...file),
    entry("", ...file),
  ]) {
    const sink = new RestoreSink(at("unpacked"));
    try {
      expect(() => parse(narOf("(", "type", "directory", ...entries, ")"), sink)).toThrow("bad archive: ");
    } finally {
      sink.close();
    }
    removePath(at("unpacked"));
  }
  // Even a parser that let it pass would get nowhere.
  const sink = new RestoreSink(at("unpacked"));
  try {
    sink.directory("");
    sink.symlink("/a", outside);
    expect(() => sink.regular("/a/planted", { executable: false, size: 0 })).toThrow();
    expect(() => sink.directory("/a")).toThrow();
  } finally {
    sink.close();
  }
});

describe.skipIf(!hasProgram("openssl"))("a server whose certificate nobody vouches for", () => {
  let server: https.Server;
  let url: string;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        ...["-keyout", at("key.pem"), "-out", at("cert.pem")],
      ],
      { stdio: "pipe" },
    );
    const tls = { key: fs.readFileSync(at("key.pem")), cert: fs.readFileSync(at("cert.pem")) };
    server = https.createServer(tls, (request, response) => {
      asked.push(request.url ?? "");
      response.end(request.url === "/nix-cache-info" ? "StoreDir: /nix/store\n" : "hello\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test("3.4 GHSA-6fjr-mq49-mm2c: is believed by no fetcher, also where the hash is known", async () => {
    const fixed = `builder = "builtin:fetchurl"; url = "${url}/f"; outputHash = "${HELLO}"; outputHashMode = "flat";`;
    const fetched = (expression: string, ...more: string[]): Promise<Outcome> =>
      place.firn("eval", "--impure", "--option", "download-attempts", "1", "--expr", expression, ...more);
    const tree = `builtins.fetchTree { type = "file"; url = "${url}/g"; narHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; }`;
    const refusals = [
      await build(fixed, "--option", "download-attempts", "1"),
      await fetched(tree),
      await fetched(`builtins.fetchurl { url = "${url}/h"; sha256 = "${HELLO}"; }`),
      await fetched(`builtins.fetchTarball "${url}/i.tar"`),
      await place.firn("copy", "--from", url, `/nix/store/${"1".repeat(32)}-x`, "--option", "download-attempts", "1"),
    ];
    for (const { code, err } of refusals) {
      expect([code, err]).toEqual([1, expect.stringMatching(/certificate/)]);
    }
    expect(asked).toEqual([]);
    // The server works for who trusts it.
    const trusting = await build(fixed, "--option", "ssl-cert-file", at("cert.pem"));
    expect(trusting).toMatchObject({ code: 0 });
    expect(asked).toEqual(["/f"]);
  });
});

test("3.5 GHSA-wf4c-57rh-9pjg: builders that Firn carries read their inputs only", async () => {
  fs.writeFileSync(at("work/x.deb"), debOf(tarOf([])));
  const unpacked = await build(`builder = "builtin:unpack-deb"; src = "${at("work/x.deb")}";`);
  expect(unpacked.err).toContain("is not in an input of the derivation");
  const joined = await build(`builder = "builtin:buildenv"; derivations = "true 5 1 ${outside}";`);
  expect(joined.err).toContain("is not in an input of the derivation");
  const free = await build(`builder = "builtin:fetchurl"; url = "file://${outside}/precious";`);
  expect(free.err).toContain("must be a fixed-output or impure derivation");
  expect([unpacked.code, joined.code, free.code]).toEqual([1, 1, 1]);
});

test("3.6 CVE-2025-46415: what is deleted is held open, and a directory that is exchanged leads nowhere", () => {
  exchangingAtEachStep(removePath);
});

builds("3.7 CVE-2025-46416: a build with the network reaches no abstract socket of the machine", async () => {
  const name = `firn-3-7-${process.pid}`;
  let connections = 0;
  const server = net.createServer((connection) => {
    connections++;
    connection.destroy();
  });
  await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
  const text = `if ${socket("connect", name)}; then echo connected; else echo "no way out"; fi; echo hello > $out`;
  const outcome = await build(script(text, true), ...withHost());
  await new Promise((resolve) => server.close(resolve));
  expect([outcome.code, outcome.err]).toEqual([0, expect.stringContaining("no way out")]);
  expect(connections).toBe(0);
});

builds("3.8 CVE-2025-52991: builds happen below the state directory, never where others may plant", async () => {
  const gate = makeGate();
  const attributes = script("read line < /gate/pipe || true; touch $out");
  fs.mkdirSync(at("shared"));
  fs.chmodSync(at("shared"), 0o777);
  const refused = await build(attributes, ...withHost(gate.sandboxPath), "--option", "build-dir", at("shared"));
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(`Path "${at("shared")}" is world-writable.`) });
  expect(fs.readdirSync(at("shared"))).toEqual([]);
  const building = build(attributes, ...withHost(gate.sandboxPath));
  const builder = await gate.reached();
  const { mode, uid } = fs.statSync(at("root/nix/var/nix/builds"));
  const there = buildDirectories();
  builder.open();
  expect(await building).toMatchObject({ code: 0 });
  expect(there).toHaveLength(1);
  expect([mode & 0o022, uid]).toEqual([0, process.getuid?.()]);
});

builds("3.9 CVE-2025-52992: a build that fails leaves no open permissions, and takes no output away", async () => {
  const failing = script("mkdir d; touch d/f; chmod 000 d; mkdir $out; touch $out/f; chmod 777 . $out $out/f; exit 1");
  expect(await build(failing, ...withHost())).toMatchObject({ code: 1 });
  expect(buildDirectories()).toEqual([]);
  const left = (): string[] =>
    fs.readdirSync(at("root/nix/store")).filter((name) => !/^\.links$|\.drv$|-script$/.test(name));
  expect(left()).toEqual([]);
  expect(await build(failing, ...withHost(), "--keep-failed")).toMatchObject({ code: 1 });
  const kept = buildDirectories();
  expect(kept).toHaveLength(1);
  const { mode, uid } = fs.statSync(at("root/nix/var/nix/builds", kept[0]!));
  expect([mode & 0o077, uid]).toEqual([0, process.getuid?.()]);
  expect(left()).toEqual([]);
  // A build again that ends otherwise leaves the output that is there as it is.
  const random = script("mkdir $out; cat /proc/sys/kernel/random/uuid > $out/f");
  const first = await build(random, ...withHost());
  expect(first).toMatchObject({ code: 0 });
  const made = inStore(first.out);
  const contents = fs.readFileSync(join(made, "f"), "utf8");
  expect(await build(random, ...withHost(), "--rebuild")).not.toMatchObject({ code: 0 });
  expect(fs.readFileSync(join(made, "f"), "utf8")).toBe(contents);
  expect([made, join(made, "f")].map((path) => fs.statSync(path).mode & 0o7777)).toEqual([0o555, 0o444]);
});

test("3.10 CVE-2025-52993: owners and modes change by what is open, and of nothing that another owns", () => {
  exchangingAtEachStep((tree) => canonicalise(tree));
  fs.mkdirSync(at("made"));
  fs.writeFileSync(at("made/f"), "x", { mode: 0o640 });
  const stranger = (process.getuid?.() ?? 0) + 1;
  expect(() => canonicalise(at("made"), { owner: stranger })).toThrow("invalid ownership on file");
  expect(fs.statSync(at("made/f")).mode & 0o7777).toBe(0o640);
});

describe("3.11 GHSA-qc7j-jgf3-qmhg: a builder is nobody of the machine", () => {
  const probe = 'echo "is $(id -u) of" $(cat /proc/self/uid_map); touch $out';

  builds("when this user builds", async () => {
    const { code, err } = await build(script(probe), ...withHost());
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(isRoot ? /is 1000 of 1000 [1-9]\d{2,} 1$/m : /is 1000 of 1000 \d+ 1$/m),
    ]);
  });

  test.skipIf(!isRoot || !sandboxWorks())("when an ordinary user builds", () => {
    fs.mkdirSync(at("user"));
    fs.chownSync(at("user"), ordinaryUser, ordinaryUser);
    const attributes = script(probe);
    fs.writeFileSync(at("work/x.nix"), `derivation { name = "x"; system = builtins.currentSystem; ${attributes} }\n`);
    const { code, err } = asOrdinaryUser(
      ["build", "--store", at("user/store"), "--no-link", "-L", "-f", "x.nix", ...withHost()],
      {
        cwd: at("work"),
        env: { ...place.environment, HOME: at("user"), TMPDIR: at("user") },
      },
    );
    // The middle number is that of the namespace above it, in which the user has one id only.
    expect([code, err]).toEqual([0, expect.stringMatching(/is 1000 of 1000 \d+ 1$/m)]);
  });
});

builds("3.12 CVE-2026-39860: an output that is a link, and a store that is exchanged, lead to no file", async () => {
  const linked = await build(script(`ln -s ${outside}/precious $out`), ...withHost());
  expect(linked).toMatchObject({ code: 0 });
  expect(fs.readlinkSync(inStore(linked.out))).toBe(join(outside, "precious"));
  const fixed = await build(script(`ln -s ${outside}/precious $out`, true), ...withHost());
  expect(fixed.code).not.toBe(0);
  const renamed = await build(
    script(`echo made > $out
for d in /nix/store /nix; do if mv $d $d-moved 2> /dev/null && ln -s ${outside} $d; then echo "moved $d"; fi; done
for d in / /nix /etc; do if mkdir $d/planted 2> /dev/null; then echo "moved $d"; fi; done
echo tried`),
    ...withHost(),
  );
  expect(renamed.err).toContain("tried");
  expect(renamed.err).not.toContain("moved /");
  expect(fs.readFileSync(inStore(renamed.out), "utf8")).toBe("made\n");
});

test("3.13 CVE-2026-44028: depth is bounded wherever trees are read or written", () => {
  const LEVELS = 10_000;
  const level = ["(", "type", "directory", "entry", "(", "name", "d", "node"];
  const bytes = narOf(...Array.from({ length: LEVELS }, () => level).flat());
  expect(() => parse(bytes)).toThrow("exceeds maximum depth of 64");
  const deep = "/d".repeat(100);
  const writer = new TreeWriter(at("written"));
  try {
    expect(() => writer.directory(deep)).toThrow("exceeds maximum NAR directory depth of 64");
  } finally {
    writer.close();
  }
  fs.mkdirSync(at("dumped") + deep, { recursive: true });
  expect(() => [...dumpPath(at("dumped"))]).toThrow("exceeds maximum NAR directory depth of 64");
});

test("3.14 GHSA-gr92-w2r5-qw5p: no member of a tarball leaves its tree", async () => {
  const away = outside.slice(1);
  for (const members of [
    [{ name: `t/../../../../../../../../../${away}/planted`, body: "x" }],
    [{ name: `${outside}/planted`, body: "x" }],
    [
      { name: "t/l", type: "2", link: outside },
      { name: "t/l/planted", body: "x" },
    ],
    [{ name: "t/h", type: "1", link: `../../../../../../../${away}/precious` }],
  ]) {
    fs.writeFileSync(at("work/x.tar"), tarOf([{ name: "t/", type: "5" }, ...members]));
    const { code, err } = await place.firn(
      "eval",
      "--impure",
      "--expr",
      `builtins.fetchTarball "file://${at("work/x.tar")}"`,
    );
    expect([members, code, err]).toEqual([members, 1, expect.stringContaining("failed to extract archive")]);
  }
});

test("3.15 Lix 2.96-dev: lengths in a NAR are bounded before anything is reckoned with them", () => {
  for (const length of [2n ** 64n - 1n, 2n ** 64n - 7n, 2n ** 63n, 2n ** 53n]) {
    for (const [parts, message] of [
      [[length], "string is too long"],
      [["(", length], "string is too long"],
      [["(", "type", "symlink", "target", length], "string is too long"],
      [["(", "type", "directory", "entry", "(", "name", length], "string is too long"],
      [["(", "type", "regular", "contents", length], "length is out of range"],
    ] as const) {
      // At the length itself, not only when the archive ends before so many bytes have come.
      const parser = new NarParser(ignoringNarSink);
      expect(() => parser.push(narOf(...parts)), `${length} after ${parts.slice(0, -1)}`).toThrow(message);
    }
  }
});

test("3.16 NixOS/nix#16256: nobody else's record of what a derivation became is taken without a trusted signature", async () => {
  const asked: string[] = [];
  // A path that needs no signature of its own, since its content makes its name.
  const forgedNar = narOf("(", "type", "regular", "contents", "forged\n", ")");
  const hash = hashData("sha256", forgedNar);
  const forged = makeFixedOutputPath({ method: "nar", hash }, { name: "forged" });
  const base = forged.slice("/nix/store/".length);
  const hashPart = base.slice(0, 32);
  const server = http.createServer((request, response) => {
    asked.push(request.url ?? "");
    const id = /^\/realisations\/(.*)\.doi$/.exec(request.url ?? "")?.[1];
    if (request.url === "/nix-cache-info") response.end("StoreDir: /nix/store\n");
    else if (request.url === `/${hashPart}.narinfo`) {
      const digest = printHash(hash, "nix32");
      response.end(
        `StorePath: ${forged}\nURL: nar/x.nar\nCompression: none\nNarHash: ${digest}\nNarSize: ${forgedNar.length}\nReferences: \nCA: fixed:r:${digest}\n`,
      );
    } else if (request.url === "/nar/x.nar") response.end(forgedNar);
    else if (id !== undefined) {
      const realisation = { dependentRealisations: {}, id: decodeURIComponent(id), outPath: base, signatures: [] };
      response.end(JSON.stringify(realisation));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const outcome = await build(
    `${script("echo own > $out")} __contentAddressed = true; outputHashMode = "nar"; outputHashAlgo = "sha256";`,
    ...withHost(),
    ...["--extra-experimental-features", "ca-derivations", "--option", "substituters", url],
  );
  server.closeAllConnections();
  server.close();
  expect(outcome).toMatchObject({ code: 0, out: expect.not.stringContaining("forged") });
  expect(asked.some((path) => path.endsWith(".doi"))).toBe(true);
  expect(asked).not.toContain("/nar/x.nar");
  const store = await LocalStore.open({ location: storeLocation({ rootDir: place.store }) });
  try {
    // What a derivation of known paths became needs a signature too.
    const path = `/nix/store/${"1".repeat(32)}-forged`;
    const nar = narOf("(", "type", "regular", "contents", "x", ")");
    const narHash = hashData("sha256", nar);
    const info = { path, narHash, narSize: nar.length, references: [], signatures: [] };
    await expect(store.addToStore(info, [nar], { checkSignatures: true })).rejects.toThrow(
      "lacks a signature by a trusted key",
    );
    expect(await store.isValidPath(path)).toBe(false);
  } finally {
    await store.close();
  }
});
