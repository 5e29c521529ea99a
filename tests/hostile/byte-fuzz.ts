/**
 * The formats that strangers' bytes come in, valid examples of each, and how such bytes are changed: bits flipped, pieces cut,
 * doubled, spliced from other examples, lengths set to their extremes, words of the format put in. Whatever comes, a reader gives a
 * value or a `FirnError`.
 */

import { mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  derivationFromJson,
  derivationToJson,
  describeJsonError,
  FirnError,
  NarParser,
  parseCacheInfo,
  parseDerivation,
  parseFlakeLock,
  parseJson,
  parseNarInfo,
  parseNixConf,
  parsePublicKey,
  printDerivation,
  printFlakeLock,
  printJson,
  wire,
} from "@firn/formats";
import { evaluate } from "@firn/language";
import { hasErrorCode, machineError, removePath } from "@firn/store";
import { readArchive } from "../../packages/build/src/builtin/unpack-deb.ts";
import { parseDependencies, parseParagraph, splitParagraphs } from "../../packages/fetch/src/debian/control.ts";
import { parseDebianLock } from "../../packages/fetch/src/debian/lock.ts";
import { addPackages, emptyIndex } from "../../packages/fetch/src/debian/package-index.ts";
import { parseRelease } from "../../packages/fetch/src/debian/release.ts";
import { ObjectReader, parseTreeListing } from "../../packages/fetch/src/git-listing.ts";
import { readZip } from "../../packages/fetch/src/zip.ts";
import { parseFlakeRef } from "../../packages/flake/src/refs/flake-ref.ts";
import { showFlakeRef, splitFragment } from "../../packages/flake/src/refs/reference.ts";
import { parseProfileManifest, parseRegistry } from "../../packages/formats/src/text/registry.ts";
import { extractTar, readTar, type TarTree } from "../../packages/store/src/archive/tar.ts";
import { WireConnection } from "../../packages/store/src/remote/wire.ts";
import { parseNetrc } from "../../packages/store/src/substitute/netrc.ts";
import { randomFrom } from "../../scripts/random.ts";
import { debOf, narInfo, narOf, tarOf, zipOf } from "../support/archives.ts";

