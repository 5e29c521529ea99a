import fc from "fast-check";
import { expect, test } from "vitest";
import { derivationOutputPath, type FirnError, type Hash, type PathInfo, wire } from "../index.ts";

const storeDir = "/nix/store";
const at = (version: number): wire.WirePeer => ({ storeDir, version, features: new Set() });
const newest = { worker: at(wire.workerProtocol.newest), serve: at(wire.serveProtocol.newest) };

/** Versions in which something changes, and their neighbours. */
const workerVersions = Array.from({ length: 38 - 21 + 1 }, (_, i) => wire.wireVersion(1, 21 + i));
const serveVersions = [4, 5, 6, 7].map((minor) => wire.wireVersion(2, minor));

const nix32 = "0123456789abcdfghijklmnpqrsvwxyz";
const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)) });
const name = fc.string({ unit: fc.constantFrom(..."abcZ09+-_?="), minLength: 1, maxLength: 12 });
const hashPart = fc.string({ unit: fc.constantFrom(...nix32), minLength: 32, maxLength: 32 });
const pathTo = (suffix: string) =>
  fc.tuple(hashPart, name).map(([hash, name]) => `${storeDir}/${hash}-${name}${suffix}`);
const storePath = pathTo("");
const drvPath = pathTo(".drv");
const sorted = (items: readonly string[]): readonly string[] => [...new Set(items)].sort();
const paths = fc.array(storePath, { maxLength: 4 }).map(sorted);
const small = fc.nat();
const size = fc.maxSafeNat();
const wide = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hash: fc.Arbitrary<Hash> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => ({ algorithm: "sha256" as const, bytes }));
const signatures = fc
  .uniqueArray(fc.constantFrom("a:AAAA", "b:AAAA", "c:////"), { maxLength: 3 })
  .map((list) => list.toSorted());
const address = fc.record({ method: fc.constantFrom("text" as const, "flat" as const, "nar" as const), hash });
const info: fc.Arbitrary<PathInfo> = fc.record(
  {
    path: storePath,
    narHash: hash,
    narSize: size,
    references: paths,
    signatures,
    deriver: drvPath,
    registrationTime: fc.integer({ min: 1 }),
    ultimate: fc.constant(true),
    ca: address,
  },
  { requiredKeys: ["path", "narHash", "narSize", "references", "signatures"] },
);
const without = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
};
const drvOutput = fc.record({ drvHash: hash, outputName: name });
const realisation = fc.record({ id: drvOutput, outPath: storePath, signatures });
const realisations = fc
  .uniqueArray(realisation, { selector: ({ id }) => wire.printDrvOutput(id), maxLength: 3 })
  .map((list) => list.toSorted((a, b) => (wire.printDrvOutput(a.id) < wire.printDrvOutput(b.id) ? -1 : 1)));
const outputNames = fc.array(name, { minLength: 1, maxLength: 3 }).map(sorted);
const derivedPath = fc.oneof(
  fc.record({ kind: fc.constant("opaque" as const), path: storePath }),
  fc.record({
    kind: fc.constant("built" as const),
    drvPath,
    outputs: fc.oneof(fc.constant("*" as const), outputNames),
  }),
);
const algorithm = fc.constant("sha256" as const);
const method = fc.constantFrom("flat" as const, "nar" as const, "text" as const);
const output = fc.oneof(
  fc.record({ kind: fc.constant("input-addressed" as const), path: storePath }),
  fc.record({ kind: fc.constant("floating" as const), method, algorithm }),
  fc.record({ kind: fc.constant("impure" as const), method, algorithm }),
  fc.constant({ kind: "deferred" as const }),
  fc.record({ kind: fc.constant("fixed" as const), address }),
);
const texts = <T>(values: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, values), { maxLength: 3 }).map((list) => new Map(list));
const target = fc
  .record({
    drvPath,
    outputs: texts(output),
    inputSrcs: paths,
    system: bytes,
    builder: bytes,
    args: fc.array(bytes),
    env: texts(bytes),
  })
  .map(({ drvPath, ...fields }) => ({
    drvPath,
    derivation: { ...fields, name: drvPath.slice(storeDir.length + 34, -".drv".length) },
  }));
const mode = fc.constantFrom("normal" as const, "repair" as const, "check" as const);
const statusOf = fc.constantFrom("built" as const, "no-substituters" as const, "timed-out" as const);

