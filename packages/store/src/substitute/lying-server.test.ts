/** Servers that mean harm: what they get to know, and what becomes of their answers. */

import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { withoutPasswords } from "@firn/formats";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collect, openStore, removePath, Settings, Transferrer, transferOptions } from "../index.ts";
import { parseNetrc } from "./netrc.ts";

let root: string;
const servers: http.Server[] = [];
let transferrer: Transferrer;
let settings: Settings;

async function serve(handler: http.RequestListener, host = "127.0.0.1"): Promise<string> {
  const server = http.createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-lies-"));
  settings = new Settings();
  settings.set("netrc-file", path.join(root, "netrc"));
  transferrer = new Transferrer(transferOptions(settings));
});

afterEach(async () => {
  await transferrer.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  removePath(root);
});

const get = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
  (await collect(await transferrer.open({ url, headers }), 1e7)).toString();

describe("credentials", () => {
  const shown: http.RequestListener = ({ headers }, response) =>
    response.end(JSON.stringify([headers.authorization, headers["private-token"], headers.cookie]));

  test("stay where they are for when an answer leads elsewhere", async () => {
    fs.writeFileSync(path.join(root, "netrc"), "machine 127.0.0.1 login me password secret\n");
    const other = await serve(shown, "127.0.0.2");
    const own = await serve((request, response) => {
      if (request.url === "/away") response.writeHead(302, { location: `${other}/x` }).end();
      else if (request.url === "/near") response.writeHead(302, { location: "/x" }).end();
      else shown(request, response);
    });
    const headers = { authorization: "token t", "private-token": "p", cookie: "c" };
    const own3 = JSON.stringify(["token t", "p", "c"]);
    expect(await get(`${own}/near`, headers)).toBe(own3);
    expect(await get(`${own}/away`, headers)).toBe("[null,null,null]");
    expect(await get(`${own}/away`)).toBe("[null,null,null]");
    const withUser = own.replace("//", "//user:pass@");
    expect(await get(`${withUser}/near`)).toContain(btoa("user:pass"));
    expect(await get(`${withUser}/away`)).toBe("[null,null,null]");
  });

  test("of the other host's own apply there", async () => {
    fs.writeFileSync(path.join(root, "netrc"), "machine 127.0.0.2 login other password theirs\n");
    const other = await serve(shown, "127.0.0.2");
    const own = await serve((_request, response) => response.writeHead(302, { location: other }).end());
    expect(await get(own, { authorization: "token t" })).toBe(
      JSON.stringify([`Basic ${btoa("other:theirs")}`, null, null]),
    );
  });

  test("are not in messages", async () => {
    const own = (await serve((_request, response) => response.writeHead(404).end())).replace("//", "//user:pass@");
    await expect(get(own)).rejects.toThrow(`unable to download '${own.replace(":pass", "")}': HTTP error 404`);
    expect(withoutPasswords("a http://u:p@h/x https://u@h:1/ ssh://:q@h")).toBe(
      "a http://u@h/x https://u@h:1/ ssh://@h",
    );
  });

  test("in a netrc file may be quoted", () => {
    const text =
      '# machine no login no password no\nmachine a login "u s" password "p\\"\\\\ w"\ndefault login d password e';
    expect([...parseNetrc(text)]).toEqual([
      ["a", { user: "u s", password: 'p"\\ w' }],
      ["", { user: "d", password: "e" }],
    ]);
  });
});