/** A format: examples, words that mean something in it, and its reader, which throws what the reader throws. */
export interface ByteFormat {
  readonly seeds: readonly Buffer[];
  readonly words: readonly string[];
  read(bytes: Buffer): void | Promise<void>;
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const hash = "0".repeat(51);
const storePath = (name: string): string => `/nix/store/${"0".repeat(32)}-${name}`;
const sri = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/** Bytes in pieces of several sizes, so that readers meet their ends everywhere; counts how often it is asked. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const size = 1 + (bytes.length === 0 ? 0 : bytes[0]! % 97);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Fails when a reader does more with its input than the input's length can ask for. */
function stepBound(bytes: Buffer, perByte = 4): () => void {
  let steps = 1000 + perByte * bytes.length;
  return () => {
    steps--;
    if (steps < 0) throw new Error("more steps than the input has bytes for");
  };
}

const file = ["(", "type", "regular", "contents", "hello", ")"];
const nar: ByteFormat = {
  seeds: [
    narOf(...file),
    narOf("(", "type", "regular", "executable", "", "contents", "x".repeat(100), ")"),
    narOf("(", "type", "symlink", "target", "../a", ")"),
    narOf(
      ...["(", "type", "directory", "entry", "(", "name", "a", "node", ...file, ")"],
      ...["entry", "(", "name", "b", "node", "(", "type", "directory", ")", ")"],
      ...["entry", "(", "name", "c", "node", "(", "type", "symlink", "target", "a", ")", ")", ")"],
    ),
  ],
  words: [..."()", "type", "regular", "directory", "symlink", "entry", "name", "node", "target", "contents"].map(
    (word) => narOf(word).subarray(24).toString("latin1"),
  ),
  read(bytes) {
    const step = stepBound(bytes);
    const parser = new NarParser({
      directory: step,
      regular: step,
      data: step,
      endRegular: step,
      symlink: step,
    });
    const size = 1 + (bytes.length % 61);
    for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
    parser.finish();
  },
};

const narinfo: ByteFormat = {
  seeds: [
    latin1(narInfo(storePath("x"), narOf(...file))),
    latin1(
      `StorePath: ${storePath("y")}\nURL: nar/a.nar.xz\nCompression: xz\nFileHash: sha256:${hash}0\nFileSize: 7\nNarHash: ${sri}\nNarSize: 120\nReferences: ${storePath("a").slice(11)}\nDeriver: ${storePath("y.drv").slice(11)}\nSig: a:AAAA\nCA: fixed:r:sha256:${hash}0\n`,
    ),
    latin1("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n"),
    latin1("cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
  ],
  words: [
    "StorePath: ",
    "URL: ",
    "References: ",
    "NarHash: ",
    "NarSize: ",
    "Sig: ",
    "CA: ",
    "text:",
    "fixed:r:",
    "sha256:",
  ],
  read(bytes) {
    const text = bytes.toString("latin1");
    everyReader(
      () => parseNarInfo(text, "x.narinfo"),
      () => parseCacheInfo(text),
      () => parsePublicKey(text),
    );
  },
};

/** Runs readers of one input, which is good for one of them or for none. */
function everyReader(...readers: readonly (() => unknown)[]): void {
  let failure: unknown;
  let good = 0;
  for (const reader of readers) {
    try {
      reader();
      good++;
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      failure = error;
    }
  }
  if (good === 0) throw failure;
}

const plainDerivation = parseDerivation(
  `Derive([("dev","${storePath("x-dev")}","",""),("out","${storePath("x")}","","")],[("${storePath("y.drv")}",["out"])],["${storePath("s")}"],"x86_64-linux","/bin/sh",["-c","a\\nb\\"\\\\"],[("a","b"),("name","x"),("out","${storePath("x")}")])`,
  "x",
);
const derivations = [
  printDerivation(plainDerivation),
  `Derive([("out","${storePath("f")}","r:sha256","${"0".repeat(64)}")],[],[],"builtin","builtin:fetchurl",[],[("__json","{\\"a\\":[1,null]}"),("url","x")])`,
  'Derive([("out","","r:sha256","")],[],[],"s","b",[],[])',
  `DrvWithVersion("xp-dyn-drv",[("out","","text:sha256","impure")],[("${storePath("y.drv")}",(["out"],[("o",["p"])]))],[],"s","b",[],[])`,
];
const aterm: ByteFormat = {
  seeds: derivations.map(latin1),
  words: [
    "Derive(",
    "DrvWithVersion(",
    "[",
    "]",
    "(",
    ")",
    ",",
    '"',
    "\\",
    '[("',
    "r:sha256",
    "impure",
    "/nix/store/",
    '\\"',
  ],
  read(bytes) {
    const text = bytes.toString("latin1");
    const parsed = parseDerivation(text, "x");
    derivationFromJson(derivationToJson(parsed));
  },
};
const derivationJson: ByteFormat = {
  seeds: derivations.map((text) => latin1(printJson(derivationToJson(parseDerivation(text, "x"))))),
  words: [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"env"',
    '"outputs"',
    '"inputs"',
    '"method"',
    '"hashAlgo"',
    "null",
    "1e999",
    "\\u0000",
  ],
  read: (bytes) => void derivationFromJson(parseJson(bytes.toString("latin1"))),
};

const tarSeeds = [
  tarOf([
    { name: "t/a", body: "x" },
    { name: "t/d", type: "5" },
    { name: "t/l", type: "2", link: "a" },
  ]),
  tarOf([
    { name: "t/a", body: "x".repeat(600) },
    { name: "t/h", type: "1", link: "t/a" },
  ]),
  tarOf([{ name: `t/${"n".repeat(120)}`, body: "y" }]),
  tarOf([
    { name: "p", type: "x", body: "20 path=t/long/name\n22 mtime=1234567890.5\n" },
    { name: "q", body: "z" },
  ]),
];

/** Sets the checksums of a tar's headers anew: without it nearly every change would end there. */
function withChecksums(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    bytes.fill(32, at + 148, at + 156);
    let sum = 0;
    for (let i = at; i < at + 512; i++) sum += bytes[i]!;
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return bytes;
}

let scratch: string | undefined;

/** A directory that is made once, in memory where the machine has such a place. */
function scratchDirectory(): string {
  if (scratch !== undefined) return scratch;
  let parent = "/dev/shm";
  try {
    scratch = mkdtempSync(join(parent, "firn-fuzz-"));
  } catch {
    parent = tmpdir();
    scratch = mkdtempSync(join(parent, "firn-fuzz-"));
  }
  return scratch;
}

/** Removes what readers of files were given; to be called at the end. */
export function removeScratch(): void {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
}

/** Most archives leave nothing: then one call is enough. */
function emptyAgain(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasErrorCode(error, "ENOTEMPTY")) throw error;
    removePath(directory);
  }
}