/** What a version does not tell comes back as nothing. */
const buildResult = (version: number) =>
  fc
    .record({
      status: statusOf,
      errorMessage: bytes,
      timesBuilt: small,
      nonDeterministic: fc.boolean(),
      startTime: small,
      stopTime: small,
      cpuUser: fc.option(size, { nil: undefined }),
      cpuSystem: fc.option(size, { nil: undefined }),
      builtOutputs: realisations,
    })
    .map((result) => ({
      ...result,
      ...(version < wire.wireVersion(1, 29)
        ? { timesBuilt: 0, nonDeterministic: false, startTime: 0, stopTime: 0 }
        : {}),
      ...(version < wire.wireVersion(1, 37) ? { cpuUser: undefined, cpuSystem: undefined } : {}),
      ...(version < wire.wireVersion(1, 28) ? { builtOutputs: [] } : {}),
    }));

/** Reads bytes that come in pieces of one size, as a connection brings them. */
function readPieces<Value>(codec: wire.WireCodec<Value>, bytes: Uint8Array, peer: wire.WirePeer, size: number): Value {
  const input = new wire.WireInput();
  const reading = codec.read(input, peer);
  let at = 0;
  for (let step = reading.next(); ; step = reading.next()) {
    if (step.done === true) return step.value;
    expect(step.value).toBeGreaterThan(0);
    expect(step.value).toBeLessThanOrEqual(bytes.length - at);
    input.push(bytes.subarray(at, at + size));
    at += size;
  }
}

function law<Value>(codec: wire.WireCodec<Value>, values: fc.Arbitrary<Value>, peers: readonly wire.WirePeer[]): void {
  fc.assert(
    fc.property(values, fc.constantFrom(...peers), fc.integer({ min: 1, max: 40 }), (value, peer, size) => {
      const bytes = wire.encodeWire(codec, value, peer);
      expect(bytes.length % 8).toBe(0);
      expect(wire.decodeWire(codec, bytes, peer)).toEqual(value);
      expect(readPieces(codec, bytes, peer, size)).toEqual(value);
      // No bytes less are enough.
      if (bytes.length > 0) expect(codeOf(() => wire.decodeWire(codec, bytes.subarray(0, -1), peer))).toBe("protocol");
    }),
    { numRuns: 60 },
  );
}

const { workerOperations: worker, serveOperations: serve } = wire;
const workerPeers = workerVersions.map(at);
const servePeers = serveVersions.map(at);
const since = (minor: number) => workerPeers.filter(({ version }) => version >= wire.wireVersion(1, minor));
const until = (minor: number) => workerPeers.filter(({ version }) => version < wire.wireVersion(1, minor));
const path = fc.record({ path: storePath });
const added = fc.record({ name, method, algorithm, references: paths, repair: fc.boolean() });
const missing = fc.record({
  willBuild: paths,
  willSubstitute: paths,
  unknown: paths,
  downloadSize: wide,
  narSize: wide,
});
const substitutable = fc.record({
  deriver: fc.option(drvPath, { nil: undefined }),
  references: paths,
  downloadSize: wide,
  narSize: wide,
});
const buildOptions = fc.record({
  maxSilentTime: small,
  timeout: small,
  maxLogSize: size,
  repeats: small,
  enforceDeterminism: fc.boolean(),
  keepFailed: fc.boolean(),
});

test("numbers, strings, lists, sets, maps and what may be missing come back", () => {
  const peers = [newest.worker];
  law(wire.number, size, peers);
  law(wire.bigNumber, wide, peers);
  law(wire.flag, fc.boolean(), peers);
  law(wire.string, bytes, peers);
  law(wire.strings, fc.array(bytes), peers);
  law(wire.stringSet, fc.array(bytes).map(sorted), peers);
  law(wire.mapOf(wire.string, wire.string), texts(bytes), peers);
  law(wire.optional(wire.string), fc.option(bytes, { nil: undefined }), peers);
});