describe("a server", () => {
  const data = Buffer.alloc(300_000, "abcdefg");

  test.each([
    ["another range", { "content-range": "bytes 0-299999/300000" }, 206],
    ["a range of another body", { "content-range": "bytes 100000-299999/400000" }, 206],
    ["no range", {}, 206],
    ["the whole", {}, 200],
  ])("that sends %s when asked to go on is not believed", async (_what, headers, status) => {
    const url = await serve((request, response) => {
      if (request.headers.range === undefined) {
        response.writeHead(200, { "accept-ranges": "bytes", "content-length": data.length });
        response.write(data.subarray(0, 100_000), () => response.destroy());
      } else response.writeHead(status, headers).end(data.subarray(100_000));
    });
    await expect(get(url)).rejects.toThrow("the server does not go on at byte");
  });

  test("that sends a part unasked is not believed", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("56789"),
    );
    await expect(get(url)).rejects.toThrow("a part of it, which was not asked for");
  });

  test("that goes on for ever with crumbs, breaking the connection, ends", async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = start > 0 ? { "content-range": `bytes ${start}-99/100` } : {};
      response.writeHead(start > 0 ? 206 : 200, { "accept-ranges": "bytes", "content-length": 100 - start, ...range });
      response.write("x", () => response.destroy());
    });
    settings.set("download-attempts", "2");
    transferrer = new Transferrer(transferOptions(settings));
    await expect(get(url)).rejects.toMatchObject({ code: "transfer-failed" });
    expect(requests).toBeLessThan(4);
  });

  test("that drips ends after stalled-download-timeout, in the body and in the headers", async () => {
    const drips: NodeJS.Timeout[] = [];
    const body = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      drips.push(setInterval(() => response.write("x"), 50));
    });
    const head = await serve(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      drips.push(setInterval(() => socket.write("x"), 50));
    });
    const impatient = new Transferrer({ ...transferOptions(settings), stallTimeoutMs: 400, attempts: 1 });
    await expect(impatient.open({ url: body }).then((transfer) => collect(transfer, 1e7))).rejects.toThrow("stalled");
    await expect(impatient.open({ url: head })).rejects.toMatchObject({ code: "transfer-failed" });
    for (const drip of drips) clearInterval(drip);
    for (const server of servers) server.closeAllConnections();
    await impatient.close();
  });

  test("that sends endless headers, or leads on for ever, ends", async () => {
    const endless = await serve(({ socket }) => {
      const more = (): void => {
        while (socket.writable && socket.write(`x: ${"y".repeat(1000)}\r\n`));
      };
      socket.write("HTTP/1.1 200 OK\r\n");
      socket.on("drain", more);
      more();
    });
    const loop = await serve((request, response) => response.writeHead(302, { location: request.url }).end());
    const once = new Transferrer({ ...transferOptions(settings), attempts: 1 });
    await expect(once.open({ url: endless })).rejects.toMatchObject({ code: "transfer-failed" });
    await expect(once.open({ url: loop })).rejects.toThrow("too many redirects");
    await once.close();
  });

  test("that codes what it sends is understood", async () => {
    const url = await serve(({ url: which }, response) =>
      which === "/gzip"
        ? response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("text"))
        : response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync("text")),
    );
    expect([await get(`${url}/gzip`), await get(`${url}/br`)]).toEqual(["text", "text"]);
  });

  test("that names the immutable address while it leads on is heard", async () => {
    const url = await serve((request, response) => {
      if (request.url !== "/") return response.end("x");
      return response.writeHead(302, { location: "/x", link: '</fixed>; rel="immutable"' }).end();
    });
    const transfer = await transferrer.open({ url });
    transfer.cancel();
    expect(transfer.immutableUrl).toBe(`${url}/fixed`);
  });
});

describe("a cache's narinfo", () => {
  const hash = "1".repeat(32);
  const narinfo = (url: string, more = ""): string =>
    `StorePath: /nix/store/${hash}-x\nURL: ${url}\nCompression: none\n${more}NarHash: sha256:${"0".repeat(52)}\nNarSize: 1000\nReferences: \n`;

  test.each([
    "../secret",
    "%2e%2e/secret",
    "nar/%2E%2e/../../secret",
    "nar/..%2f..%2fsecret",
    "/secret",
    "file:///secret",
    "http://127.0.0.1:1/x",
  ])("does not lead a directory's reader to %s", async (url) => {
    const cache = path.join(root, "cache");
    fs.mkdirSync(cache);
    fs.writeFileSync(path.join(root, "secret"), "secret");
    fs.writeFileSync(path.join(cache, `${hash}.narinfo`), narinfo(url));
    const store = await openStore(`file://${cache}`, { settings });
    const read = async (): Promise<void> => {
      for await (const chunk of store.narFromPath(`/nix/store/${hash}-x`)) void chunk;
    };
    await expect(read()).rejects.toMatchObject({ code: "corrupt-narinfo" });
    await store.close();
  });

  test("bounds the archive by the size that it announces", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/nix-cache-info") return response.end("StoreDir: /nix/store\n");
      if (request.url?.endsWith(".narinfo") === true) return response.end(narinfo("nar/x", "FileSize: 10\n"));
      return response.end("x".repeat(100));
    });
    const store = await openStore(url, { settings, transferrer, environment: {} });
    const read = async (): Promise<void> => {
      for await (const chunk of store.narFromPath(`/nix/store/${hash}-x`)) void chunk;
    };
    await expect(read()).rejects.toMatchObject({ code: "too-large" });
    await store.close();
  });
});