const tarWords = [
  "../",
  "/",
  "a/../",
  "ustar\x0000",
  "20 path=../../x\n",
  "7777777",
  "\x80\0\0\0\xff\xff\xff\xff",
  "\0",
  "x".repeat(300),
];

/** The pieces of a changed archive, its headers with the right checksums; as many as its length allows. */
async function* tarPieces(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const step = stepBound(bytes);
  for await (const piece of pieces(withChecksums(bytes))) {
    step();
    yield piece;
  }
}

/** A tree of which nothing is kept. */
const NOWHERE: TarTree = {
  directory: () => {},
  create: () => openSync("/dev/null", "w"),
  symlink: () => {},
  link: () => {},
  makeFree: () => {},
};

const tar: ByteFormat = {
  seeds: tarSeeds,
  words: tarWords,
  async read(bytes) {
    await readTar(tarPieces(bytes), NOWHERE);
  },
};

const zip: ByteFormat = {
  seeds: [
    zipOf([
      { name: "t/", mode: 0o040755 },
      { name: "t/a", body: "x".repeat(300), mode: 0o100755 },
      { name: "t/l", body: "a", mode: 0o120777 },
    ]),
    zipOf([{ name: "t\\a", body: "x", stored: true, extra: Buffer.from("UT\x05\0\x01\x01\xf2\x53\x65", "latin1") }]),
    zipOf([]),
  ],
  words: [
    "PK\x03\x04",
    "PK\x01\x02",
    "PK\x05\x06",
    "PK\x06\x06",
    "PK\x06\x07",
    "../",
    "\\",
    "\xff\xff\xff\xff",
    "UT\x05\0",
  ],
  async read(bytes) {
    await readZip(bytes, NOWHERE, 1 << 30);
  },
};

/** As `tar`, with files on the disk: slower by far. */
const tarFiles: ByteFormat = {
  seeds: tarSeeds,
  words: tarWords,
  async read(bytes) {
    const target = join(scratchDirectory(), "tree");
    mkdirSync(target);
    try {
      await extractTar(tarPieces(bytes), target);
    } catch (error) {
      // Names that the file system does not take are told by its callers.
      throw machineError(error) ?? error;
    } finally {
      emptyAgain(target);
    }
  },
};

const deb: ByteFormat = {
  seeds: [debOf(tarSeeds[0]!), debOf(tarOf([]))],
  words: ["!<arch>\n", "`\n", "debian-binary   ", "9999999999", "data.tar.xz", "-1        ", "          "],
  read(bytes) {
    const path = join(scratchDirectory(), "x.deb");
    writeFileSync(path, bytes);
    readArchive(path);
  },
};