test("facts about paths come back", () => {
  law(wire.pathInfo, info, [...workerPeers, ...servePeers]);
  law(wire.pathInfoOfMany, info, workerPeers);
  law(
    worker.QueryPathInfo.answer,
    fc.option(
      info.map((value) => without(value, "path")),
      { nil: undefined },
    ),
    workerPeers,
  );
  const served = info.map((value) => without(value, "registrationTime", "ultimate"));
  law(serve.QueryPathInfos.answer, fc.array(served, { maxLength: 3 }), servePeers);
  law(
    worker.AddToStoreNar.request,
    fc.record({ info, repair: fc.boolean(), dontCheckSignatures: fc.boolean() }),
    workerPeers,
  );
  law(serve.AddToStoreNar.request, fc.record({ info }), servePeers);
});

test("facts without a hash, as servers before 2.4 tell them, are refused", () => {
  const peer = at(wire.wireVersion(2, 3));
  fc.assert(
    fc.property(info, (value) => {
      const bytes = wire.encodeWire(wire.servedPathInfo, value, peer);
      expect(() => wire.decodeWire(wire.servedPathInfo, bytes, peer)).toThrow("NAR hash is now mandatory");
    }),
  );
});

test("derivations, derived paths and what came of builds come back", () => {
  law(worker.BuildDerivation.request, fc.record({ target, mode }), workerPeers);
  law(serve.BuildDerivation.request, fc.record({ target, options: buildOptions }), [newest.serve]);
  law(serve.BuildPaths.request, fc.record({ paths: fc.array(derivedPath), options: buildOptions }), [newest.serve]);
  const failed = fc.record({ status: fc.integer({ min: 1, max: 255 }), message: bytes });
  law(serve.BuildPaths.answer, fc.oneof(fc.constant({ status: 0, message: "" }), failed), servePeers);
  law(worker.BuildPaths.request, fc.record({ paths: fc.array(derivedPath), mode }), workerPeers);
  for (const peer of workerPeers) law(wire.buildResult, buildResult(peer.version), [peer]);
  law(
    wire.servedBuildResult,
    buildResult(wire.wireVersion(1, 38)).map((result) => without(result, "cpuUser", "cpuSystem")),
    [at(wire.wireVersion(2, 6)), newest.serve],
  );
  law(
    worker.BuildPathsWithResults.answer,
    fc.array(fc.record({ path: derivedPath, result: buildResult(wire.wireVersion(1, 38)) }), { maxLength: 2 }),
    since(37),
  );
});

test("a fixed output is sent with the path that follows from it", () => {
  const derivation: wire.BasicDerivation = {
    name: "x",
    outputs: new Map([
      ["out", { kind: "fixed", address: { method: "nar", hash: { algorithm: "sha256", bytes: new Uint8Array(32) } } }],
    ]),
    inputSrcs: [],
    system: "s",
    builder: "b",
    args: [],
    env: new Map(),
  };
  const drvPath = `${storeDir}/${"0".repeat(32)}-x.drv`;
  const bytes = wire.encodeWire(wire.namedDerivation, { drvPath, derivation }, newest.worker);
  expect(Buffer.from(bytes).includes(derivationOutputPath(derivation, "out") ?? "none")).toBe(true);
});

test("realisations come back", () => {
  law(wire.realisation, realisation, [newest.worker]);
  law(wire.drvOutput, drvOutput, [newest.worker]);
  law(worker.RegisterDrvOutput.request, realisation, since(31));
  law(
    worker.RegisterDrvOutput.request,
    realisation.map((value) => ({ ...value, signatures: [] })),
    workerPeers,
  );
  const found = realisations.map((list) => list.map((one) => ({ outPath: one.outPath, realisation: one })));
  law(worker.QueryRealisation.answer, found, since(31));
  const old = paths.map((list) => list.map((outPath) => ({ outPath, realisation: undefined })));
  law(worker.QueryRealisation.answer, old, until(31));
});

