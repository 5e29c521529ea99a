import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  type Derivation,
  type DerivationInput,
  type DerivationOutput,
  derivationStorePath,
  hashPlaceholder,
  narOfFile,
  nestOutput,
  outputPathName,
  outputPlaceholder,
  parseDerivation,
  wire,
} from "@firn/formats";
import {
  type BuildResult,
  DerivationHashes,
  type FirnEvent,
  LocalStore,
  openStore,
  removePath,
  Settings,
  type Store,
  storeLocation,
} from "@firn/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BuildExecutor } from "./goals/executor.ts";
import { type BuildPathsOptions, buildPaths, queryMissing } from "./index.ts";

let root: string;
let store: LocalStore;
let settings: Settings;
let events: FirnEvent[];
let built: string[];

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-ca-"));
  store = await LocalStore.open({ location: storeLocation({ rootDir: `${root}/one` }) });
  settings = new Settings();
  settings.set("substituters", "");
  settings.set("extra-experimental-features", "ca-derivations dynamic-derivations");
  events = [];
  built = [];
});

afterEach(async () => {
  await store.close();
  removePath(root);
});

/** An executor whose outputs contain the variable `content`; `fail` fails, and texts refer to nothing. */
function executorOf(target: LocalStore): BuildExecutor {
  return {
    async build({ derivation }) {
      built.push(derivation.name);
      const content = derivation.env.get("content") ?? "";
      if (content === "fail") {
        const { BuildFailure } = await import("./index.ts");
        throw new BuildFailure("x", "Cannot build it.", 100);
      }
      const outputs = new Map<string, string>();
      for (const [name, output] of derivation.outputs) {
        const outputName = outputPathName(derivation.name, name);
        if (output.kind === "floating" && output.method === "text") {
          outputs.set(name, await target.addTextToStore(outputName, content, []));
          continue;
        }
        const nar = () => narOfFile(Buffer.from(content, "latin1"));
        outputs.set(name, (await target.addContent(nar, { name: outputName })).path);
      }
      return outputs;
    },
  };
}

interface Recipe {
  readonly content: string;
  readonly seed?: string;
  readonly method?: "nar" | "text";
  readonly inputs?: ReadonlyMap<string, DerivationInput>;
}

function recipe(name: string, { content, seed = "", method = "nar", inputs = new Map() }: Recipe): Derivation {
  const output: DerivationOutput = { kind: "floating", method, algorithm: "sha256" };
  return {
    name,
    outputs: new Map([["out", output]]),
    inputDrvs: inputs,
    inputSrcs: [],
    system: settings.get("system"),
    builder: "/bin/sh",
    args: [],
    env: new Map([
      ["content", content],
      ["out", hashPlaceholder("out")],
      ["seed", seed],
    ]),
  };
}

async function add(derivation: Derivation, to: LocalStore = store): Promise<string> {
  const { contents, references } = derivationStorePath(derivation);
  return to.addTextToStore(`${derivation.name}.drv`, contents, references);
}

function build(
  drvPath: string,
  { into = store, ...more }: Partial<BuildPathsOptions> & { readonly into?: LocalStore } = {},
): Promise<readonly BuildResult[]> {
  return buildPaths([{ kind: "built", drvPath, outputs: ["out"] }], {
    store: into,
    settings,
    events: (event) => events.push(event),
    executor: executorOf(into),
    ...more,
  });
}

const usesOut: DerivationInput = { outputs: ["out"] };

