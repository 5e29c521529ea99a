/** `firn store roots-daemon`, and collections that ask it. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePlace, type Place } from "../support/run-firn.ts";

let place: Place;
let asking: string;
let socket: string;
beforeEach(() => {
  place = makePlace();
  asking = `${place.store}?use-roots-daemon=true`;
  socket = join(place.store, "nix/var/nix/gc-roots-socket/socket");
});
afterEach(() => place.remove());

const feature = ["--extra-experimental-features", "local-overlay-store"] as const;

async function addedFile(): Promise<string> {
  const file = join(place.directory, "file");
  writeFileSync(file, "contents\n");
  return (await place.firn("store", "add", file)).out.trim();
}

test("a daemon tells what programs use, and a collection keeps it", async () => {
  const path = await addedFile();
  const daemon = spawn(join(import.meta.dirname, "../../firn"), ["store", "roots-daemon"], {
    env: { ...process.env, HOME: place.directory, NIX_REMOTE: place.store },
    stdio: "ignore",
  });
  const descriptor = openSync(join(place.store, path), "r");
  const user = spawn("sleep", ["600"], { stdio: [descriptor, "ignore", "ignore"] });
  closeSync(descriptor);
  try {
    while (!existsSync(socket)) await sleep(50);
    const { out } = await place.firn("store", "gc", "--store", asking, ...feature, "--print-roots");
    expect(out).toBe(`{censored} -> ${path}\n`);
    await place.firn("store", "gc", "--store", asking, ...feature);
    expect(existsSync(join(place.store, path))).toBe(true);
    user.kill();
    await new Promise((resolve) => user.once("exit", resolve));
    await place.firn("store", "gc", "--store", asking, ...feature);
    expect(existsSync(join(place.store, path))).toBe(false);
  } finally {
    user.kill();
    daemon.kill();
    await new Promise((resolve) => daemon.once("exit", resolve));
  }
  expect(existsSync(socket)).toBe(false);
});

describe("a collection deletes nothing", () => {
  const collect = (): ReturnType<Place["firn"]> => place.firn("store", "gc", "--store", asking, ...feature);

  test("where no daemon is", async () => {
    const path = await addedFile();
    const { code, err } = await collect();
    expect(code).toBe(1);
    expect(err).toContain(`cannot connect to socket at '${socket}': No such file or directory`);
    expect(err).toContain("firn store roots-daemon");
    expect(existsSync(join(place.store, path))).toBe(true);
  });

  test.each([
    ["something that is no store path", "/etc/passwd\0", "sent '/etc/passwd', which is no store path"],
    ["half of a path", "/nix/store/abc", "ended within a path"],
    ["a path without end", "x".repeat(10_000), "which is no store path"],
  ])("when a daemon sends %s", async (_, answer, message) => {
    const path = await addedFile();
    mkdirSync(dirname(socket), { recursive: true });
    const server = net.createServer((client) => client.end(answer));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const { code, err } = await collect();
      expect(code).toBe(1);
      expect(err).toContain(message);
      expect(existsSync(join(place.store, path))).toBe(true);
    } finally {
      server.close();
      rmSync(socket, { force: true });
    }
  });

  test("and looks into processes itself without the feature, with a warning", async () => {
    await addedFile();
    const { code, err } = await place.firn("store", "gc", "--store", asking, "--print-roots");
    expect(code).toBe(0);
    expect(err).toContain(
      "Ignoring setting 'use-roots-daemon' because experimental feature 'local-overlay-store' is not enabled",
    );
  });
});