test("requests and answers of the worker protocol come back", () => {
  law(worker.AddToStore.request, added, since(25));
  const old = fc.constantFrom("flat" as const, "nar" as const);
  law(
    worker.AddToStore.request,
    fc.record({ name, method: old, algorithm, references: fc.constant([]), repair: fc.constant(false) }),
    until(25),
  );
  law(
    worker.AddToStore.answer,
    info.map((info) => ({ path: info.path, info })),
    since(25),
  );
  law(
    worker.AddToStore.answer,
    storePath.map((path) => ({ path, info: undefined })),
    until(25),
  );
  law(worker.AddTextToStore.request, fc.record({ name, text: bytes, references: paths }), workerPeers);
  law(worker.FindRoots.answer, fc.array(fc.record({ link: bytes, target: storePath })), workerPeers);
  law(
    worker.SetOptions.request,
    fc.record({
      keepFailed: fc.boolean(),
      keepGoing: fc.boolean(),
      tryFallback: fc.boolean(),
      verbosity: small,
      maxBuildJobs: small,
      maxSilentTime: small,
      verboseBuild: fc.boolean(),
      buildCores: small,
      useSubstitutes: fc.boolean(),
      overrides: texts(bytes),
    }),
    workerPeers,
  );
  const action = fc.constantFrom(
    "return-live" as const,
    "return-dead" as const,
    "delete-dead" as const,
    "delete-specific" as const,
  );
  law(
    worker.CollectGarbage.request,
    fc.record({ action, pathsToDelete: paths, ignoreLiveness: fc.boolean(), maxFreed: wide }),
    workerPeers,
  );
  law(worker.CollectGarbage.answer, fc.record({ paths, bytesFreed: wide }), workerPeers);
  law(worker.QueryMissing.answer, missing, workerPeers);
  law(worker.QuerySubstitutablePathInfo.answer, fc.option(substitutable, { nil: undefined }), workerPeers);
  const pathInfos = fc.tuple(path, substitutable).map(([a, b]) => ({ ...a, ...b }));
  law(worker.QuerySubstitutablePathInfos.answer, fc.array(pathInfos), workerPeers);
  const addresses = fc.array(fc.tuple(storePath, fc.option(address, { nil: undefined })), { maxLength: 3 });
  law(
    worker.QuerySubstitutablePathInfos.request,
    addresses.map((list) => new Map(list)),
    since(22),
  );
  law(worker.QueryValidPaths.request, fc.record({ paths, substitute: fc.boolean() }), since(27));
  law(worker.QueryValidPaths.request, fc.record({ paths, substitute: fc.constant(false) }), until(27));
  law(worker.QueryDerivationOutputMap.answer, texts(fc.option(storePath, { nil: undefined })), since(22));
  law(worker.QueryPathFromHashPart.answer, fc.option(storePath, { nil: undefined }), workerPeers);
  law(worker.AddSignatures.request, fc.record({ path: storePath, signatures }), workerPeers);
  law(worker.AddBuildLog.request, fc.record({ drvPath }), workerPeers);
  law(worker.AddPermRoot.request, fc.record({ path: storePath, link: bytes }), since(36));
  law(worker.OptimiseStore.answer, fc.constant(undefined), workerPeers);
});

test("requests and answers of the serve protocol come back", () => {
  law(serve.QueryValidPaths.request, fc.record({ lock: fc.boolean(), substitute: fc.boolean(), paths }), servePeers);
  law(serve.QueryClosure.request, fc.record({ includeOutputs: fc.boolean(), paths }), servePeers);
  law(serve.QueryClosure.answer, paths, servePeers);
});

test("messages before an answer come back", () => {
  const field = fc.oneof(wide, bytes);
  const message = fc.oneof(
    fc.record({ kind: fc.constant("next" as const), text: bytes }),
    fc.record({ kind: fc.constant("read" as const), length: size }),
    fc.record({ kind: fc.constant("write" as const), data: bytes }),
    fc.record({ kind: fc.constant("last" as const) }),
    fc.record({
      kind: fc.constant("start-activity" as const),
      id: wide,
      level: small,
      type: fc.constantFrom(...Object.values(wire.activityTypes)),
      text: bytes,
      fields: fc.array(field),
      parent: wide,
    }),
    fc.record({ kind: fc.constant("stop-activity" as const), id: wide }),
    fc.record({
      kind: fc.constant("result" as const),
      id: wide,
      type: fc.constantFrom(...Object.values(wire.resultTypes)),
      fields: fc.array(field),
    }),
  );
  law(wire.stderrMessage, message, workerPeers);
  const failed = (error: fc.Arbitrary<wire.WireError>) => error.map((error) => ({ kind: "error" as const, error }));
  const traces = fc.array(bytes);
  law(
    wire.stderrMessage,
    failed(fc.record({ level: small, message: bytes, status: fc.constant(1), traces })),
    since(26),
  );
  const nothing = fc.constant([]);
  law(
    wire.stderrMessage,
    failed(fc.record({ level: fc.constant(0), message: bytes, status: small, traces: nothing })),
    until(26),
  );
});

