/** `builtins.fetchClosure` from a binary cache over HTTP. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let target: Place;
let server: Server;
let url: string;
let path: string;

beforeAll(async () => {
  place = makePlace();
  target = makePlace();
  const tree = join(place.directory, "work", "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "file"), "contents\n");
  path = (await place.firn("store", "add", tree)).out.trim();
  const cache = join(place.directory, "cache");
  expect((await place.firn("copy", "--to", `file://${cache}`, "--no-check-sigs", path)).code).toBe(0);
  server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(cache, request.url ?? "/")));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  place.remove();
  target.remove();
});

function fetchClosure(attributes: string) {
  const call = `builtins.fetchClosure { fromStore = "${url}"; fromPath = ${path}; ${attributes} }`;
  return target.firn("eval", "--raw", "--extra-experimental-features", "fetch-closure", "--expr", call);
}

test("a content-addressed path is copied with its contents", async () => {
  const { code, out, err } = await fetchClosure("");
  expect({ code, out, err }).toMatchObject({ code: 0, out: path });
  expect(readFileSync(join(target.store, path, "file"), "utf8")).toBe("contents\n");
});

test("what it becomes when rewritten is named, demanded, and taken when it is right", async () => {
  const unknown = await fetchClosure('toPath = "";');
  expect(unknown.err).toContain(`rewriting '${path}' to content-addressed form yielded '${path}'`);
  expect(unknown.err).toContain("Use this value for the 'toPath' attribute passed to 'fetchClosure'");
  const other = path.replace(/[0-9a-z]{32}/, "0".repeat(32));
  expect((await fetchClosure(`toPath = ${other};`)).err).toContain(`while '${other}' was expected`);
  expect(await fetchClosure(`toPath = ${path};`)).toMatchObject({ code: 0, out: path });
});

test("a content-addressed path is refused as an input-addressed one", async () => {
  const { code, err } = await fetchClosure("inputAddressed = true;");
  expect(code).toBe(1);
  expect(err).toContain(`The store object referred to by 'fromPath' at '${path}' is not input-addressed`);
});