const flakeLock: ByteFormat = {
  seeds: [
    latin1(
      printFlakeLock(
        parseFlakeLock(
          `{"nodes":{"a":{"inputs":{"b":["b"]},"locked":{"lastModified":1,"narHash":"${sri}","owner":"o","repo":"r","rev":"${"0".repeat(40)}","type":"github"},"original":{"owner":"o","repo":"r","type":"github"}},"b":{"flake":false,"locked":{"path":"/x","type":"path","narHash":"${sri}"},"original":{"type":"path","path":"./x"},"parent":[]},"root":{"inputs":{"a":"a","b":"b"}}},"root":"root","version":7}`,
          "flake.lock",
        ),
      ),
    ),
  ],
  words: [
    '"nodes"',
    '"root"',
    '"inputs"',
    '"locked"',
    '"original"',
    '"type"',
    '"version"',
    "{",
    "}",
    "[",
    "]",
    "null",
    "7",
    '"__proto__"',
    "\\u0000",
    "\\ud800",
  ],
  read: (bytes) => void parseFlakeLock(bytes.toString("latin1"), "flake.lock"),
};

const registry: ByteFormat = {
  seeds: [
    latin1(
      '{"flakes":[{"from":{"id":"nixpkgs","type":"indirect"},"to":{"owner":"NixOS","repo":"nixpkgs","type":"github"},"exact":true}],"version":2}',
    ),
    latin1(
      `{"elements":{"x":{"active":true,"attrPath":"packages.x","originalUrl":"flake:x","outputs":null,"priority":5,"storePaths":["${storePath("x")}"],"url":"path:/x"}},"version":3}`,
    ),
  ],
  words: [
    '"flakes"',
    '"from"',
    '"to"',
    '"version"',
    '"elements"',
    '"storePaths"',
    "{",
    "}",
    "[",
    "]",
    "null",
    "true",
    "1e400",
    '"__proto__"',
  ],
  read(bytes) {
    const text = bytes.toString("latin1");
    everyReader(
      () => parseRegistry(text, "registry.json"),
      () => parseProfileManifest(text),
    );
  },
};

const nixConf: ByteFormat = {
  seeds: [latin1("cores = 4 # four\nsubstituters = a b\n\ninclude y.conf\n!include z.conf\nextra-platforms =\n")],
  words: [" = ", "include x.conf", "!include ", "#", "\n", "\t", "\r", "extra-", "\0"],
  read(bytes) {
    const text = bytes.toString("latin1");
    const step = stepBound(bytes);
    parseNixConf(text, "nix.conf", (path) => {
      step();
      return path.length % 2 === 0 ? { path, text: path.startsWith("x") ? "include xx" : "a = b\n" } : undefined;
    });
  },
};

const info = {
  path: storePath("x"),
  narHash: { algorithm: "sha256" as const, bytes: new Uint8Array(32) },
  narSize: 7,
  references: [storePath("a"), storePath("b")],
  signatures: ["a:AAAA"],
  deriver: storePath("x.drv"),
};
const storeDir = "/nix/store";
const serving: wire.WirePeer = { storeDir, version: wire.serveProtocol.newest, features: new Set() };
const wireWords = [
  "\0".repeat(8),
  "\xff".repeat(8),
  "\0\0\x10\0\0\0\0\0",
  "\x01\0\0\0\0\0\0\0",
  "\0\0\0\0\0\0\x20\0",
  "fixed:",
  "text:sha256:",
];
const encoded = <Value>(codec: wire.WireCodec<Value>, value: Value, peer: wire.WirePeer): Buffer =>
  Buffer.from(wire.encodeWire(codec, value, peer));
const servedFrame = (served: typeof info, size: number): Buffer =>
  Buffer.concat([
    encoded(wire.servedPathInfo, served, serving),
    encoded(wire.pathInfo, info, serving),
    encoded(wire.number, size, serving),
    Buffer.alloc(size, "a"),
  ]);
const serveGreeting = Buffer.concat(
  [wire.serveProtocol.clientMagic, serving.version].map((value) => encoded(wire.number, value, serving)),
);

/** A connection of the serve protocol, as the store's end moves it. */
const frames: ByteFormat = {
  seeds: [
    Buffer.concat([serveGreeting, servedFrame(info, 3)]),
    Buffer.concat([serveGreeting, servedFrame({ ...info, references: [], signatures: [] }, 0)]),
  ],
  words: wireWords,
  async read(bytes) {
    const ends = new WireConnection({ input: pieces(bytes), write: async () => undefined });
    const step = stepBound(bytes);
    const peer = await ends.converse(wire.answerClient(ends.input, { storeDir }));
    while (!(await ends.atEnd())) {
      step();
      await ends.read(wire.servedPathInfo, peer);
      await ends.read(wire.pathInfo, peer);
      for await (const _ of ends.bytes(await ends.read(wire.number, peer))) step();
    }
  },
};

