import { describe, expect, it } from "vitest";
import { compareDerivations } from "./compare.ts";
import type { Derivation } from "./derivation.ts";
import { type DerivationHash, downstreamPlaceholder, finishDerivation } from "./hash.ts";
import { parseDerivation } from "./parse.ts";

/** A store in memory: adds derivations and gives back their paths. */
function makeStore() {
  const known = new Map<string, { derivation: Derivation; hash: DerivationHash }>();
  let reads = 0;
  const add = (name: string, parts: Partial<Derivation> = {}): string => {
    const unfinished: Derivation = {
      name,
      outputs: new Map([["out", { kind: "deferred" }]]),
      inputDrvs: new Map(),
      inputSrcs: [],
      system: "x86_64-linux",
      builder: "/bin/sh",
      args: [],
      ...parts,
      env: new Map([["out", ""], ...(parts.env ?? [])]),
    };
    const lookup = (path: string) => known.get(path)!.hash;
    const { path, contents, hash } = finishDerivation(unfinished, { lookup, storeDir: "/nix/store" });
    known.set(path, { derivation: parseDerivation(contents, name), hash });
    return path;
  };
  const read = (path: string): Derivation => {
    reads++;
    const found = known.get(path);
    if (found === undefined) throw new Error(`no ${path}`);
    return found.derivation;
  };
  /** A derivation that uses others by their output paths. */
  const user = (name: string, inputs: readonly string[], parts: Partial<Derivation> = {}): string =>
    add(name, {
      inputDrvs: new Map([...inputs].sort().map((path) => [path, { outputs: ["out"] }])),
      ...parts,
      env: new Map([["deps", inputs.map((path) => read(path).env.get("out")).join(" ")], ...(parts.env ?? [])]),
    });
  const compare = (from: string, to: string) => compareDerivations(from, to, { readFrom: read, readTo: read });
  return { add, user, compare, read, reads: () => reads };
}

describe("comparing derivations", () => {
  it("finds equal ones equal without reading them", () => {
    const store = makeStore();
    const a = store.add("a");
    expect(store.compare(a, a)).toEqual({ equal: true, compared: 0, causes: [] });
    expect(store.reads()).toBe(0);
  });

  it("follows inputs to the one that differs by itself and names nothing above it", () => {
    const store = makeStore();
    const top = (flag: string): string => {
      const leaf = store.add("leaf", { env: new Map([["CFLAGS", flag]]) });
      return store.user("top", [store.user("middle", [leaf, store.add("same")])]);
    };
    const [from, to] = [top("-O1"), top("-O2")];
    expect(store.compare(from, to)).toMatchObject({
      equal: false,
      compared: 3,
      causes: [
        {
          chain: ["top.drv", "middle.drv", "leaf.drv"],
          differences: [{ kind: "env", name: "CFLAGS", from: "-O1", to: "-O2" }],
        },
      ],
    });
    expect(store.compare(from, to).causes).toHaveLength(1);
  });

  it("tells a difference of its own beside one of an input, with corresponding paths made equal", () => {
    const store = makeStore();
    const [leafFrom, leafTo] = [store.add("leaf"), store.add("leaf", { system: "riscv64-linux" })];
    const top = (leaf: string, word: string) =>
      store.user("top", [leaf], { env: new Map([["text", `${store.read(leaf).env.get("out")}/bin ${word}`]]) });
    const { causes } = store.compare(top(leafFrom, "one"), top(leafTo, "two"));
    const leafOut = store.read(leafFrom).env.get("out");
    expect(causes.map(({ differences }) => differences)).toEqual([
      [{ kind: "env", name: "text", from: `${leafOut}/bin one`, to: `${leafOut}/bin two` }],
      [{ kind: "system", from: "x86_64-linux", to: "riscv64-linux" }],
    ]);
  });

  it("takes paths of inputs' files and placeholders of their outputs for consequences too", () => {
    const store = makeStore();
    const floating = new Map([
      ["out", { kind: "floating" as const, method: "nar" as const, algorithm: "sha256" as const }],
    ]);
    const top = (flag: string) => {
      const input = store.add("input", { args: [flag], outputs: floating });
      const text = `${input} ${downstreamPlaceholder(input, "out")}/bin ${input.slice("/nix/store/".length, 43)}`;
      return store.add("top", {
        inputDrvs: new Map([[input, { outputs: ["out"] }]]),
        outputs: floating,
        builder: downstreamPlaceholder(input, "out"),
        env: new Map([["text", text]]),
      });
    };
    const { causes } = store.compare(top("a"), top("b"));
    expect(causes.map(({ chain }) => chain)).toEqual([["top.drv", "input.drv"]]);
  });

  it("pairs another version of an input and tells inputs that one side alone has", () => {
    const store = makeStore();
    const [old, young, more] = [store.add("lib-1.0"), store.add("lib-1.1"), store.add("extra")];
    const { causes } = store.compare(store.user("top", [old]), store.user("top", [young, more]));
    expect(causes[0]?.differences).toContainEqual({ kind: "input", from: undefined, to: more });
    expect(causes[1]).toMatchObject({
      chain: ["top.drv", "lib-1.0.drv"],
      differences: [{ kind: "name", from: "lib-1.0", to: "lib-1.1" }],
    });
  });

  it("tells sources, arguments, used outputs, fixed hashes and missing variables", () => {
    const store = makeStore();
    const source = (digit: string) => `/nix/store/${digit.repeat(32)}-builder.sh`;
    const outputs = new Map([
      ["dev", { kind: "deferred" as const }],
      ["out", { kind: "deferred" as const }],
    ]);
    const input = store.add("input", { outputs, env: new Map([["dev", ""]]) });
    const top = (digit: string, extra: readonly [string, string][], used: string) =>
      store.add("top", {
        inputDrvs: new Map([[input, { outputs: [used] }]]),
        inputSrcs: [source(digit)],
        args: ["-e", source(digit), ...extra.map(([name]) => name)],
        env: new Map(extra),
      });
    const { causes } = store.compare(top("0", [], "dev"), top("1", [["new", "value"]], "out"));
    expect(causes[0]?.differences).toEqual([
      { kind: "input-outputs", name: "input.drv", from: ["dev"], to: ["out"] },
      { kind: "source", name: "builder.sh", from: source("0"), to: source("1") },
      { kind: "args", from: ["-e", source("0")], to: ["-e", source("0"), "new"] },
      { kind: "env", name: "new", from: undefined, to: "value" },
    ]);
  });

  it("takes structured attributes apart", () => {
    const store = makeStore();
    const top = (json: string) => store.add("top", { env: new Map([["__json", json]]) });
    const { causes } = store.compare(top('{"a":"1","b":[1]}'), top('{"a":"1","b":[2],"c":"x"}'));
    expect(causes[0]?.differences).toEqual([
      { kind: "env", name: "__json.b", from: "[\n  1\n]", to: "[\n  2\n]" },
      { kind: "env", name: "__json.c", from: undefined, to: "x" },
    ]);
  });

  it("visits each pair once in a graph with very many ways through it", () => {
    const store = makeStore();
    const tower = (flag: string): string => {
      let [left, right] = [store.add("l", { args: [flag] }), store.add("r", { args: [flag] })];
      for (let level = 0; level < 40; level++) {
        [left, right] = [store.user(`l${level}`, [left, right]), store.user(`r${level}`, [left, right])];
      }
      return store.user("top", [left, right]);
    };
    const { compared, causes } = store.compare(tower("a"), tower("b"));
    expect(compared).toBe(83);
    expect(causes.map(({ from }) => store.read(from).name).sort()).toEqual(["l", "r"]);
  });
});
