import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import {
  bytesOf,
  type MemoryNode,
  narOfFile,
  narOfMemory,
  printHash,
  printKey,
  publicKeyOf,
  secretKeyFromSeed,
} from "@firn/formats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CompressionEffort,
  collect,
  compress,
  copyClosure,
  decompress,
  LocalStore,
  openStore,
  removePath,
  Settings,
  storeLocation,
  Transferrer,
  transferOptions,
  withPathTree,
} from "../index.ts";

let root: string;
let server: http.Server;
let url: string;
let handler: http.RequestListener;
let settings: Settings;
let transferrer: Transferrer;

beforeEach(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-transfer-"));
  server = http.createServer((request, response) => handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  settings = new Settings();
  settings.set("netrc-file", path.join(root, "netrc"));
  transferrer = new Transferrer(transferOptions(settings));
});

afterEach(async () => {
  await transferrer.close();
  server.closeAllConnections();
  server.close();
  removePath(root);
});

describe("downloads", () => {
  it("follow redirects and name what is missing", async () => {
    handler = (request, response) => {
      if (request.url === "/a") response.writeHead(302, { location: "/b" }).end();
      else if (request.url === "/b") response.end("hello");
      else response.writeHead(404).end();
    };
    expect((await collect(await transferrer.open({ url: `${url}/a` }), 100)).toString()).toBe("hello");
    await expect(transferrer.open({ url: `${url}/c` })).rejects.toMatchObject({
      code: "not-found",
      message: `unable to download '${url}/c': HTTP error 404`,
    });
    expect(await transferrer.text(`${url}/c`)).toBeUndefined();
  });

  it("are tried again after a passing failure", async () => {
    let requests = 0;
    handler = (_, response) => (++requests < 3 ? response.writeHead(503).end() : response.end("ok"));
    expect((await collect(await transferrer.open({ url }), 100)).toString()).toBe("ok");
    expect(requests).toBe(3);
  });

  it("go on where a connection broke", async () => {
    const data = Buffer.alloc(300_000, "abcdefg");
    const ranges: (string | undefined)[] = [];
    handler = (request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      ranges.push(request.headers.range);
      response.writeHead(start > 0 ? 206 : 200, {
        "accept-ranges": "bytes",
        "content-length": data.length - start,
        ...(start > 0 ? { "content-range": `bytes ${start}-${data.length - 1}/${data.length}` } : {}),
      });
      if (ranges.length < 3) response.write(data.subarray(start, start + 100_000), () => response.destroy());
      else response.end(data.subarray(start));
    };
    expect((await collect(await transferrer.open({ url }), 1e6)).equals(data)).toBe(true);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
  });

  it("are bounded, send credentials from netrc, and do not happen offline", async () => {
    handler = (request, response) => response.end(request.headers.authorization ?? "x".repeat(1000));
    await expect(transferrer.open({ url }).then((transfer) => collect(transfer, 10))).rejects.toThrow(
      "larger than 10 bytes",
    );
    fs.writeFileSync(path.join(root, "netrc"), "machine 127.0.0.1 login me password secret\n");
    const known = new Transferrer(transferOptions(settings));
    expect((await collect(await known.open({ url }), 100)).toString()).toBe(`Basic ${btoa("me:secret")}`);
    await known.close();
    const offline = new Transferrer(transferOptions(settings, { offline: true }));
    await expect(offline.open({ url })).rejects.toMatchObject({ code: "offline" });
  });
});

/** A text that compresses a little. */
const words = Array.from({ length: 40_000 }, (_, i) => (i * 2_654_435_761) % 65_521).join(" ");

describe("compression", () => {
  it("gives back what went in, by every method there is a library for", async () => {
    const data = Buffer.from("hello ".repeat(10_000));
    for (const method of ["none", "xz", "zstd", "gzip", "br"]) {
      const packed: Uint8Array[] = [];
      for await (const chunk of compress([data], method)) packed.push(chunk);
      const plain: Uint8Array[] = [];
      for await (const chunk of decompress(packed, method)) plain.push(chunk);
      expect(Buffer.concat(plain).equals(data), method).toBe(true);
    }
  });

  it("takes the level and the number of threads that it is given", async () => {
    const size = async (method: string, effort: CompressionEffort): Promise<number> => {
      const packed: Uint8Array[] = [];
      for await (const chunk of compress([Buffer.from(words)], method, effort)) packed.push(chunk);
      const plain: Uint8Array[] = [];
      for await (const chunk of decompress(packed, method)) plain.push(chunk);
      expect(Buffer.concat(plain).toString() === words, method).toBe(true);
      return Buffer.concat(packed).length;
    };
    for (const [method, last] of Object.entries({ xz: 9, lzma: 9, gzip: 9, zstd: 19, br: 11 })) {
      const least = await size(method, { level: method === "zstd" ? -50 : 0 });
      expect(least, method).toBeGreaterThan(await size(method, { level: last }));
      expect(await size(method, { level: -1 }), method).toBe(await size(method, {}));
      await expect(size(method, { level: 23 }), method).rejects.toMatchObject({ code: "bad-setting" });
    }
    // The several threads' archive has the sizes of its blocks.
    expect(await size("xz", { parallel: true })).not.toBe(await size("xz", {}));
  });

  it("stops a bomb at its limit and calls rubbish by its name", async () => {
    const packed: Uint8Array[] = [];
    for await (const chunk of compress([Buffer.alloc(10_000_000)], "zstd")) packed.push(chunk);
    const drain = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) void chunk;
    };
    await expect(drain(decompress(packed, "zstd", 1000))).rejects.toMatchObject({ code: "too-large" });
    for (const method of ["xz", "zstd", "gzip", "br"]) {
      await expect(drain(decompress([bytesOf("rubbish rubbish")], method)), method).rejects.toMatchObject({
        code: "bad-compressed-data",
      });
    }
    await expect(drain(decompress([], "rot13"))).rejects.toThrow("unknown compression method 'rot13'");
  });
});

