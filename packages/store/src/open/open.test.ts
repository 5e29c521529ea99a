/** Opening stores by name: what each kind offers, its parameters, and what is said of those that cannot be had. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FirnEvent,
  isMachineStore,
  machineLocation,
  type OpenContext,
  offered,
  openMachineStore,
  openStore,
  openSubstituters,
  Settings,
} from "../index.ts";
import { parseStoreReference } from "./reference.ts";

let root: string;
let warnings: string[];
let context: OpenContext;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-open-"));
  warnings = [];
  const events = (event: FirnEvent): void => {
    if (event.kind === "message" && event.level === "warn") warnings.push(event.text);
  };
  context = { settings: new Settings(), environment: { HOME: root }, events };
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

describe("what stores offer", () => {
  test("a store of this machine offers everything", async () => {
    const store = await openStore(root, context);
    expect(isMachineStore(store)).toBe(true);
    expect(await offered(store, "listing").queryAllValidPaths()).toEqual([]);
    await store.close();
  });

  test("a binary cache in a directory can be listed and written, and has no roots", async () => {
    const cache = await openStore(`file://${root}/cache`, context);
    expect(Object.keys(cache.offers).sort()).toEqual(
      ["content", "hashParts", "listing", "logWriting", "logs", "realisations", "signatures", "writing"].sort(),
    );
    expect(() => offered(cache, "roots")).toThrow(`the store '${cache.uri}' cannot collect garbage`);
    await cache.close();
  });

  test("another machine's store takes paths and cannot be listed", async () => {
    const store = await openStore("ssh://example.org", context);
    expect(Object.keys(store.offers)).toEqual(["writing", "content", "building"]);
    expect(() => offered(store, "listing")).toThrow("the store 'ssh://example.org' cannot list all paths");
    await store.close();
  });

  test("the dummy store has nothing and takes nothing", async () => {
    const store = await openStore("dummy://", context);
    expect(Object.keys(store.offers)).toEqual([]);
    expect(Object.keys((await openStore("dummy://?read-only=false", context)).offers)).toEqual(["writing"]);
    expect(await store.queryPathInfo("/nix/store/00000000000000000000000000000000-x")).toBeUndefined();
    await expect(openMachineStore(context, "dummy://")).rejects.toMatchObject({ code: "unsupported-store" });
  });
});

// The messages are the reference's.
test.each([
  ["local?require-sigs=x", "Boolean setting 'require-sigs' has invalid value 'x'"],
  ["file:///x?priority=x", "setting 'priority' has invalid value 'x'"],
  ["file:///x?want-mass-query=3", "Boolean setting 'want-mass-query' has invalid value '3'"],
  ["dummy://x", "`dummy` store URIs must not contain an authority part x"],
  ["daemon?max-connections=many", "setting 'max-connections' has invalid value 'many'"],
  ["s3://", "URI has a missing or invalid bucket name"],
  ["s3://bucket?multipart-upload=x", "Boolean setting 'multipart-upload' has invalid value 'x'"],
  ["file:///x?compression=zip", "option 'compression' has invalid value 'zip'"],
  ["https://x?narinfo-compression=", "option 'narinfo-compression' has invalid value ''"],
  ["file:///x?store=rel", 'not an absolute path: "rel"'],
  ["ssh://x?store=", "setting 'store' is a path and paths cannot be empty"],
  ["local?root=rel", 'not an absolute path: "rel"'],
  ["local?state=./rel", 'not an absolute path: "./rel"'],
  ["local?root=/a%zz", "invalid URI query 'root=/a%zz'"],
  ["local?root=/a%00", "invalid URI query 'root=/a%00'"],
  ["file://rel/dir", "Cannot parse Nix store 'file://rel/dir'"],
  ["file://", "Cannot parse Nix store 'file://'"],
  ["http://", "`http` Store requires a non-empty authority in Store URL"],
  ["https:///", "`https` Store requires a non-empty authority in Store URL"],
  ["foo://", "don't know how to open Nix store with scheme 'foo'"],
  ["constructor://", "don't know how to open Nix store with scheme 'constructor'"],
])("%s is refused", async (text, message) => {
  await expect(openStore(text, context)).rejects.toThrow(message);
});

test("parameters are read as the reference reads them", () => {
  const facts = (text: string): unknown => [...parseStoreReference(text).parameters];
  expect(facts("ssh://x?base64-ssh-public-host-key=a+b/c=&ssh-key=%2Fa%20b")).toEqual([
    ["base64-ssh-public-host-key", "a+b/c="],
    ["ssh-key", "/a b"],
  ]);
  expect(facts("local?root=/%c3%BC&root=/b&&x")).toEqual([
    ["root", "/\xc3\xbc"],
    ["x", ""],
  ]);
  expect(facts("some/directory")).toEqual([["root", path.resolve("some/directory")]]);
});

test("an empty variable counts as none, and a relative directory is refused", async () => {
  const environment = { HOME: root, NIX_STORE_DIR: "", NIX_STATE_DIR: "", NIX_LOG_DIR: "" };
  expect(machineLocation(environment)).toEqual(machineLocation({}));
  expect(() => machineLocation({ NIX_STORE_DIR: "rel" })).toThrow('not an absolute path: "rel"');
});

test("priorities may have a unit", async () => {
  context.settings.set("substituters", `file://${root}/b?priority=1K file://${root}/a?priority=1000`);
  const order = (await openSubstituters(context)).map(({ uri }) => path.basename(uri));
  expect(order).toEqual(["a", "b"]);
});

test("parameters that a kind of store lacks are warned about", async () => {
  await (await openStore(`${root}?foo=1&compression=xz`, context)).close();
  expect(warnings).toEqual(["unknown setting 'foo'", "unknown setting 'compression'"]);
  warnings.length = 0;
  await (await openStore(`file://${root}/cache?compression=none`, context)).close();
  expect(warnings).toEqual([]);
});

test("parameters do what they say", async () => {
  await (await openStore(`${root}/s`, context)).close();
  const readOnly = await openMachineStore(context, `${root}/s?read-only=true`);
  await expect(readOnly.addTextToStore("x", "x", [])).rejects.toMatchObject({ code: "not-writable" });
  await readOnly.close();
  const elsewhere = await openMachineStore(context, `local?root=${root}/t&state=${root}/state&log=${root}/log`);
  expect(elsewhere.location).toMatchObject({ stateDir: `${root}/state`, logDir: `${root}/log` });
  await elsewhere.close();
  context.settings.set("substituters", `file://${root}/b?priority=9 file://${root}/a?priority=3`);
  const order = (await openSubstituters(context)).map(({ uri }) => path.basename(uri));
  expect(order).toEqual(["a", "b"]);
});

test("a cache is for the store directory of this machine", async () => {
  const environment = { HOME: root, NIX_STORE_DIR: "/opt/longer/store" };
  const cache = await openStore(`file://${root}/cache`, { ...context, environment });
  expect(cache.storeDir).toBe("/opt/longer/store");
});
