/** The HTTP side of a served store: names, ranges, tokens, clients that leave. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { type PathInfo, parseNarInfo, secretKeyFromSeed, signPathInfo } from "@firn/formats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removePath } from "../fs/remove.ts";
import { LocalStore } from "../local/local-store.ts";
import { storeLocation } from "../store/location.ts";
import { type CacheServerOptions, type RunningCacheServer, serveCache } from "./cache-server.ts";

const key = secretKeyFromSeed("test-1", Buffer.alloc(32, 7));
let directory: string;
let store: LocalStore;
let server: RunningCacheServer | undefined;
let info: PathInfo;
let nar: Buffer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "firn-serve-"));
  store = await LocalStore.open({ location: storeLocation({ rootDir: join(directory, "root") }) });
  // More than a socket takes at once.
  writeFileSync(join(directory, "file"), Buffer.alloc(4_000_000, "0123456789"));
  info = await store.addPath(join(directory, "file"), { name: "file" });
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.narFromPath(info.path)) chunks.push(chunk);
  nar = Buffer.concat(chunks);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await store.close();
  removePath(directory);
});

async function serve(options: Partial<CacheServerOptions> = {}): Promise<void> {
  const usual = { store, host: "127.0.0.1", port: 0, priority: 30, compression: "none", keys: [key] } as const;
  server = await serveCache({ ...usual, ...options });
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> {
  const { hostname, port } = new URL(server!.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers, method }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }));
      reply.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function described(): Promise<ReturnType<typeof parseNarInfo>> {
  const { body } = await ask(`/${info.path.slice("/nix/store/".length).slice(0, 32)}.narinfo`);
  return parseNarInfo(body.toString("latin1"), "test");
}

test("describes the cache and its paths, with signatures of its keys", async () => {
  await serve();
  expect((await ask("/nix-cache-info")).body.toString()).toBe("StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n");
  expect(await described()).toMatchObject({
    path: info.path,
    compression: "none",
    narSize: nar.length,
    signatures: [signPathInfo(info, key)],
  });
});

test("sends archives whole, compressed, and in ranges where they are not compressed", async () => {
  await serve();
  const { url } = await described();
  expect((await ask(`/${url}`)).body.equals(nar)).toBe(true);
  expect(zstdDecompressSync((await ask(`/${url}.zst`)).body).equals(nar)).toBe(true);
  for (const [range, first, last] of [
    ["bytes=0-0", 0, 0],
    ["bytes=100-2000000", 100, 2_000_000],
    ["bytes=3999999-", 3_999_999, nar.length - 1],
    ["bytes=-5", nar.length - 5, nar.length - 1],
    ["bytes=5-99999999", 5, nar.length - 1],
  ] as const) {
    const { status, headers, body } = await ask(`/${url}`, { range });
    expect([status, headers["content-range"]]).toEqual([206, `bytes ${first}-${last}/${nar.length}`]);
    expect(body.equals(nar.subarray(first, last + 1))).toBe(true);
  }
  for (const range of ["bytes=99999999-", "bytes=5-4"]) expect((await ask(`/${url}`, { range })).status).toBe(416);
  for (const range of ["bytes=1-2,4-5", "lines=1-2", "bytes=-"]) {
    expect((await ask(`/${url}`, { range })).status).toBe(200);
  }
  const head = await ask(`/${url}`, {}, "HEAD");
  expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, String(nar.length), 0]);
});

test("lists the files of a path", async () => {
  await serve();
  const { body } = await ask(`/${info.path.slice("/nix/store/".length).slice(0, 32)}.ls`);
  expect(JSON.parse(body.toString())).toMatchObject({ version: 1, root: { type: "regular", size: 4_000_000 } });
});

test("knows nothing but what is valid, and takes nothing", async () => {
  await serve();
  const { url } = await described();
  for (const path of [
    "/",
    `/${"0".repeat(32)}.narinfo`,
    "/../../etc/passwd",
    "/nar/../../../etc/passwd",
    "/nar/%2e%2e/%2e%2e/etc/passwd",
    `/${url.replace(/-\w{52}/, `-${"0".repeat(52)}`)}`,
    "/log/../x.drv",
    `/log/${"0".repeat(32)}-x.drv`,
    "/realisations/%zz.doi",
    "/realisations/x.doi",
    "/%00",
  ]) {
    expect([path, (await ask(path)).status]).toEqual([path, 404]);
  }
  for (const method of ["PUT", "POST", "DELETE"]) expect((await ask(`/${url}`, {}, method)).status).toBe(405);
});

test("with a token answers only to those who have it", async () => {
  await serve({ token: "open sesame" });
  const basic = (pair: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
  });
  const statusWith = async (headers: Record<string, string>) => (await ask("/nix-cache-info", headers)).status;
  expect(await statusWith({})).toBe(401);
  expect(await statusWith(basic("user:wrong"))).toBe(401);
  expect(await statusWith({ authorization: "Bearer open" })).toBe(401);
  expect(await statusWith({ authorization: "Digest open sesame" })).toBe(401);
  expect(await statusWith(basic("anyone:open sesame"))).toBe(200);
  await server!.close();
  await serve({ token: "sesame" });
  expect(await statusWith({ authorization: "Bearer sesame" })).toBe(200);
});

test("clients that leave in the middle harm nobody", async () => {
  const errors: unknown[] = [];
  await serve({ onError: (error) => errors.push(error) });
  const { url } = await described();
  await Promise.all(
    Array.from({ length: 20 }, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const sent = request(`${server!.url}/${url}`, (reply) => {
        reply.once("data", () => {
          sent.destroy();
          resolve();
        });
        reply.on("error", () => undefined);
      });
      sent.on("error", () => undefined);
      sent.end();
      return promise;
    }),
  );
  expect((await ask(`/${url}`)).body.length).toBe(nar.length);
  expect(errors).toEqual([]);
});

test("a client that takes nothing does not keep its connection", async () => {
  await serve({ stalledAfter: 50 });
  const { url } = await described();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hostname, port } = new URL(server!.url);
  // More than what the kernel keeps for a client that does not read.
  const requests = `GET /${url} HTTP/1.1\r\nHost: cache\r\n\r\n`.repeat(12);
  const socket = connect(Number(port), hostname, () => socket.write(requests));
  // A client that does not read learns of the end when it writes.
  const writing = setInterval(() => socket.write("\r\n"), 20);
  socket.on("error", () => resolve());
  await promise;
  clearInterval(writing);
  expect((await ask(`/${url}`)).body.length).toBe(nar.length);
}, 20_000);

test("a place that cannot be listened on is an error", async () => {
  await serve();
  const port = Number(new URL(server!.url).port);
  await expect(
    serveCache({ store, host: "127.0.0.1", port, priority: 1, compression: "none", keys: [] }),
  ).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
});
