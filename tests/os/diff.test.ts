import { bytesOf, type MemoryNode, narOfMemory } from "@firn/formats";
import { LocalStore, storeLocation } from "@firn/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

type Tree = { readonly [name: string]: string | Tree };

function node(tree: string | Tree): MemoryNode {
  if (typeof tree === "string") {
    if (tree.startsWith("-> ")) return { kind: "symlink", target: tree.slice(3) };
    return { kind: "regular", executable: false, contents: bytesOf(tree) };
  }
  const entries = Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1));
  return { kind: "directory", entries: new Map(entries.map(([name, member]) => [name, node(member)])) };
}

/** Systems of Firn and of NixOS that are nothing but the files that are compared. */
describe("firn os diff", () => {
  let place: Place;
  let store: LocalStore;
  const systems: Record<string, string> = {};
  const add = async (name: string, tree: Tree, references: readonly string[] = []): Promise<string> =>
    (await store.addContent(() => narOfMemory(node(tree)), { name, references })).path;
  /** What was printed, with the systems by name. */
  const diff = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await place.firn("os", "diff", ...args);
    expect([code, err]).toEqual([0, ""]);
    return Object.entries(systems).reduce((text, [name, path]) => text.replaceAll(path, name), out);
  };

  beforeAll(async () => {
    place = makePlace();
    store = await LocalStore.open({ location: storeLocation({ rootDir: place.store }) });
    const firnOs = (packages: object[], users: object): string =>
      JSON.stringify({
        format: 1,
        name: "m",
        label: "x",
        packages,
        users,
        groups: {},
        boot: { loader: "none", efiSysMountPoint: "/boot", bootCountingTries: 0, editor: false },
        health: { timeout: 1, units: [], network: false },
      });
    const user = (uid: number) => ({ uid, group: "users", groups: [], home: "/home" });
    const nginx = { name: "nginx", version: "1.22", size: 1000 };
    const unit = (exec: string): Tree => ({ "web.service": `[Service]\nExecStart=${exec}\n` });
    systems.first = await add("system", {
      "firn-os.json": firnOs([nginx, { name: "old|tool", version: "1" }], { alice: user(1000) }),
      "firn-version": "1",
      "kernel-modules": { lib: { modules: { "6.1": { x: "" } } } },
      etc: { hosts: "a", gone: "x", systemd: { system: { ...unit("/1"), "gone.service": "[Service]\n" } } },
    });
    systems.second = await add("system", {
      "firn-os.json": firnOs([{ ...nginx, version: "1.24" }], { alice: user(1000), bob: user(1001) }),
      "firn-version": "2",
      "kernel-modules": { lib: { modules: { "6.2": { x: "" } } } },
      etc: { hosts: "b", new: "x", systemd: { system: unit("/2") } },
    });
    const accounts = async (text: string): Promise<string> => store.addTextToStore("users-groups.json", text, []);
    for (const [name, version, people] of [
      ["nixosFirst", "1.0", '{"users":[{"name":"root"}],"groups":[]}'],
      ["nixosSecond", "1.1", '{"users":[{"name":"root"},{"name":"eve"}],"groups":[{"name":"eve"}]}'],
    ] as const) {
      const tool = await add(`tool-${version}`, { bin: { tool: version } });
      const file = await accounts(people);
      const tree = { "nixos-version": `26.05.${version}`, activate: `${tool} ${file}`, etc: { same: "x" } };
      systems[name] = await add("nixos-system", tree, [tool, file]);
    }
    await store.close();
  });
  afterAll(() => place.remove());

  test("tells packages, units, users, files of /etc and the kernel", async () => {
    expect(await diff(systems.first ?? "", systems.second ?? "")).toBe(`version: 1 → 2
kernel: 6.1 → 6.2
packages:
  nginx: 1.22 → 1.24
  old|tool: 1 → ∅
units:
  - gone.service
  ~ web.service
users:
  + bob
files of /etc:
  + new
  - gone
  ~ hosts
closure: 3.0 KiB → 2.8 KiB (-0.2 KiB)
`);
  });

  test("says nothing of what is alike", async () => {
    expect(await diff(systems.first ?? "", systems.first ?? "")).toBe("");
  });

  test("makes a section for a pull request", async () => {
    const text = await diff("--markdown", systems.first ?? "", systems.second ?? "");
    expect(text).toContain(
      "## Changes of the system\n\n| | before | after |\n| --- | --- | --- |\n| version | 1 | 2 |\n",
    );
    expect(text).toContain("| nginx | 1.22 | 1.24 | +0.0 KiB |\n| old\\|tool | 1 |  | +0.0 KiB |\n");
    expect(text).toContain("**Users**\n\n- + `bob`\n");
  });

  test("is JSON for programs", async () => {
    const value = JSON.parse(await diff("--json", systems.first ?? "", systems.second ?? "")) as Record<
      string,
      unknown
    >;
    expect(value).toMatchObject({
      before: "first",
      after: "second",
      kernel: { before: "6.1", after: "6.2" },
      units: { added: [], removed: ["gone.service"], changed: ["web.service"] },
      users: { added: ["bob"], removed: [], changed: [] },
      etc: { added: ["new"], removed: ["gone"], changed: ["hosts"] },
    });
  });

  test("compares systems of NixOS by the names of their closures", async () => {
    const text = await diff(systems.nixosFirst ?? "", systems.nixosSecond ?? "");
    expect(text).toMatch(
      /^version: 26\.05\.1\.0 → 26\.05\.1\.1\npackages:\n {2}tool: 1\.0 → 1\.1\nusers:\n {2}\+ eve\ngroups:\n {2}\+ eve\n/,
    );
  });

  test("says what is no system, and which generation is not there", async () => {
    const tool = await place.firn("os", "diff", `/nix/store/${"0".repeat(32)}-x`, systems.first ?? "");
    expect([tool.code, tool.err]).toEqual([
      1,
      expect.stringContaining("is not a system: it has neither 'firn-os.json' nor 'nixos-version'"),
    ]);
    const none = await place.firn("os", "diff", "1", "2");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("profile version 1 does not exist")]);
  });
});
