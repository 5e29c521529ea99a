import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  bytesOf,
  FirnError,
  hashData,
  narOfFile,
  narOfMemory,
  type PathInfo,
  publicKeyOf,
  secretKeyFromSeed,
  signPathInfo,
} from "@firn/formats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { computeClosure, LocalStore, observeSteps, removePath, storeLocation } from "../index.ts";

let root: string;
let store: LocalStore;

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-store-"));
  store = await LocalStore.open({ location: storeLocation({ rootDir: root }) });
});

afterEach(async () => {
  observeSteps(undefined);
  await store.close();
  removePath(root);
});

function infoFor(nar: readonly Uint8Array[], more: Partial<PathInfo> = {}): PathInfo {
  const bytes = Buffer.concat(nar);
  return {
    path: `/nix/store/${"0".repeat(32)}-x`,
    narHash: hashData("sha256", bytes),
    narSize: bytes.length,
    references: [],
    signatures: [],
    ...more,
  };
}

describe("a local store", () => {
  it("computes the paths of texts and trees as the reference does", async () => {
    expect(await store.addTextToStore("hello.txt", "hello world", [])).toBe(
      "/nix/store/m6wswa7yn6x5gi6gdq7x1fqlwmlhfja9-hello.txt",
    );
    const tree = narOfMemory({
      kind: "directory",
      entries: new Map([["a", { kind: "regular", executable: true, contents: bytesOf("x") } as const]]),
    });
    const info = await store.addContent(() => tree, { name: "t" });
    expect(Buffer.concat([...store.narFromPath(info.path)])).toEqual(Buffer.concat(tree));
  });

  it("gives files the metadata of the store", async () => {
    const tree = narOfMemory({
      kind: "directory",
      entries: new Map([
        ["a", { kind: "regular", executable: true, contents: bytesOf("x") } as const],
        ["b", { kind: "regular", executable: false, contents: bytesOf("y") } as const],
        ["c", { kind: "symlink", target: "a" } as const],
      ]),
    });
    const real = store.realPath((await store.addContent(() => tree, { name: "t" })).path);
    const facts = ["", "/a", "/b", "/c"].map((name) => fs.lstatSync(real + name));
    expect(facts.map((stat) => stat.mtimeMs)).toEqual([1000, 1000, 1000, 1000]);
    expect(facts.slice(0, 3).map((stat) => stat.mode & 0o7777)).toEqual([0o555, 0o555, 0o444]);
  });

  it("knows references, referrers, closures and hash parts", async () => {
    const a = await store.addTextToStore("a", "a", []);
    const b = await store.addTextToStore("b", a, [a]);
    const c = await store.addTextToStore("c", b, [b]);
    expect(await store.queryReferrers(a)).toEqual([b]);
    expect(await computeClosure(store, [c])).toEqual([a, b, c].sort());
    expect(await computeClosure(store, [a], { referrers: store })).toEqual([a, b, c].sort());
    expect(await store.queryPathFromHashPart(a.slice(11, 43))).toBe(a);
    expect(await store.queryPathFromHashPart("1".repeat(32))).toBeUndefined();
  });

  it("refuses a NAR that is not what its facts say, and leaves nothing behind", async () => {
    const nar = narOfFile(bytesOf("hello"));
    const wrong = infoFor(nar, { narHash: hashData("sha256", "other") });
    await expect(store.addToStore(wrong, nar)).rejects.toThrow("hash mismatch importing path");
    await expect(store.addToStore(infoFor(nar, { narSize: 5 }), nar)).rejects.toThrow("size mismatch importing path");
    await expect(
      store.addToStore(
        infoFor(nar),
        nar.map((chunk) => chunk.subarray(0, 50)),
      ),
    ).rejects.toThrow("bad archive");
    expect(await store.isValidPath(wrong.path)).toBe(false);
    expect(fs.readdirSync(store.location.realStoreDir)).toEqual([".links"]);
  });

  it("demands a trusted signature when asked to", async () => {
    const secret = secretKeyFromSeed("test-1", new Uint8Array(32).fill(7));
    await store.close();
    store = await LocalStore.open({
      location: storeLocation({ rootDir: root }),
      trustedKeys: [publicKeyOf(secret)],
    });
    const nar = narOfFile(bytesOf("hello"));
    const info = infoFor(nar);
    await expect(store.addToStore(info, nar, { checkSignatures: true })).rejects.toThrow(
      `cannot add path '${info.path}' because it lacks a signature by a trusted key`,
    );
    await store.addToStore({ ...info, signatures: [signPathInfo(info, secret)] }, nar, { checkSignatures: true });
    expect(await store.isValidPath(info.path)).toBe(true);
  });

  it("refuses references to invalid paths and cycles between new ones, all or none", async () => {
    const nar = narOfFile(bytesOf("hello"));
    const missing = `/nix/store/${"1".repeat(32)}-y`;
    await expect(store.addToStore(infoFor(nar, { references: [missing] }), nar)).rejects.toThrow(
      `path '${missing}' is not valid`,
    );
    const x = infoFor(nar, { references: [missing] });
    const y = infoFor(nar, { path: missing, references: [x.path] });
    expect(() => store.registerValidPaths([x, y])).toThrow("cycle detected");
    expect(await store.queryAllValidPaths()).toEqual([]);
  });

  it("will not delete what others refer to", async () => {
    const a = await store.addTextToStore("a", "a", []);
    const b = await store.addTextToStore("b", a, [a]);
    expect(() => store.invalidatePath(a)).toThrow(`cannot delete path '${a}' because it is in use by '${b}'`);
  });

  it("makes paths invalid in their order, but not what others refer to", async () => {
    const [used, user, alone] = await store.addTextsToStore([
      { name: "used", contents: "", references: [] },
      { name: "user", contents: "", references: [] },
      { name: "alone", contents: "", references: [] },
    ]);
    const referrer = await store.addTextToStore("referrer", "", [used!, user!]);
    expect(store.invalidatePaths([used!, alone!])).toEqual(new Set([alone]));
    expect(await store.queryAllValidPaths()).toEqual([used!, user!, referrer].sort());
    expect(store.invalidatePaths([user!, referrer, used!])).toEqual(new Set([referrer, used]));
    expect(await store.queryAllValidPaths()).toEqual([user]);
  });

  it("is the same for a second process-like opening, and read-only", async () => {
    const a = await store.addTextToStore("a", "a", []);
    const other = await LocalStore.open({ location: storeLocation({ rootDir: root }), readOnly: true });
    expect(await other.isValidPath(a)).toBe(true);
    await expect(other.addTextToStore("b", "b", [])).rejects.toThrow("attempt to write a readonly database");
    await other.close();
  });

  it("stops at any step without making a half path valid, and works when opened again", async () => {
    const tree = narOfMemory({
      kind: "directory",
      entries: new Map([["a", { kind: "regular", executable: true, contents: bytesOf("x") } as const]]),
    });
    for (let limit = 0; ; limit++) {
      let steps = 0;
      observeSteps(() => {
        if (steps++ === limit) throw new FirnError("interrupted", "stopped by the test");
      });
      let stopped = false;
      try {
        await store.addContent(() => tree, { name: `t${limit}` });
      } catch (error) {
        expect(error).toMatchObject({ code: "interrupted" });
        stopped = true;
      }
      observeSteps(undefined);
      for (const valid of await store.queryAllValidPaths()) {
        expect(Buffer.concat([...store.narFromPath(valid)])).toEqual(Buffer.concat(tree));
      }
      await store.addContent(() => tree, { name: `t${limit}` });
      if (!stopped) {
        expect(limit).toBeGreaterThan(8);
        break;
      }
    }
  });
});