type Operations = typeof wire.workerOperations;
type RequestOf<Name extends keyof Operations> = wire.WireValue<Operations[Name]["request"]>;
type AnswerOf<Name extends keyof Operations> = wire.WireValue<Operations[Name]["answer"]>;

const workerPeer = (minor: number): wire.WirePeer => ({
  storeDir,
  version: wire.wireVersion(1, minor),
  features: new Set(),
});

/** An operation of the worker protocol with all that both ends say: version, request, framed data, messages, answer. */
function workerFrame<Name extends keyof Operations>(
  minor: number,
  name: Name,
  request: RequestOf<Name>,
  answer: AnswerOf<Name>,
  said: readonly wire.StderrMessage[] = [],
): Buffer {
  const peer = workerPeer(minor);
  const operation = wire.workerOperations[name] as unknown as wire.WireOperation<unknown, unknown>;
  const framed = wire.requestBody(operation, peer.version) === "framed";
  return Buffer.concat([
    encoded(wire.number, minor, peer),
    encoded(wire.number, operation.number, peer),
    encoded(operation.request, request, peer),
    ...(framed ? [wire.frame(latin1("some data")), wire.framesEnd()] : []),
    ...[...said, { kind: "last" as const }].map((message) => encoded(wire.stderrMessage, message, peer)),
    encoded(operation.answer, answer, peer),
  ]);
}

const realisation: wire.Realisation = {
  id: { drvHash: info.narHash, outputName: "out" },
  outPath: storePath("x"),
  signatures: ["a:AAAA"],
};
const result = (minor: number) => ({
  status: "built" as const,
  errorMessage: "",
  timesBuilt: 1,
  nonDeterministic: false,
  startTime: 1,
  stopTime: 2,
  cpuUser: minor < 37 ? undefined : 5,
  cpuSystem: undefined,
  builtOutputs: [realisation],
});
const built = { kind: "built" as const, drvPath: storePath("x.drv"), outputs: ["dev", "out"] };
const target = { drvPath: storePath("x.drv"), derivation: plainDerivation };
const said: readonly wire.StderrMessage[] = [
  { kind: "next", text: "some words\n" },
  { kind: "start-activity", id: 1n, level: 3, type: 105, text: "building", fields: ["x", 7n], parent: 0n },
  { kind: "result", id: 1n, type: 101, fields: ["a line"] },
  { kind: "stop-activity", id: 1n },
];

