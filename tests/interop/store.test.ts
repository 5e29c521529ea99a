/** The reference and Firn on the same derivations and the same stores, in turn. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { buildPaths, sandboxWorks } from "@firn/build";
import { printHash } from "@firn/formats";
import {
  computeClosure,
  copyClosure,
  LocalStore,
  openStore,
  removePath,
  Settings,
  storeLocation,
  verifyStore,
} from "@firn/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const realNix = process.env.FIRN_REAL_NIX;

/** What both build: host programs stand in for a tool chain, so outputs must not depend on their versions. */
const expressions = `
let
  make = name: attributes: script: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-ec" script ];
    PATH = "/bin:/usr/bin";
  } // attributes);
in rec {
  dep = make "dep" { } "mkdir $out; echo hi > $out/f; ln -s f $out/l";
  simple = make "simple" { } "mkdir -p $out/bin $out/empty; echo x > $out/bin/a; chmod +x $out/bin/a; ln $out/bin/a $out/bin/b; ln -s \${dep}/f $out/link";
  multi = make "multi" { outputs = [ "out" "dev" "man" ]; } "mkdir $out $dev; echo $dev > $out/x; echo self $man > $dev/y; echo m > $man";
  selfref = make "selfref" { } "mkdir $out; echo $out \${dep} > $out/me";
  graph = make "graph" { exportReferencesGraph = [ "one" simple "two" selfref ]; } "mkdir $out; cp one two $out/";
  file = make "file" { passAsFile = [ "big" ]; big = "a\\nb"; } "cat $bigPath > $out";
  structured = make "structured" {
    builder = "/bin/bash";
    __structuredAttrs = true;
    list = [ 1 2.5 "a b" true null ];
    ints = [ 1 2 ];
    set = { a = "x'y"; b = false; n = 3; };
    big = 12345678901;
    exportReferencesGraph.graph = [ dep ];
  } "PATH=/bin:/usr/bin; . $NIX_ATTRS_SH_FILE; out=\\\${outputs[out]}; mkdir $out; sed s,$out,OUT,g $NIX_ATTRS_JSON_FILE > $out/json; sed s,$out,OUT,g $NIX_ATTRS_SH_FILE > $out/sh";
  fixed = make "fixed" { outputHash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="; outputHashMode = "flat"; } "echo hello > $out";
  environment = make "environment" { weird = "tab\\there \\"q\\" \\\\ 'y' é"; } "env | grep -v -e ^SHLVL -e ^_= -e ^OLDPWD | LC_ALL=C sort > $out";
}`;

const names = ["dep", "simple", "multi", "selfref", "graph", "file", "structured", "fixed", "environment"];
const programs = "/bin=/usr/bin /lib=/usr/lib /lib64=/usr/lib64 /usr";

let top: string;

