/**
 * Records what clients and servers of the reference say to each other into tests/formats/wire. The only writer of those files:
 *
 *   FIRN_REAL_NIX=PATH node scripts/record-wire.ts
 *
 * Both ends are the reference's. A script between them puts another version into both greetings, so that they speak as older programs
 * do. The work directory has a fixed name, since it is told on the wire.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { parseDerivation, wire } from "../packages/formats/src/index.ts";

const realNix = process.env.FIRN_REAL_NIX;
if (realNix === undefined) throw new Error("FIRN_REAL_NIX is not set: scripts/setup-reference prints the path");
const golden = new URL("../tests/formats/wire/", import.meta.url).pathname;
const work = "/tmp/firn-recorded-wire";
fs.rmSync(work, { recursive: true, force: true });
fs.mkdirSync(path.join(work, "nix"), { recursive: true });

const config = [
  "build-users-group =",
  "experimental-features = nix-command flakes ca-derivations",
  "substituters =",
  "sandbox = false",
  "flake-registry =",
  "cores = 1",
  "max-jobs = 1",
].join("\n");

/** Runs a shell script with the reference's programs. What fails is part of what is recorded. */
function run(script: string): string {
  const { stdout, stderr, status } = spawnSync(realNix!, ["bash", "-c", script], {
    cwd: work,
    env: { ...process.env, NIX_CONFIG: config, REAL_NIX_STATE: path.join(work, "nix"), HOME: work },
    encoding: "utf8",
  });
  if (status !== 0) console.log(`exit status ${status}: ${script}\n${stderr}`);
  return stdout.trim();
}

const recordedBy = run("nix --version");

fs.writeFileSync(
  path.join(work, "between"),
  `#!/bin/bash
# between PROGRAM ARGUMENT...: runs a server, with another version in both greetings, and keeps what both say.
exec 2>>"$RECORD_DIR/stderr"
rewrite() {
  dd bs=8 count=1 iflag=fullblock status=none
  dd bs=8 count=1 iflag=fullblock status=none of=/dev/null
  printf "\\\\x$RECORD_MINOR\\\\x$RECORD_MAJOR\\\\0\\\\0\\\\0\\\\0\\\\0\\\\0"
  exec cat
}
rewrite | tee "$RECORD_DIR/$$.client" | "$@" | rewrite | tee "$RECORD_DIR/$$.server"
`,
  { mode: 0o755 },
);
for (const [name, program] of [
  ["worker", "nix-daemon"],
  ["serve", "nix-store"],
] as const) {
  fs.writeFileSync(path.join(work, name), `#!/bin/bash\nexec ${work}/between ${program} "$@"\n`, { mode: 0o755 });
}

fs.writeFileSync(
  path.join(work, "things.nix"),
  `let
  make = name: extra: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo \${name} > $out; echo log of \${name}" ]; } // extra);
in rec {
  plain = make "plain" { weird = "tab\\t nl\\n quote\\" back\\\\ é"; };
  multi = make "multi" { outputs = [ "out" "dev" ]; args = [ "-c" "echo \${plain} > $out; echo > $dev" ]; };
  sources = make "sources" { src = ./tree; flat = builtins.path { path = ./file; recursive = false; }; };
  fixed = make "fixed" { outputHash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; outputHashMode = "recursive"; };
  failing = make "failing" { args = [ "-c" "echo before failing; exit 3" ]; };
  floating = make "floating" { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; inherit plain; };
}`,
);
fs.mkdirSync(path.join(work, "tree"));
fs.writeFileSync(path.join(work, "tree", "a"), "hello");
fs.symlinkSync("a", path.join(work, "tree", "link"));
fs.writeFileSync(path.join(work, "file"), "some text\n");
run("nix-store --generate-binary-cache-key golden-1 secret public");

