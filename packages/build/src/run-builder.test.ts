import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { LocalStore, removePath, Settings, storeLocation } from "@firn/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BuildLog } from "./log/build-log.ts";
import { type RunResult, runBuilder } from "./run-builder.ts";

let root: string;
let store: LocalStore;

beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "firn-run-"));
  store = await LocalStore.open({ location: storeLocation({ rootDir: root }) });
});

afterAll(async () => {
  await store.close();
  removePath(root);
});

async function run(script: string, maxLogSize = 0, shell = "/bin/sh"): Promise<RunResult> {
  const drvPath = "/nix/store/00000000000000000000000000000000-x.drv";
  const log = new BuildLog(drvPath, { store, settings: new Settings(), events: () => {} });
  try {
    return await runBuilder({
      command: [shell, "-c", script],
      environment: { PATH: "/bin:/usr/bin" },
      directory: root,
      log,
      timeout: 0,
      maxSilence: 0,
      maxLogSize,
    });
  } finally {
    await log.close();
  }
}

it("ends a builder that closes its output, as the reference does", async () => {
  expect(await run("exec >/dev/null 2>&1; sleep 1000000")).toMatchObject({
    ok: false,
    status: "failed due to signal 9 (Killed)",
  });
});

it("leaves a builder that ends by itself its own status", async () => {
  expect(await run("echo x; exit 3")).toMatchObject({ ok: false, status: "failed with exit code 3" });
  expect(await run("echo x")).toMatchObject({ ok: true });
});

it("ends a builder that writes too much", async () => {
  expect(await run("while true; do echo x; done", 100)).toMatchObject({ ok: false, timedOut: "log-size" });
});

it("fails as a builder does when the program is not there", async () => {
  expect(await run("", 0, "/no/such/shell")).toEqual({ ok: false, status: "failed with exit code 1", code: 1 });
});
