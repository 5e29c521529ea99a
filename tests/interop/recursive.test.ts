/** Builders that use the store themselves: recursive Nix, in the sandbox. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeStoreBuilder, sandboxWorks } from "@firn/build";
import type { Derivation } from "@firn/formats";
import { addDerivation, computeClosure, LocalStore, removePath, Settings, storeLocation } from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandboxPrograms } from "../support/daemons.ts";
import { main } from "../support/program.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

let root: string;
let store: LocalStore;
let lines: string[];

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-recursive-"));
  fs.chmodSync(root, 0o755);
  store = await LocalStore.open({ location: storeLocation({ rootDir: root }) });
  lines = [];
});
afterEach(async () => {
  await store.close();
  removePath(root);
});

/** Builds a script that has `firn` and may use the store; returns its output. */
async function build(script: string, sources: readonly string[], features = "recursive-nix"): Promise<string> {
  const settings = new Settings();
  settings.set("substituters", "");
  settings.set("experimental-features", features);
  settings.set("build-users-group", "");
  settings.set("sandbox-paths", `${sandboxPrograms} ${checkout}`);
  const given: Derivation = {
    name: "outer",
    outputs: new Map([["out", { kind: "deferred" }]]),
    inputDrvs: new Map(),
    inputSrcs: [...sources].sort(),
    system: "x86_64-linux",
    builder: "/bin/sh",
    args: ["-ec", `firn() { ${process.execPath} --disable-warning=ExperimentalWarning ${main} "$@"; }\n${script}`],
    env: new Map([
      ["PATH", "/bin:/usr/bin"],
      ["requiredSystemFeatures", "recursive-nix"],
      ["NIX_CONFIG", "flake-registry ="],
      ["out", ""],
    ]),
  };
  const drvPath = await addDerivation(store, given, { dryRun: false });
  const builder = makeStoreBuilder({
    store,
    settings,
    events: (event) => {
      if (event.kind === "build-log") lines.push(event.line);
    },
    offline: false,
    substituters: async () => [],
  });
  const [result] = await builder.build([{ kind: "built", drvPath, outputs: "*" }]);
  return result?.outputs.get("out") ?? "";
}

describe.skipIf(!sandboxWorks())("a builder that may use the store", () => {
  it("sees its inputs and what it adds and builds, and its outputs may refer to that", async () => {
    const input = await store.addTextToStore("input", "an input", []);
    const foreign = await store.addTextToStore("foreign", "not an input", []);
    const inner = `derivation { name = "inner"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin"; args = [ "-c" "echo inner works; echo inner > $out" ]; }`;
    const out = await build(
      `firn path-info ${input}
       if firn path-info ${foreign}; then exit 1; fi
       if firn build --no-link ${foreign}; then exit 1; fi
       test ! -e ${foreign}
       echo added > added; added=$(firn store add ./added); test "$(cat $added)" = added
       test "$(firn path-info --all | wc -l)" = 2
       inner=$(firn build --no-link --print-out-paths --impure --expr '${inner}'); test "$(cat $inner)" = inner
       if firn store verify --no-trust ${foreign}; then exit 1; fi
       mkdir $out; ln -s $added $out/added; ln -s $inner $out/inner`,
      [input],
    );
    expect(lines).toContain("inner works");
    const names = (await computeClosure(store, [out])).map((found) => found.slice(44));
    expect(names.sort()).toEqual(["added", "inner", "outer"]);
    expect(
      fs.readFileSync(store.realPath((await computeClosure(store, [out])).find((p) => p.endsWith("-added"))!), "utf8"),
    ).toBe("added\n");
  }, 120_000);

  it("cannot reach other paths by referring to them", async () => {
    const foreign = await store.addTextToStore("foreign", "not an input", []);
    const direct = { name: "direct", method: "text", algorithm: "sha256", repair: false, references: [foreign] };
    const spying = `Derive([("out","","r:sha256","")],[],["${foreign}"],"x86_64-linux","/bin/sh",["-c","cat ${foreign} > $out"],[("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9")])`;
    const claiming = `Derive([("out","${foreign}","","")],[],[],"x86_64-linux","/bin/sh",[],[("name","foreign"),("out","${foreign}")])`;
    const client = `
      import net from "node:net";
      import { wire } from "${checkout}/packages/formats/src/index.ts";
      import { noEvents } from "${checkout}/packages/store/src/index.ts";
      import { DaemonConnection } from "${checkout}/packages/store/src/remote/daemon-connection.ts";
      const { AddToStore, BuildPaths, IsValidPath } = wire.workerOperations;
      const settings = { keepFailed: false, keepGoing: false, tryFallback: false, verbosity: 0, maxBuildJobs: 1, maxSilentTime: 0,
        verboseBuild: false, buildCores: 1, useSubstitutes: false, overrides: new Map() };
      const connect = () => {
        const socket = net.connect(process.env.NIX_REMOTE.slice("unix://".length));
        const transport = { input: socket, write: (bytes) => new Promise((done) => socket.write(bytes, () => done())),
          failure: new Promise(() => {}), lastWords: async () => {}, abort: () => socket.destroy(), close: async () => socket.destroy() };
        return DaemonConnection.open(transport, { storeDir: "/nix/store", events: noEvents, settings: () => settings });
      };
      const failure = (work) => work.then(() => "nothing", (error) => error.message);
      console.log("direct:", await failure((await connect()).call(AddToStore, ${JSON.stringify(direct)}, [Buffer.from("text")])));
      const connection = await connect();
      const drv = await connection.call(AddToStore, { ...${JSON.stringify({ ...direct, name: "spy.drv", references: [] })} },
        [Buffer.from(${JSON.stringify(spying)})]);
      const lying = { ...${JSON.stringify({ ...direct, name: "foreign.drv", references: [] })} };
      console.log("claimed:", (await failure((await connect()).call(AddToStore, lying, [Buffer.from(${JSON.stringify(claiming)})]))).split(",")[0]);
      const target = { kind: "built", drvPath: drv.path, outputs: "*" };
      console.log("undeclared:", await failure(connection.call(BuildPaths, { paths: [target], mode: "normal" })));
      console.log("valid: " + await (await connect()).call(IsValidPath, { path: ${JSON.stringify(foreign)} }));
      process.exit(0);
    `;
    const script = await store.addTextToStore("client.mjs", client, []);
    await build(
      `${process.execPath} --disable-warning=ExperimentalWarning ${script}; test ! -e ${foreign}; echo > $out`,
      [script],
      "recursive-nix ca-derivations",
    );
    const refusal = `path '${foreign}' is not valid`;
    expect(lines).toEqual([
      `direct: ${refusal}`,
      `claimed: derivation has incorrect output '${foreign}'`,
      `undeclared: ${refusal}`,
      "valid: false",
    ]);
  }, 120_000);

  it("needs the experimental feature", async () => {
    await expect(build("echo > $out", [], "")).rejects.toThrow(/missing system features/);
  });
});