test("framed data come back whatever the pieces are", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 30 }), (pieces, size) => {
      const bytes = Buffer.concat([...pieces.map(wire.frame), wire.framesEnd()]);
      const parts: Uint8Array[] = [];
      const codec: wire.WireCodec<undefined> = {
        read: (input, peer) => wire.readFrames(input, peer, (part) => parts.push(part)),
        write: () => undefined,
      };
      readPieces(codec, bytes, newest.worker, size);
      expect(Buffer.concat(parts)).toEqual(Buffer.concat(pieces));
    }),
  );
});

/** Runs two ends against each other in turn. */
function meet<Client, Server>(
  client: (input: wire.WireInput) => wire.Conversation<Client>,
  server: (input: wire.WireInput) => wire.Conversation<Server>,
): [Client, Server] {
  const inputs = [new wire.WireInput(), new wire.WireInput()] as const;
  const parts = [client(inputs[0]), server(inputs[1])] as const;
  const results: [Client?, Server?] = [];
  for (let idle = 0, end = 0; results.length < 2 || !(0 in results); end = 1 - end) {
    if (end in results) continue;
    const step = parts[end as 0 | 1].next();
    if (step.done === true) results[end as 0 | 1] = step.value as Client & Server;
    else if (typeof step.value !== "number") inputs[(1 - end) as 0 | 1].push(step.value);
    idle = step.done === true || typeof step.value !== "number" ? 0 : idle + 1;
    if (idle > 4) throw new Error("both ends wait");
  }
  return results as [Client, Server];
}

test("ends of all versions agree on the older one, on what the daemon tells and on common features", () => {
  const facts = { nixVersion: "2.34.8", trusted: false };
  for (const ours of workerVersions) {
    for (const theirs of workerVersions) {
      const [client, server] = meet(
        (input) =>
          wire.greetDaemon(input, {
            storeDir,
            protocol: { ...wire.workerProtocol, newest: ours },
            features: new Set(["a", "b"]),
          }),
        (input) =>
          wire.answerDaemonClient(input, {
            storeDir,
            protocol: { ...wire.workerProtocol, newest: theirs },
            features: new Set(["b", "c"]),
            facts,
          }),
      );
      const version = Math.min(ours, theirs);
      const features = new Set(version >= wire.wireVersion(1, 38) ? ["b"] : []);
      expect(server).toEqual({ storeDir, version, features });
      expect(client).toEqual({
        ...server,
        nixVersion: version >= wire.wireVersion(1, 33) ? "2.34.8" : undefined,
        trusted: version >= wire.wireVersion(1, 35) ? false : undefined,
      });
    }
  }
  for (const theirs of serveVersions.slice(1)) {
    const [client, server] = meet(
      (input) => wire.greetServer(input, { storeDir }),
      (input) => wire.answerClient(input, { storeDir, protocol: { ...wire.serveProtocol, newest: theirs } }),
    );
    expect([client.version, server.version]).toEqual([theirs, theirs]);
  }
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as FirnError).code;
  }
}

test("servers and clients of other protocols and of versions that are too old are refused", () => {
  const greeting = (magic: number, version: number) =>
    Buffer.concat([magic, version].map((value) => wire.encodeWire(wire.number, value, newest.serve)));
  const client = (bytes: Uint8Array) => [...wire.greetServer(new wire.WireInput(1000, bytes), { storeDir })];
  const server = (bytes: Uint8Array) => [...wire.answerClient(new wire.WireInput(1000, bytes), { storeDir })];
  const { clientMagic, serverMagic } = wire.serveProtocol;
  expect(codeOf(() => client(greeting(serverMagic, 0x205)))).toBeUndefined();
  expect(codeOf(() => client(greeting(serverMagic, 0x204)))).toBe("protocol");
  expect(codeOf(() => client(greeting(serverMagic, 0x305)))).toBe("protocol");
  expect(codeOf(() => client(greeting(clientMagic, 0x205)))).toBe("protocol");
  expect(codeOf(() => server(greeting(clientMagic, 0x201)))).toBeUndefined();
  expect(codeOf(() => server(greeting(clientMagic, 0x200)))).toBe("protocol");
});