/** Conversations of the worker protocol in several versions. */
const workerFrames: ByteFormat = {
  seeds: [
    workerFrame(
      38,
      "BuildPathsWithResults",
      { paths: [built], mode: "normal" },
      [{ path: built, result: result(38) }],
      said,
    ),
    workerFrame(29, "BuildDerivation", { target, mode: "check" }, result(29)),
    workerFrame(38, "AddToStoreNar", { info, repair: false, dontCheckSignatures: true }, undefined),
    workerFrame(
      25,
      "AddToStore",
      { name: "x", method: "text", algorithm: "sha256", references: [storePath("a")], repair: false },
      { path: info.path, info },
    ),
    workerFrame(26, "QueryPathInfo", { path: info.path }, info, said),
    workerFrame(
      21,
      "SetOptions",
      {
        keepFailed: false,
        keepGoing: true,
        tryFallback: false,
        verbosity: 3,
        maxBuildJobs: 1,
        maxSilentTime: 0,
        verboseBuild: true,
        buildCores: 0,
        useSubstitutes: true,
        overrides: new Map([["timeout", "5"]]),
      },
      undefined,
    ),
    workerFrame(
      31,
      "QueryMissing",
      { paths: [built, { kind: "opaque", path: storePath("y") }] },
      { willBuild: [storePath("x")], willSubstitute: [], unknown: [], downloadSize: 1n, narSize: 2n },
    ),
    workerFrame(34, "QueryRealisation", { id: realisation.id }, [{ outPath: realisation.outPath, realisation }]),
    workerFrame(
      22,
      "CollectGarbage",
      { action: "delete-dead", pathsToDelete: [], ignoreLiveness: false, maxFreed: 2n ** 64n - 1n },
      { paths: [storePath("z")], bytesFreed: 4096n },
    ),
    workerFrame(38, "QueryDerivationOutputMap", { path: storePath("x.drv") }, new Map([["out", storePath("x")]])),
  ],
  words: [
    ...wireWords,
    "tsla\0\0\0\0",
    "gmlo\0\0\0\0",
    "TRTS\0\0\0\0",
    "!*",
    "!out",
    "sha256:",
    '"outPath"',
    storePath("a"),
  ],
  read(bytes) {
    const step = stepBound(bytes);
    const input = new wire.WireInput();
    const size = 1 + (bytes.length % 97);
    let at = 0;
    const finish = <Value>(reading: wire.Decoding<Value>): Value => {
      input.startMessage();
      for (;;) {
        step();
        const next = reading.next();
        if (next.done === true) return next.value;
        if (at >= bytes.length) throw new FirnError("connection-closed", "unexpected end-of-file");
        input.push(bytes.subarray(at, at + size));
        at += size;
      }
    };
    while (input.available > 0 || at < bytes.length) {
      const peer = workerPeer(finish(wire.number.read(input, serving)) & 0xff);
      const number = finish(wire.number.read(input, peer));
      const name = wire.operationName(wire.workerOperations, number, peer.version);
      if (name === undefined) throw new FirnError("protocol", `invalid operation ${number}`);
      const operation = wire.workerOperations[name] as unknown as wire.WireOperation<unknown, unknown>;
      finish(operation.request.read(input, peer));
      if (wire.requestBody(operation, peer.version) === "framed") finish(wire.readFrames(input, peer, step));
      for (let more = true; more; ) more = finish(wire.stderrMessage.read(input, peer)).kind !== "last";
      finish(operation.answer.read(input, peer));
    }
  },
};

const packages = `Package: a\nVersion: 1:2.0-1+b1\nFilename: pool/main/a/a_2.0-1_amd64.deb\nSize: 10\nSHA256: ${"0".repeat(64)}\nDepends: b (>= 1.0~rc1), c | d:any (<< 2)\nProvides: v (= 1)\nDescription: x\n more\n\nPackage: b\nVersion: 1\nFilename: pool/b\nSize: 1\nSHA256: ${"1".repeat(64)}\n`;
const debian: ByteFormat = {
  seeds: [
    latin1(packages),
    latin1(
      `Suite: stable\nCodename: x\nDate: Sat, 28 Nov 2026 00:00:00 UTC\nValid-Until: Sat, 05 Dec 2026 00:00:00 UTC\nSHA256:\n ${"0".repeat(64)} 10 main/binary-amd64/Packages.xz\n`,
    ),
    latin1("a (>= 1), b | c (<< 2~x), d:any"),
    latin1(`{"version":1,"suites":[],"packages":{}}`),
  ],
  words: [
    "Package: ",
    "Version: ",
    "Filename: ",
    "Depends: ",
    "SHA256:",
    "\n ",
    "\n\n",
    " | ",
    ", ",
    "(>= ",
    ")",
    "~",
    ":any",
    "../",
  ],
  read(bytes) {
    const text = bytes.toString("latin1");
    everyReader(
      () => addPackages(emptyIndex(), "debian", text),
      () => [...splitParagraphs(text)].map(parseParagraph),
      () => parseRelease(text),
      () => parseDependencies(text),
      () => parseDebianLock(text),
    );
  },
};

