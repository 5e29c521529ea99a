/** Questions to a cache on the web are asked together, not one after the other. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let server: Server;

beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  place.remove();
});

test("path-info asks about several paths at once", async () => {
  const paths: string[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    writeFileSync(join(place.directory, "work", name), name);
    paths.push((await place.firn("store", "add-path", name)).out.trim());
  }
  const cache = join(place.directory, "cache");
  expect(await place.firn("copy", "--to", `file://${cache}`, ...paths)).toMatchObject({ code: 0 });
  // Answers about paths wait until all are asked.
  const waiting: (() => void)[] = [];
  server = createServer((request, response) => {
    const file = join(cache, request.url ?? "");
    const answer = (): void => {
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    };
    if (!file.endsWith(".narinfo")) answer();
    else if (waiting.push(answer) === paths.length) for (const each of waiting.splice(0)) each();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await place.firn("path-info", "--store", url, ...paths)).toMatchObject({
    code: 0,
    out: paths.map((path) => `${path}\n`).join(""),
  });
});