const word = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const textOf = (text: string): Uint8Array => wire.encodeWire(wire.string, text, newest.worker);

test.each<[string, wire.WireCodec<unknown>, Uint8Array]>([
  ["a number above 2⁵³", wire.number, word(2n ** 53n)],
  ["padding that is not zero", wire.string, Buffer.concat([word(1n), Buffer.from("x\0\0\0\0\0\0y")])],
  ["a string longer than what is there", wire.string, word(2n ** 40n)],
  ["a list longer than what is there", wire.strings, word(2n ** 40n)],
  ["a list of lists longer than what is there", wire.list(wire.strings), Buffer.concat([word(2n), word(1n), word(1n)])],
  [
    "a map with a key twice",
    wire.mapOf(wire.string, wire.string),
    Buffer.concat([word(2n), ...["a", "b", "a", "c"].map(textOf)]),
  ],
  ["bytes after the value", wire.number, Buffer.concat([word(1n), word(1n)])],
  ["a value that is neither there nor not", wire.optional(wire.number), Buffer.concat([word(2n), word(1n)])],
  ["an unknown build mode", wire.buildMode, word(3n)],
  ["an unknown status of a build", wire.buildStatus, word(15n)],
  ["an unknown message", wire.stderrMessage, word(1n)],
  [
    "a field of an unknown type",
    wire.stderrMessage,
    Buffer.concat([word(0x52534c54n), word(1n), word(101n), word(1n), word(2n)]),
  ],
  ["something else than done", wire.done, word(0n)],
  ["a store path with a slash at its end", wire.storePath, textOf(`${storeDir}/${"0".repeat(32)}-x/`)],
  ["outputs of what is no derivation", wire.derivedPath, textOf(`${storeDir}/${"0".repeat(32)}-x!out`)],
])("%s is refused", (_what, codec, bytes) => {
  expect(codeOf(() => wire.decodeWire(codec, bytes, newest.worker))).toBe("protocol");
});

test.each<[string, wire.WireCodec<unknown>, string, string]>([
  ["a store path elsewhere", wire.storePath, "/etc/passwd", "bad-store-path"],
  ["a name with a slash", wire.storePathByName, `${"0".repeat(32)}-x/y`, "bad-store-path"],
  [
    "a realisation with a signature without a key",
    wire.realisation,
    `{"id":"","outPath":"${"0".repeat(32)}-x","signatures":["x"]}`,
    "bad-key",
  ],
  ["a content address of no kind", wire.optionalContentAddress, "x:y", "bad-content-address"],
  ["a realisation that is no JSON", wire.realisation, "{", "bad-json"],
  ["a realisation without a path", wire.realisation, "{}", "protocol"],
])("%s is refused with its own code", (_what, codec, text, code) => {
  expect(codeOf(() => wire.decodeWire(codec, textOf(text), newest.worker))).toBe(code);
});

test("lengths that are announced cost nothing before bytes come", () => {
  const input = new wire.WireInput();
  input.push(word(BigInt(wire.maxMessageSize / 2)));
  expect(wire.string.read(input, newest.worker).next()).toEqual({ done: false, value: wire.maxMessageSize / 2 });
  const beyond = new wire.WireInput();
  beyond.push(word(BigInt(wire.maxMessageSize)));
  expect(codeOf(() => wire.string.read(beyond, newest.worker).next())).toBe("protocol");
  const items = new wire.WireInput();
  items.push(word(BigInt(wire.maxMessageSize / 8 + 1)));
  expect(codeOf(() => wire.strings.read(items, newest.worker).next())).toBe("protocol");
});

test("the operations have their own numbers and names", () => {
  for (const table of [worker, serve]) {
    const numbers = Object.values(table).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
  }
  expect(wire.operationName(worker, 46, wire.wireVersion(1, 33))).toBeUndefined();
  expect(wire.operationName(worker, 46, wire.wireVersion(1, 34))).toBe("BuildPathsWithResults");
  expect(wire.operationName(serve, 5, wire.serveProtocol.newest)).toBeUndefined();
  expect([21, 22, 23].map((minor) => wire.requestBody(worker.AddToStoreNar, wire.wireVersion(1, minor)))).toEqual([
    "pulled",
    "pulled",
    "framed",
  ]);
});