function real(...command: string[]): string {
  return execFileSync(realNix!, command, {
    cwd: top,
    encoding: "latin1",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function openAt(name: string, more: { readOnly?: boolean } = {}): Promise<LocalStore> {
  return LocalStore.open({ location: storeLocation({ rootDir: path.join(top, name) }), requireSigs: false, ...more });
}

describe.skipIf(realNix === undefined || !sandboxWorks())("the reference and Firn", () => {
  const drvPaths = new Map<string, string>();

  beforeAll(() => {
    top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-interop-"));
    fs.chmodSync(top, 0o755);
    fs.writeFileSync(path.join(top, "cases.nix"), expressions);
    for (const name of names) {
      const drvPath = real("nix-instantiate", "--store", path.join(top, "real"), "cases.nix", "-A", name).trim();
      drvPaths.set(name, drvPath.replace(/!.*/, ""));
    }
    real(
      "nix-store",
      "--store",
      path.join(top, "real"),
      "--option",
      "sandbox-paths",
      programs,
      "-r",
      ...drvPaths.values(),
    );
  });

  afterAll(() => removePath(top));

  it("build the same outputs with the same references", async () => {
    const theirs = await openAt("real", { readOnly: true });
    const ours = await openAt("firn");
    await copyClosure(drvPaths.values(), { from: theirs, to: ours, checkSignatures: false });
    const settings = new Settings();
    settings.set("sandbox-paths", programs);
    const targets = [...drvPaths.values()].map((drvPath) => ({
      kind: "built" as const,
      drvPath,
      outputs: "*" as const,
    }));
    const results = await buildPaths(targets, { store: ours, settings, events: () => {} });
    const facts = async (store: LocalStore, paths: string[]): Promise<unknown[]> =>
      Promise.all(
        paths.map(async (item) => {
          const info = await store.queryPathInfo(item);
          return {
            item,
            hash: info && printHash(info.narHash, "sri"),
            references: info?.references,
            deriver: info?.deriver,
            ca: info?.ca,
          };
        }),
      );
    const outputs = results.flatMap((result) => [...result.outputs.values()]).sort();
    expect(outputs.length).toBe(11);
    expect(await facts(ours, outputs)).toEqual(await facts(theirs, outputs));
    await theirs.close();
    await ours.close();
  });

  it("find nothing wrong with each other's stores", async () => {
    real("nix-store", "--store", path.join(top, "firn"), "--verify", "--check-contents");
    const theirs = await openAt("real");
    expect(await verifyStore(theirs, { checkContents: true })).toBe(false);
    await theirs.close();
  });

  // The reference fails while a process anywhere on the machine, of another test too, has a file open whose path is too long for it.
  it("agree on roots, live and dead paths", { retry: 3 }, async () => {
    const ours = await openAt("firn");
    const [simple] = ours.readDerivation(drvPaths.get("simple")!).outputs.values();
    const kept = simple?.kind === "input-addressed" ? simple.path : "";
    await ours.close();
    real("nix-store", "--store", path.join(top, "firn"), "-r", kept, "--add-root", path.join(top, "kept"));
    const again = await openAt("firn");
    const paths = (text: string): string[] =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .sort();
    expect([...(await again.findRoots()).keys()]).toEqual([kept]);
    for (const action of ["live", "dead"] as const) {
      const theirs = paths(real("nix-store", "--store", path.join(top, "firn"), "--gc", `--print-${action}`));
      expect((await again.collectGarbage({ action })).paths).toEqual(theirs);
    }
    await again.close();
  });

  it("write the same binary cache, signatures included, and read each other's", async () => {
    real("nix-store", "--generate-binary-cache-key", "interop-1", "secret", "public");
    const ours = await openAt("firn");
    const simple = ours.readDerivation(drvPaths.get("simple")!).env.get("out")!;
    const settings = new Settings();
    for (const compression of ["xz", "none"]) {
      const parameters = `compression=${compression}&secret-key=${path.join(top, "secret")}&write-nar-listing=true`;
      const cache = await openStore(`file://${top}/firn-${compression}?${parameters}`, { settings });
      await copyClosure([simple], { from: ours, to: cache });
      real(
        "nix",
        "copy",
        "--from",
        path.join(top, "firn"),
        "--to",
        `file://${top}/real-${compression}?${parameters}`,
        simple,
      );
      const files = (directory: string): Map<string, string> =>
        new Map(
          fs
            .readdirSync(directory, { recursive: true, encoding: "latin1" })
            .filter((name) => fs.statSync(path.join(directory, name)).isFile())
            .sort()
            .map((name) => [name, fs.readFileSync(path.join(directory, name), "latin1")]),
        );
      expect(files(path.join(top, `firn-${compression}`))).toEqual(files(path.join(top, `real-${compression}`)));
    }
    const key = fs.readFileSync(path.join(top, "public"), "latin1");
    const back = path.join(top, "back-real");
    real(
      "nix",
      "copy",
      "--from",
      `file://${top}/firn-xz`,
      "--to",
      back,
      "--option",
      "trusted-public-keys",
      key,
      simple,
    );
    settings.set("trusted-public-keys", key);
    const to = await openStore(path.join(top, "back-firn"), { settings });
    const from = await openStore(`file://${top}/real-xz`, { settings });
    await copyClosure([simple], { from, to });
    expect(await computeClosure(to, [simple])).toEqual(await computeClosure(ours, [simple]));
    for (const store of [ours, to]) await store.close();
  });
});
