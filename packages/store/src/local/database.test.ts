import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
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

/** Gives the database the tables of an older version. */
function makeOld(version: number): void {
  new StoreDatabase(directory).close();
  const database = new DatabaseSync(`${directory}/db.sqlite`);
  database.exec("alter table ValidPaths drop column ca; drop table SchemaMigrations");
  if (version < 9) database.exec("create table FailedPaths (path text primary key not null, time integer not null)");
  if (version < 8)
    database.exec("alter table ValidPaths drop column sigs; alter table ValidPaths drop column ultimate");
  database.exec("insert into ValidPaths (path, hash, registrationTime) values ('/nix/store/x', 'sha256:00', 7)");
  database.close();
  fs.writeFileSync(`${directory}/schema`, String(version));
}

const tables = (): unknown[] => {
  const database = new DatabaseSync(`${directory}/db.sqlite`);
  const found = database.prepare("select name, sql from sqlite_master order by name").all();
  database.close();
  return found;
};

describe("a database of an older version", () => {
  it("has the tables of the newest when it was opened, and what was in it", () => {
    const seen: unknown[] = [];
    for (const version of [6, 7, 8, 9]) {
      makeOld(version);
      const database = new StoreDatabase(directory);
      expect(database.allValidPaths()).toEqual(["/nix/store/x"]);
      expect(database.isValid("/nix/store/x")).toBe(true);
      database.close();
      expect(fs.readFileSync(`${directory}/schema`, "utf8")).toBe("10");
      seen.push(JSON.stringify(tables()).replaceAll(/,\s*(?=ca |ultimate |sigs )/g, ", "));
      removePath(directory);
      fs.mkdirSync(directory);
    }
    expect(new Set(seen.slice(0, 2)).size).toBe(1);
    expect(seen[0]).toContain("ultimate integer, sigs text, ca text");
    expect(seen.every((text) => !String(text).includes("FailedPaths"))).toBe(true);
  });

  it("is not changed by who only reads it, nor when it is older than this program knows", () => {
    makeOld(9);
    const before = tables();
    expect(() => new StoreDatabase(directory, { readOnly: true })).toThrow("database schema needs migrating");
    for (const [version, format] of [
      [5, "flat file"],
      [4, "Berkeley DB"],
    ] as const) {
      fs.writeFileSync(`${directory}/schema`, String(version));
      expect(() => new StoreDatabase(directory)).toThrow(`Your Nix store has a database in ${format} format`);
    }
    expect(tables()).toEqual(before);
  });
});