describe("content-addressed derivations", () => {
  // Recorded from `nix realisation info`.
  it("names an output as the reference does", () => {
    const text = `Derive([("out","","r:sha256","")],[],[],"x86_64-linux","/bin/sh",["-c","echo hi > $out"],[("builder","/bin/sh"),("name","a"),("out","/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"),("outputHashAlgo","sha256"),("outputHashMode","recursive"),("system","x86_64-linux")])`;
    const id = new DerivationHashes(store).outputId(parseDerivation(text, "a"), "out");
    expect(wire.printDrvOutput(id)).toBe("sha256:0f4e37b3345e415f7ffebb9c781537c140c1e01f837e04aa02c958e4a9c43686!out");
  });

  it("are built once, also in later runs", async () => {
    const drvPath = await add(recipe("once", { content: "x" }));
    const [first] = await build(drvPath);
    const [second] = await build(drvPath);
    expect(second!.outputs).toEqual(first!.outputs);
    expect(built).toEqual(["once"]);
    const plan = await queryMissing([{ kind: "built", drvPath, outputs: "*" }], { store, settings });
    expect(plan.willBuild).toEqual([]);
    expect(await store.queryDerivationOutputs(drvPath)).toEqual(first!.outputs);
  });

  it("are not built again where only the inputs of equal inputs differ", async () => {
    const outputs: string[] = [];
    for (const seed of ["1", "2"]) {
      const input = await add(recipe("input", { content: "same", seed }));
      const user = recipe("user", {
        content: outputPlaceholder(input, "out"),
        inputs: new Map([[input, usesOut]]),
      });
      const [result] = await build(await add(user));
      outputs.push(result!.outputs.get("out")!);
    }
    expect(outputs[0]).toBe(outputs[1]);
    expect(built).toEqual(["input", "user", "input"]);
  });

  it("have their realisations when the post-build hook runs", async () => {
    const hook = path.join(root, "hook");
    const database = `${root}/one/nix/var/nix/db/db.sqlite`;
    const check = `process.exitCode = db.prepare("select 1 from Realisations").get() === undefined ? 1 : 0;`;
    const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync("${database}"); ${check}`;
    fs.writeFileSync(hook, `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
    settings.set("post-build-hook", hook);
    const plain = recipe("hooked", { content: "" });
    const env = new Map([...plain.env, ["derivations", ""], ["manifest", "/none"]]);
    const drvPath = await add({ ...plain, system: "builtin", builder: "builtin:buildenv", env });
    const wanted = { kind: "built", drvPath, outputs: "*" } as const;
    const [result] = await buildPaths([wanted], { store, settings, events: (event) => events.push(event) });
    expect(result!.outputs.size).toBe(1);
  });

  describe("from a cache with realisations", () => {
    let cache: Store;
    let other: LocalStore;
    let out: string;
    let drvPath: string;

    const openOther = async (requireSigs: boolean): Promise<void> => {
      other = await LocalStore.open({ location: storeLocation({ rootDir: `${root}/two` }), requireSigs });
      const derivation = recipe("cached", { content: "x" });
      drvPath = await add(derivation);
      [out] = [...(await build(drvPath))[0]!.outputs.values()] as [string];
      cache = await openStore(`file://${root}/cache?compression=none`, { settings });
      const info = (await store.queryPathInfo(out))!;
      await cache.offers.writing!.addToStore(info, store.narFromPath(out));
      const id = new DerivationHashes(store).outputId(derivation, "out");
      await cache.offers.realisations!.registerRealisation((await store.queryRealisation(id))!);
      await add(derivation, other);
      built = [];
    };

    afterEach(async () => {
      await other.close();
      await cache.close();
    });

    it("are fetched and their realisations kept", async () => {
      await openOther(false);
      const substituters = async (): Promise<Store[]> => [cache];
      const wanted = { kind: "built", drvPath, outputs: "*" } as const;
      const plan = await queryMissing([wanted], { store: other, settings, substituters });
      expect(plan).toMatchObject({ willBuild: [], willSubstitute: [out] });
      const [result] = await build(drvPath, { into: other, substituters });
      expect(result!.outputs.get("out")).toBe(out);
      expect(built).toEqual([]);
      expect(await other.queryDerivationOutputs(drvPath)).toEqual(new Map([["out", out]]));
    });

    it("are built when nobody trusted signed the realisation", async () => {
      await openOther(true);
      await build(drvPath, { into: other, substituters: async () => [cache] });
      expect(built).toEqual(["cached"]);
      expect(events).toContainEqual(expect.objectContaining({ level: "warn" }));
    });
  });
});

describe("impure derivations", () => {
  const impure = async (): Promise<string> => {
    const output = { kind: "impure", method: "nar", algorithm: "sha256" } as const;
    return add({ ...recipe("impure", { content: "x" }), outputs: new Map([["out", output]]) });
  };

  it("are built in each run", async () => {
    const drvPath = await impure();
    await build(drvPath);
    await build(drvPath);
    expect(built).toEqual(["impure", "impure"]);
  });

  it("are no inputs of what is kept", async () => {
    const input = await impure();
    const user = await add(recipe("user", { content: "x", inputs: new Map([[input, usesOut]]) }));
    await expect(build(user)).rejects.toMatchObject({
      message: `pure derivation '${user}' depends on impure derivation '${input}'`,
    });
    expect(built).toEqual([]);
  });
});

describe("dynamic derivations", () => {
  async function producer(inner: Derivation): Promise<string> {
    const { contents } = derivationStorePath(inner);
    return add(recipe(`${inner.name}.drv`, { content: contents, method: "text" }));
  }

  it("are built when they are there", async () => {
    const outer = await producer(recipe("inner", { content: "made" }));
    const [result] = await build(nestOutput(outer, "out"));
    expect(fs.readFileSync(store.realPath(result!.outputs.get("out")!), "latin1")).toBe("made");
    expect(built).toEqual(["inner.drv", "inner"]);
  });

  it("are inputs of others, which find their paths", async () => {
    const outer = await producer(recipe("inner", { content: "made" }));
    const dynamic = new Map([["out", usesOut]]);
    const user = recipe("user", {
      content: outputPlaceholder(nestOutput(outer, "out"), "out"),
      inputs: new Map([[outer, { outputs: [], dynamic }]]),
    });
    const [result] = await build(await add(user));
    const text = fs.readFileSync(store.realPath(result!.outputs.get("out")!), "latin1");
    expect(text).toMatch(/^\/nix\/store\/[0-9a-z]{32}-inner$/);
    expect(built).toEqual(["inner.drv", "inner", "user"]);
  });

  it("fail with the build that was to make them", async () => {
    const outer = await add(recipe("bad.drv", { content: "fail", method: "text" }));
    await expect(build(nestOutput(outer, "out"))).rejects.toMatchObject({
      code: "build-failed",
      message: `failed to obtain derivation of '${outer}^out'`,
    });
  });
});