const references: ByteFormat = {
  seeds: [
    "github:owner/repo/ref?dir=a&host=x.org#b.c",
    "git+https://user:pw@host:8080/a%2fb.git?ref=main&rev=0000000000000000000000000000000000000000&shallow=1",
    "path:./a?narHash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&lastModified=1",
    "tarball+https://x/y.tar.gz?unpack=1",
    "nixpkgs/nixos-26.05#hello",
    "flake:nixpkgs/main",
    "file:///a/b.tar.xz",
    "hg+ssh://host/x",
  ].map(latin1),
  words: [
    "%00",
    "%",
    "%ff",
    "://",
    "//",
    "..",
    "?",
    "&",
    "=",
    "#",
    "@",
    "[",
    "git+",
    "path:",
    "?rev=",
    "&narHash=",
    "\0",
    " ",
  ],
  read(bytes) {
    const [reference] = splitFragment(bytes.toString("latin1"));
    showFlakeRef(parseFlakeRef(reference, { baseDirectory: "/base" }));
  },
};

const netrc: ByteFormat = {
  seeds: [latin1("machine a.org login me password pw\ndefault login you password x\n")],
  words: ["machine ", "login ", "password ", "default ", "\n", "\0"],
  read: (bytes) => void parseNetrc(bytes.toString("utf8")),
};

const json: ByteFormat = {
  seeds: [latin1('{"a":[1,-2.5e10,"x\\u00e9\\n\\ud83d\\ude00",null,true,{"b":{}}],"":[]}'), latin1('[[[["deep"]]]]')],
  words: ["{", "}", "[", "]", ":", ",", '"', "\\u", "\\ud800", "1e999", "-", "0", "null", "\xff", "\0", "["],
  read(bytes) {
    const text = bytes.toString("latin1");
    describeJsonError(text);
    parseJson(text);
  },
};

/** A Nix string literal of bytes. */
const quoted = (text: string): string => `"${text.replaceAll("\0", "").replace(/["\\$\r]/g, "\\$&")}"`;

const toml: ByteFormat = {
  seeds: [
    latin1('a = 1\nb = "x\\u00e9"\n[c.d]\ne = [1, 2.5, "x"]\nf = { g = true }\n[[h]]\ni = 7\n[[h]]\n'),
    latin1("a.b.c = 0x1f\nx = '''\nlit'''\ny = \"\"\"\nmulti \\\n  line\"\"\"\nz = 1e6\nw = inf\n"),
  ],
  words: [
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    '"""',
    "'''",
    ".",
    ",",
    "\n",
    "\\u",
    "0x",
    "1979-05-27T07:32:00Z",
    "#",
    "nan",
  ],
  read: (bytes) => void evaluate(`builtins.deepSeq (builtins.fromTOML ${quoted(bytes.toString("latin1"))}) 1`),
};

/** What git prints about the trees and objects of a repository, which strangers wrote. */
const gitListings: ByteFormat = {
  seeds: [
    latin1(
      `100644 blob ${"a".repeat(40)}\ta/b\x00120000 blob ${"b".repeat(40)}\tl\x00160000 commit ${"c".repeat(40)}\tsub\x00`,
    ),
    latin1(`${"a".repeat(40)} blob 3\nabc\n${"b".repeat(40)} blob 0\n\n`),
  ],
  words: [
    "\0",
    "\n",
    "\t",
    " blob ",
    " commit ",
    "100644",
    "120000",
    "999999999999999",
    "-1",
    "..",
    "/",
    ".git",
    " missing\n",
  ],
  read(bytes) {
    everyReader(
      () => parseTreeListing(bytes),
      () => readObjects(Buffer.from(bytes)),
    );
  },
};

/** Reads two objects of Git that arrive in two pieces. */
function readObjects(bytes: Buffer): void {
  const reader = new ObjectReader(2, { begin: () => undefined, write: () => undefined, end: () => undefined });
  reader.push(bytes.subarray(0, bytes.length >> 1));
  reader.push(bytes.subarray(bytes.length >> 1));
  reader.finish();
}

