/** A binary cache whose archive has no end: the command fails with a message, and ends. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { main } from "../support/program.ts";
import { makePlace, type Place } from "../support/run-firn.ts";

const path = `/nix/store/${"a".repeat(32)}-x`;
const description = `StorePath: ${path}\nURL: x.nar\nCompression: none\nNarHash: sha256:${"0".repeat(52)}\nNarSize: 120\n`;

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => removePath(place.directory));

const server = createServer(({ url }, response) => {
  if (url === "/nix-cache-info") return void response.end("StoreDir: /nix/store\n");
  if (url?.endsWith(".narinfo") === true) return void response.end(description);
  const more = (): void => {
    while (!response.destroyed && response.write("x".repeat(65536)));
  };
  response.on("drain", more);
  more();
});

test("an archive without end is refused, and nothing waits for its rest", async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ["--disable-warning=ExperimentalWarning", main, "copy", "--no-check-sigs", "--from", from, path];
  const [code, err] = await new Promise<[unknown, string]>((resolve) => {
    execFile(process.execPath, args, { env: { ...place.environment } }, (error, _out, text) =>
      resolve([error?.code, text]),
    );
  });
  server.closeAllConnections();
  server.close();
  expect([code, err]).toEqual([1, expect.stringMatching(/error: .*larger than the expected 120 bytes\n/)]);
});