/** What is asked in the worker protocol; `$S` is the daemon. */
const workerScript = `
  tree=$(nix store add --store "$S" tree)
  nix store add --store "$S" --mode flat file
  nix-store --store "$S" --add-fixed --recursive sha1 tree
  nix-store --store "$S" --add-fixed sha256 file
  drv=$(nix-instantiate --store "$S" things.nix -A multi)
  nix build --store "$S" --no-link -f things.nix plain multi
  nix build --store "$S" --no-link -f things.nix failing
  nix build --store "$S" --no-link -f things.nix floating
  nix-store --store "$S" --realise "$drv"
  nix-instantiate --store "$S" things.nix -A sources
  nix realisation info --store "$S" -f things.nix floating
  plain=$(nix path-info --store "$S" -f things.nix plain)
  nix path-info --store "$S" -r --json "$plain" "$tree"
  nix-store --store "$S" -q --referrers "$plain"
  nix-store --store "$S" -q --valid-derivers "$plain"
  nix-store --store "$S" -q --outputs "$drv"
  nix path-info --store "$S" --all
  nix store sign --store "$S" --key-file secret "$tree"
  nix copy --no-check-sigs --from local?root=${work}/source --to "$S" "$(cat source-path)"
  nix store copy-log --from local --to "$S" "$drv"
  nix-store --store "$S" --export "$tree" > exported
  nix-store --store "$S" --verify
  nix-store --store "$S" --optimise
  nix-store --store "$S" --gc --print-roots
  nix-store --store "$S" --gc --print-dead
  nix store ping --store "$S"
  nix-store --store "$S" --delete "$tree"
  perl -MIO::Socket::UNIX -e '
    my $listener = IO::Socket::UNIX->new(Local => shift, Listen => 5);
    while (my $client = $listener->accept) {
      next if fork;
      open STDIN, "<&", $client; open STDOUT, ">&", $client; close $client;
      exec @ARGV;
    }' ${work}/socket ${work}/worker --stdio &
  listener=$!
  until [ -S ${work}/socket ]; do sleep 0.1; done
  nix-build --store "unix://${work}/socket?max-connections=1" --option http-connections 7 things.nix -A plain -o result
  kill $listener
  rm ${work}/socket
`;

/** What is asked in the serve protocol; `$S` is the server. */
const serveScript = `
  nix copy --no-check-sigs --from local?root=${work}/source --to "$S" "$(cat source-path)"
  nix path-info --store "$S" -r --json "$(cat source-path)"
  nix copy --no-check-sigs --from "$S" --to local?root=${work}/target "$(cat source-path)"
  nix-store --store "$S" --export "$(cat source-path)" > exported
  nix-store --store "$S" -q --requisites "$(nix-instantiate things.nix -A multi)"
`;

/** Builds on another machine by the build hook, which sends derivations. */
const hookScript = (store: string): string => `
  drv=$(nix-instantiate --store local?root=${work}/target things.nix -A plain)
  floating=$(nix-instantiate --store local?root=${work}/target things.nix -A floating)
  builders="${store} $(nix config show system)"
  nix-store --store local?root=${work}/target --max-jobs 0 --builders "$builders" --realise "$drv" "$floating"
  nix copy --no-check-sigs --from local?root=${work}/target --to "${store}" -f things.nix floating
`;

fs.mkdirSync(golden, { recursive: true });
for (const [protocol, major, minors] of [
  ["worker", 1, [21, 22, 23, 25, 26, 27, 28, 29, 30, 31, 32, 34, 36, 37, 38]],
  ["serve", 2, [5, 6, 7]],
] as const) {
  for (const minor of minors) {
    for (const name of ["nix", "source", "target"]) fs.rmSync(path.join(work, name), { recursive: true, force: true });
    fs.mkdirSync(path.join(work, "nix"));
    const records = path.join(work, "records");
    fs.rmSync(records, { recursive: true, force: true });
    fs.mkdirSync(records);
    const scheme = protocol === "worker" ? "ssh-ng" : "ssh";
    const store = `${scheme}://localhost?remote-program=${work}/${protocol}&max-connections=1`;
    const hex = (n: number): string => n.toString(16).padStart(2, "0");
    const environment = `export RECORD_DIR=${records} RECORD_MAJOR=${hex(major)} RECORD_MINOR=${hex(minor)} S='${store}'\n`;
    run(`nix store add --store local?root=${work}/source tree > source-path`);
    run(environment + (protocol === "worker" ? workerScript : serveScript));
    run(environment + hookScript(store));
    const connections = fs
      .readdirSync(records)
      .filter((name) => name.endsWith(".client"))
      .map((name) => path.join(records, name.slice(0, -".client".length)))
      .sort((a, b) => fs.statSync(`${a}.client`).birthtimeMs - fs.statSync(`${b}.client`).birthtimeMs)
      .map((name) => ({
        client: fs.readFileSync(`${name}.client`).toString("base64"),
        server: fs.readFileSync(`${name}.server`).toString("base64"),
      }));
    const file = path.join(golden, `${protocol}-${major}.${minor}.json.gz`);
    fs.writeFileSync(file, gzipSync(JSON.stringify({ recordedBy, connections }), { level: 9 }));
    console.log(`recorded ${connections.length} connections of the ${protocol} protocol ${major}.${minor}`);
  }
}

/**
 * What no client of the reference asks for, or not in this version: here the requests are written by our codecs, and the reference's
 * server answers.
 */
