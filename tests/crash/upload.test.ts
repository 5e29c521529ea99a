/** Kills a process that uploads to a bucket at each of its requests in turn; what the bucket offers then is whole, and a second upload completes it. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { copyClosure, offered, openStore, removePath, Settings, verifyStore } from "@firn/store";
import S3rver from "s3rver";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { forEachStep } from "./each-step.ts";
import { addedPaths, openTestStore, prepare } from "./work.ts";

const program = new URL("upload-work.ts", import.meta.url).pathname;
/** When the process is killed: before the server begins with its request, or when the answer is sent. */
const moments = ["before", "after"] as const;

let top: string;
let root: string;
let server: Server;
let port: number;
/** What is done with a request to a bucket, by the bucket's name. */
const listeners = new Map<string, (moment: (typeof moments)[number], request: string) => void>();

beforeAll(async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "S3RVER");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "S3RVER");
  top = fs.mkdtempSync(path.join(os.tmpdir(), "firn-upload-"));
  root = path.join(top, "source");
  await prepare(root, "copy");
  const store = await openTestStore(root);
  const large = path.join(top, "large");
  fs.writeFileSync(large, Buffer.alloc(6_000_000, "large"));
  await store.addPath(large, { name: "large" });
  await store.close();
  const directory = path.join(top, "buckets");
  fs.mkdirSync(directory);
  const buckets = new S3rver({ directory, silent: true, configureBuckets: [] });
  const handle = buckets.callback();
  server = createServer((request, response) => {
    const listener = listeners.get((request.url ?? "").split(/[/?]/)[1] ?? "");
    const what = `${request.method} ${request.url}`;
    response.once("finish", () => listener?.("after", what));
    listener?.("before", what);
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  removePath(top);
});

/** Makes a bucket; returns the URL of the cache in it. */
function bucket(name: string): string {
  fs.mkdirSync(path.join(top, "buckets", name));
  const parts = "multipart-upload=true&multipart-threshold=5500000&multipart-chunk-size=5242880";
  return `s3://${name}?endpoint=127.0.0.1:${port}&scheme=http&region=eu-west-1&compression=none&${parts}`;
}

function upload(url: string): { child: ChildProcess; ended: Promise<string> } {
  // What it keeps of the cache it may believe the second time.
  const known = path.join(top, new URL(url).hostname);
  const env = {
    ...process.env,
    TMPDIR: path.join(root, "tmp"),
    XDG_CACHE_HOME: known,
    NODE_COMPILE_CACHE: path.join(top, "code"),
  };
  const child = spawn(process.execPath, [program, root, url], { env, stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr!.on("data", (chunk: Buffer) => (err += chunk.toString("latin1")));
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(`${signal ?? code}${err}`));
  });
  return { child, ended };
}

/** Copies what a cache offers of these paths to a store of its own; returns their number. */
async function fetched(url: string, paths: readonly string[], place: string): Promise<number> {
  const settings = new Settings();
  settings.set("narinfo-cache-positive-ttl", "0");
  settings.set("narinfo-cache-negative-ttl", "0");
  const cache = await openStore(url, { settings });
  const index = offered(cache, "hashParts");
  const there: string[] = [];
  for (const item of paths) {
    const found = await index.queryPathFromHashPart(path.basename(item).slice(0, 32));
    if (found !== undefined) there.push(found);
  }
  const store = await openTestStore(place);
  try {
    await copyClosure(there, { from: cache, to: store, checkSignatures: false });
    expect(await verifyStore(store, { checkContents: true })).toBe(false);
  } finally {
    await store.close();
    await cache.close();
    removePath(place);
  }
  return there.length;
}

it("an upload killed at any request leaves a whole cache and can be done again", async () => {
  const source = await openTestStore(root);
  const paths = await addedPaths(source);
  await source.close();
  const requests: string[] = [];
  listeners.set("plain", (moment, request) => {
    if (moment === "before") requests.push(request);
  });
  const plain = bucket("plain");
  expect(await upload(plain).ended).toBe("0");
  listeners.delete("plain");
  expect(await fetched(plain, paths, path.join(top, "plain-store"))).toBe(3);
  expect(requests.filter((request) => request.includes("partNumber")).length).toBe(2);
  expect(requests.length).toBeGreaterThan(10);

  await forEachStep(2 * requests.length, async (step) => {
    const name = `step${step}`;
    const url = bucket(name);
    const killed = upload(url);
    const [moment, wanted] = [moments[step % 2]!, Math.floor(step / 2)];
    let seen = 0;
    listeners.set(name, (now) => {
      if (now === moment && seen++ === wanted) killed.child.kill("SIGKILL");
    });
    // After the last answer it may have ended already.
    const ends = step === 2 * requests.length - 1 ? ["SIGKILL", "0"] : ["SIGKILL"];
    expect(ends, `${moment} ${requests[wanted]}`).toContain(await killed.ended);
    listeners.delete(name);
    await fetched(url, paths, path.join(top, `${name}-store`));
    expect(await upload(url).ended, `after ${moment} ${requests[wanted]}`).toBe("0");
    expect(await fetched(url, paths, path.join(top, `${name}-store`))).toBe(3);
  });
}, 600_000);
