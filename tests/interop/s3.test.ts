/** Binary caches in buckets of a server that speaks the protocol of S3: for Firn, and between Firn and the reference. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import S3rver from "s3rver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

const realNix = process.env.FIRN_REAL_NIX;
let place: Place;
let server: Server;
let port: number;
/** Requests that came, by method and path. */
const requests: string[] = [];

beforeEach(async () => {
  place = makePlace();
  const directory = join(place.directory, "buckets");
  mkdirSync(directory);
  const buckets = new S3rver({ directory, silent: true, configureBuckets: [{ name: "cache", configs: [] }] });
  await buckets.configureBuckets();
  const handle = buckets.callback();
  requests.length = 0;
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  process.env.AWS_ACCESS_KEY_ID = "S3RVER";
  process.env.AWS_SECRET_ACCESS_KEY = "S3RVER";
});
afterEach(async () => {
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  place.remove();
});

const url = (more = "", name = "cache"): string =>
  `s3://${name}?endpoint=127.0.0.1:${port}&scheme=http&region=eu-west-1${more}`;

/** Adds a file of so many bytes; returns its store path. */
async function add(name: string, size: number): Promise<string> {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 4) bytes.writeInt32LE(Math.imul(i, 0x9e3779b1), i);
  writeFileSync(join(place.directory, "work", name), bytes);
  return (await place.firn("store", "add-path", name)).out.trim();
}

test("paths, logs of their facts and archives go there and come back, and what is there is not sent again", async () => {
  const path = await add("a", 100_000);
  expect(await place.firn("copy", "--to", url("&compression=zstd"), path)).toMatchObject({ code: 0 });
  expect(requests.filter((line) => line.startsWith("PUT")).map((line) => line.replace(/\?.*/, ""))).toEqual([
    "PUT /cache/nix-cache-info",
    expect.stringMatching(/^PUT \/cache\/nar\/[0-9a-z]{52}\.nar\.zst$/),
    expect.stringMatching(/^PUT \/cache\/[0-9a-z]{32}\.narinfo$/),
  ]);
  const other = join(place.directory, "other");
  const back = await place.firn("copy", "--from", url(), "--to", other, "--no-check-sigs", path);
  expect([back.code, back.code === 0 ? "" : back.err]).toEqual([0, ""]);
  expect(readFileSync(join(other, path)).length).toBe(100_000);
  expect((await place.firn("path-info", "--store", url(), path)).out).toBe(`${path}\n`);
  requests.length = 0;
  expect(await place.firn("copy", "--to", url("&compression=zstd"), path)).toMatchObject({ code: 0 });
  expect(requests.filter((line) => line.startsWith("PUT"))).toEqual([]);
  const missing = await place.firn("path-info", "--store", url("", "none"), path);
  expect(missing.code).toBe(1);
});

test("large files go in parts", async () => {
  const path = await add("large", 11 * 1024 * 1024);
  const parts = "&compression=none&multipart-upload=true&multipart-threshold=6000000&multipart-chunk-size=5242880";
  expect(await place.firn("copy", "--to", url(parts), path)).toMatchObject({ code: 0 });
  expect(requests.filter((line) => line.includes("partNumber")).length).toBe(3);
  const other = join(place.directory, "other");
  expect(await place.firn("copy", "--from", url(), "--to", other, "--no-check-sigs", path)).toMatchObject({ code: 0 });
  expect(readFileSync(join(other, path)).equals(readFileSync(join(place.directory, "work/large")))).toBe(true);
});

test("wrong credentials, wrong parameters and a server that is not there are told", async () => {
  const path = await add("a", 12);
  process.env.AWS_ACCESS_KEY_ID = "wrong";
  const refused = await place.firn("copy", "--to", url(), path);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining("unable to download 's3://cache/nix-cache-info'"),
  ]);
  const style = await place.firn("copy", "--to", url("&addressing-style=sideways"), path);
  expect(style.err).toContain("setting 'addressing-style' has invalid value 'sideways'");
  const nowhere = await place.firn("copy", "--to", "s3://cache?endpoint=127.0.0.1:9&scheme=http", path);
  expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining("unable to download")]);
  expect((await place.firn("copy", "--to", "s3://", path)).err).toContain("missing or invalid bucket name");
}, 120_000);

test.skipIf(realNix === undefined)(
  "the reference and Firn read each other's buckets",
  async () => {
    const path = await add("ours", 50_000);
    expect(await place.firn("copy", "--to", url(), path)).toMatchObject({ code: 0 });
    mkdirSync(join(place.directory, "real/nix"), { recursive: true });
    // This process is the server meanwhile.
    const real = async (...words: string[]): Promise<string> =>
      (
        await promisify(execFile)(realNix ?? "", ["nix", ...words], {
          cwd: join(place.directory, "work"),
          env: {
            ...process.env,
            REAL_NIX_STATE: join(place.directory, "real/nix"),
            HOME: join(place.directory, "home"),
          },
        })
      ).stdout;
    await real("copy", "--from", url(), "--no-check-sigs", path);
    writeFileSync(join(place.directory, "work/theirs"), "theirs\n");
    const theirs = (await real("store", "add-path", "theirs")).trim();
    await real("copy", "--to", url("&compression=xz"), theirs);
    const back = await place.firn("copy", "--from", url(), "--no-check-sigs", theirs);
    expect([back.code, back.code === 0 ? "" : back.err]).toEqual([0, ""]);
    expect(readFileSync(join(place.store, theirs), "utf8")).toBe("theirs\n");
    expect(
      readdirSync(join(place.directory, "buckets/cache")).filter((name) => name.includes("narinfo")).length,
    ).toBeGreaterThan(1);
  },
  120_000,
);