function ask(
  protocol: "worker" | "serve",
  version: number,
  requests: (peer: wire.WirePeer) => readonly Uint8Array[],
): void {
  const peer: wire.WirePeer = { storeDir: "/nix/store", version, features: new Set() };
  const { clientMagic } = protocol === "worker" ? wire.workerProtocol : wire.serveProtocol;
  const numbers = [clientMagic, version];
  // No features, then the fields without meaning.
  if (protocol === "worker") numbers.push(...(version >= wire.wireVersion(1, 38) ? [0, 0, 0] : [0, 0]));
  const greeting = numbers.map((value) => wire.encodeWire(wire.number, value, peer));
  const client = Buffer.concat([...greeting, ...requests(peer)]);
  fs.writeFileSync(path.join(work, "asked"), client);
  // A server that loses its client stops working.
  const program = protocol === "worker" ? "nix-daemon --stdio" : "nix-store --serve --write";
  run(`{ cat asked; sleep 3; } | ${program} > answered`);
  const connection = { client, server: fs.readFileSync(path.join(work, "answered")) };
  const connections = [{ client: connection.client.toString("base64"), server: connection.server.toString("base64") }];
  const file = path.join(golden, `${protocol}-${wire.showWireVersion(version)}-asked.json.gz`);
  fs.writeFileSync(file, gzipSync(JSON.stringify({ recordedBy, connections }), { level: 9 }));
  console.log(`recorded answers of the ${protocol} protocol ${wire.showWireVersion(version)}`);
}

/** The bytes of a request. */
function requestOf<Request, Answer>(
  peer: wire.WirePeer,
  operation: wire.WireOperation<Request, Answer>,
  request: Request,
  body: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const output = new wire.WireOutput();
  output.number(operation.number);
  operation.request.write(output, request, peer);
  output.bytes(body);
  return output.finish();
}

fs.rmSync(path.join(work, "nix"), { recursive: true });
fs.mkdirSync(path.join(work, "nix"));
const [plain = "", drvPath = "", failing = "", tree = ""] = run(`
  nix-build --no-out-link things.nix -A plain
  nix-instantiate things.nix -A plain
  nix-instantiate things.nix -A failing
  nix store add tree
`).split("\n");
run(`nix-store --export ${tree} > exported; nix-store --delete ${tree}`);
const exported = fs.readFileSync(path.join(work, "exported"));
const derivation = parseDerivation(fs.readFileSync(path.join(work, drvPath), "latin1"), "plain");
const options = {
  maxSilentTime: 0,
  timeout: 0,
  maxLogSize: 0,
  repeats: 0,
  enforceDeterminism: false,
  keepFailed: false,
};
for (const minor of [1, 2, 3, 4, 7]) {
  const { serveOperations: operations } = wire;
  ask("serve", wire.wireVersion(2, minor), (peer) => [
    requestOf(peer, operations.QueryValidPaths, { lock: true, substitute: false, paths: [plain, drvPath, tree] }),
    requestOf(peer, operations.BuildDerivation, { target: { drvPath, derivation }, options }),
    requestOf(peer, operations.BuildPaths, { paths: [{ kind: "built", drvPath, outputs: ["out"] }], options }),
    requestOf(peer, operations.BuildPaths, { paths: [{ kind: "built", drvPath: failing, outputs: "*" }], options }),
    requestOf(peer, operations.ImportPaths, undefined, exported),
    requestOf(peer, operations.QueryClosure, { includeOutputs: true, paths: [drvPath] }),
    // Facts without a hash cannot be read.
    ...(minor < 4 ? [] : [requestOf(peer, operations.QueryPathInfos, { paths: [plain, tree] })]),
  ]);
}
for (const minor of [21, 22, 38]) {
  const { workerOperations: operations } = wire;
  ask("worker", wire.wireVersion(1, minor), (peer) => [
    requestOf(peer, operations.SyncWithGC, undefined),
    requestOf(peer, operations.QueryDeriver, { path: plain }),
    requestOf(peer, operations.QuerySubstitutablePathInfo, { path: plain }),
    requestOf(peer, operations.QueryDerivationOutputs, { path: drvPath }),
    requestOf(peer, operations.QueryDerivationOutputNames, { path: drvPath }),
    requestOf(peer, operations.QueryPathFromHashPart, { hashPart: plain.slice(11, 43) }),
    requestOf(peer, operations.QueryPathFromHashPart, { hashPart: "0".repeat(32) }),
    requestOf(peer, operations.QuerySubstitutablePathInfos, new Map([[plain, undefined]])),
    requestOf(peer, operations.QuerySubstitutablePaths, { paths: [plain] }),
    ...(minor < 36 ? [] : [requestOf(peer, operations.AddPermRoot, { path: plain, link: `${work}/nix/root` })]),
    requestOf(peer, operations.FindRoots, undefined),
  ]);
}
fs.rmSync(work, { recursive: true, force: true });
