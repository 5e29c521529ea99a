import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removePath } from "../index.ts";
import { StoreDatabase } from "./database.ts";

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "firn-database-"));
});

afterEach(() => removePath(directory));

/** Another connection that has begun to write to the database, and ends soon after. */
async function writer(): Promise<Worker> {
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(workerData);
    db.exec("create table Other (x); begin immediate; insert into Other values (1)");
    parentPort.postMessage("writing");
    setTimeout(() => { db.exec("commit"); db.close(); }, 200);`,
    { eval: true, workerData: `${directory}/db.sqlite` },
  );
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return worker;
}

describe("a new store database", () => {
  it("that another opens at the same time is waited for", async () => {
    const other = await writer();
    const database = new StoreDatabase(directory);
    expect(database.allValidPaths()).toEqual([]);
    database.close();
    expect(await new Promise((resolve) => other.once("exit", resolve))).toBe(0);
  });
});