describe("binary caches", () => {
  it("compress, index debug information and keep archives as their URLs say", async () => {
    const store = await LocalStore.open({ location: storeLocation({ rootDir: path.join(root, "debug") }) });
    const [first, rest] = ["ab", `0123456789${"0".repeat(28)}`];
    const file = (contents: string): MemoryNode => ({
      kind: "regular",
      executable: false,
      contents: bytesOf(contents),
    });
    const directory = (...entries: [string, MemoryNode][]): MemoryNode => ({
      kind: "directory",
      entries: new Map(entries),
    });
    const ids = directory([first, directory([`${rest}.debug`, file(words)], [`${rest.slice(1)}z.debug`, file("")])]);
    const tree = directory(["lib", directory(["debug", directory([".build-id", ids])])]);
    const info = await store.addContent(() => narOfMemory(tree), { name: "debug" });
    const place = path.join(root, "indexed");
    const url = `file://${place}?compression=xz&index-debug-info=true&local-nar-cache=${root}/kept`;
    const sizes: number[] = [];
    for (const level of [0, 9]) {
      fs.rmSync(place, { recursive: true, force: true });
      const cache = await openStore(`${url}&compression-level=${level}`, { settings });
      await copyClosure([info.path], { from: store, to: cache });
      sizes.push(fs.statSync(path.join(place, "nar", fs.readdirSync(path.join(place, "nar"))[0]!)).size);
      await cache.close();
    }
    expect(sizes[0]).toBeGreaterThan(sizes[1]!);
    const [archive] = fs.readdirSync(path.join(place, "nar"));
    expect(fs.readdirSync(path.join(place, "debuginfo"))).toEqual([`${first}${rest}.debug`]);
    // As the reference 2.34.8 writes it.
    expect(fs.readFileSync(path.join(place, `debuginfo/${first}${rest}.debug`), "utf8")).toBe(
      `{"archive":"../nar/${archive}","member":"lib/debug/.build-id/${first}/${rest}.debug"}`,
    );
    const cache = await openStore(url, { settings });
    const read = (): Promise<string> =>
      withPathTree(cache, info.path, async (tree) =>
        Buffer.concat([...tree.read(`/lib/debug/.build-id/${first}/${rest}.debug`)]).toString(),
      );
    expect(await read()).toBe(words);
    expect(fs.readdirSync(path.join(root, "kept"))).toEqual([`${printHash(info.narHash, "nix32", false)}.nar`]);
    fs.rmSync(path.join(place, "nar"), { recursive: true });
    expect(await read()).toBe(words);
    await store.close();
  });

  it("pass a closure from one store to another, signed, over HTTP", async () => {
    const secret = secretKeyFromSeed("cache-1", new Uint8Array(32).fill(1));
    fs.writeFileSync(path.join(root, "secret"), printKey(secret));
    const from = await LocalStore.open({ location: storeLocation({ rootDir: path.join(root, "from") }) });
    const a = await from.addTextToStore("a", "a", []);
    const info = (await from.queryPathInfo(a))!;
    const nar = narOfFile(bytesOf("built"));
    const { hashData } = await import("@firn/formats");
    const built = {
      ...info,
      path: `/nix/store/${"1".repeat(32)}-built`,
      narHash: hashData("sha256", Buffer.concat(nar)),
      narSize: Buffer.concat(nar).length,
      references: [a],
    };
    const { ca: _, ...unaddressed } = built;
    await from.addToStore(unaddressed, nar);
    const directory = path.join(root, "cache");
    const cache = await openStore(`file://${directory}?secret-key=${path.join(root, "secret")}&compression=zstd`, {
      settings,
    });
    expect((await copyClosure([built.path], { from, to: cache })).length).toBe(2);

    handler = (request, response) => {
      const file = path.join(directory, request.url ?? "");
      if (!fs.existsSync(file)) response.writeHead(404).end();
      else response.end(fs.readFileSync(file));
    };
    const web = await openStore(url, { settings, transferrer, environment: {} });
    const untrusting = await LocalStore.open({ location: storeLocation({ rootDir: path.join(root, "to1") }) });
    await expect(copyClosure([built.path], { from: web, to: untrusting })).rejects.toMatchObject({
      code: "untrusted-path",
    });
    const to = await LocalStore.open({
      location: storeLocation({ rootDir: path.join(root, "to2") }),
      trustedKeys: [publicKeyOf(secret)],
    });
    await copyClosure([built.path], { from: web, to });
    expect(Buffer.concat([...to.narFromPath(built.path)])).toEqual(Buffer.concat(nar));
    const narinfo = path.join(directory, `${"1".repeat(32)}.narinfo`);
    fs.writeFileSync(narinfo, fs.readFileSync(narinfo, "latin1").replace(/NarSize: (\d+)/, "NarSize: 1$1"));
    const lying = await openStore(url, { settings, transferrer, environment: {} });
    const third = await LocalStore.open({
      location: storeLocation({ rootDir: path.join(root, "to3") }),
      requireSigs: false,
    });
    await expect(copyClosure([built.path], { from: lying, to: third })).rejects.toMatchObject({
      code: "size-mismatch",
    });
    for (const store of [from, untrusting, to, third]) await store.close();
  });
});
