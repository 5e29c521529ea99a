import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Settings } from "../settings/settings.ts";
import { Transferrer, transferOptions } from "./transfer.ts";

let origin: Server;
let proxy: Server;
const asked: string[] = [];
const saved = { http_proxy: process.env.http_proxy, no_proxy: process.env.no_proxy };

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

beforeAll(async () => {
  origin = createServer((request, response) => response.end(`origin ${request.url}`));
  const originPort = await listen(origin);
  // Whatever host is asked for, the answer comes from the origin: the names exist for the proxy only.
  proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(`origin ${new URL(request.url ?? "").pathname}`);
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const upstream = connect(originPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
  });
  const port = await listen(proxy);
  process.env.http_proxy = `http://127.0.0.1:${port}`;
});
afterEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  for (const server of [origin, proxy]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("downloads go through the proxy of the environment", async () => {
  const transferrer = new Transferrer(transferOptions(new Settings()));
  expect(await transferrer.text("http://cache.invalid/nix-cache-info")).toBe("origin /nix-cache-info");
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain("cache.invalid");
  await transferrer.close();
});

test("hosts of no_proxy are asked directly", async () => {
  process.env.no_proxy = "127.0.0.1";
  const transferrer = new Transferrer(transferOptions(new Settings()));
  const port = (origin.address() as AddressInfo).port;
  expect(await transferrer.text(`http://127.0.0.1:${port}/x`)).toBe("origin /x");
  expect(asked).toEqual([]);
  await transferrer.close();
});

test("offline, nothing is asked at all", async () => {
  const transferrer = new Transferrer(transferOptions(new Settings(), { offline: true }));
  await expect(transferrer.text("http://cache.invalid/x")).rejects.toThrow("in offline mode");
  expect(asked).toEqual([]);
});