/** All formats by name. */
export const byteFormats: Readonly<Record<string, ByteFormat>> = {
  nar,
  narinfo,
  derivation: aterm,
  "derivation-json": derivationJson,
  tar,
  zip,
  "tar-files": tarFiles,
  deb,
  "git-listings": gitListings,
  "flake-lock": flakeLock,
  registry,
  "nix-conf": nixConf,
  frames,
  "worker-frames": workerFrames,
  debian,
  references,
  netrc,
  json,
  toml,
};

const extremes = [
  0n,
  1n,
  7n,
  8n,
  255n,
  4096n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const numbers = ["0", "-1", "00", "1e9", "4294967296", "9007199254740993", "18446744073709551616", "1".repeat(400)];
const maxInput = 1 << 16;

/** The input of a seed with a number. */
export function fuzzInput(format: ByteFormat, seed: number, index: number): Buffer {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  let bytes: Buffer = Buffer.from(pick(format.seeds));
  const put = (at: number, end: number, more: Uint8Array): void => {
    bytes = Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(end)]);
  };
  for (let round = 1 + below(4); round > 0; round--) {
    const at = below(bytes.length + 1);
    const end = Math.min(bytes.length, at + below(48));
    switch (below(10)) {
      case 0:
      case 1:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << below(8));
        break;
      case 2:
        if (at < bytes.length) bytes[at] = below(256);
        break;
      case 3:
        put(at, end, Buffer.alloc(0));
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5: {
        const other = pick(format.seeds);
        const from = below(other.length);
        put(at, end, other.subarray(from, from + below(200)));
        break;
      }
      case 6: {
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(pick(extremes));
        const start = Math.min(at - (at % 8), Math.max(0, bytes.length - 8));
        put(start, start + 8, length);
        break;
      }
      case 7: {
        // A number in text.
        const digits = [...bytes.toString("latin1").matchAll(/[0-9]+/g)];
        const found = digits.length === 0 ? undefined : pick(digits);
        if (found !== undefined) put(found.index, found.index + found[0].length, latin1(pick(numbers)));
        break;
      }
      case 8:
        put(at, below(2) === 0 ? at : end, latin1(pick(format.words)));
        break;
      default: {
        // Many of the same are rare: each costs as much as a hundred others.
        const many = below(200) === 0 ? 10 ** (2 + below(3)) : 1 + below(6);
        const piece = below(2) === 0 ? bytes.subarray(at, end) : latin1(pick(format.words));
        put(
          at,
          at,
          Buffer.concat(Array.from({ length: Math.min(many, Math.floor(maxInput / (piece.length + 1))) }, () => piece)),
        );
      }
    }
    if (bytes.length > maxInput) bytes = bytes.subarray(0, maxInput);
  }
  return bytes;
}

/** What came of an input: a value, a `FirnError`, or what must not be. */
export type ByteOutcome = "accepted" | "refused" | { readonly failure: string };

/** Reads an input. */
export async function outcomeOf(format: ByteFormat, bytes: Buffer): Promise<ByteOutcome> {
  const restore = boundAllocations(64 * bytes.length + (1 << 20));
  try {
    const reading = format.read(Buffer.from(bytes));
    if (reading !== undefined) await reading;
    return "accepted";
  } catch (error) {
    if (error instanceof FirnError) return "refused";
    return {
      failure: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error),
    };
  } finally {
    restore();
  }
}

/** Makes an allocation of more than `limit` bytes at once fail: readers must not trust an announced length. */
function boundAllocations(limit: number): () => void {
  const { alloc, allocUnsafe, allocUnsafeSlow } = Buffer;
  const check = (size: number): void => {
    if (size > limit) throw new Error(`an allocation of ${size} bytes`);
  };
  Buffer.alloc = (size, ...more) => {
    check(size);
    return alloc.call(Buffer, size, ...more);
  };
  Buffer.allocUnsafe = (size) => {
    check(size);
    return allocUnsafe.call(Buffer, size);
  };
  Buffer.allocUnsafeSlow = (size) => {
    check(size);
    return allocUnsafeSlow.call(Buffer, size);
  };
  return () => {
    Object.assign(Buffer, { alloc, allocUnsafe, allocUnsafeSlow });
  };
}
