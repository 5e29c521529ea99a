/**
 * The fetcher cache: facts about mutable references and trees, kept in SQLite with the reference's schema
 * (`fetcher-cache-v4.sqlite`), so that both can use one file.
 */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { byteStringOf, textOf } from "@firn/formats";
import { disk, fsPath, machineError } from "@firn/store";

/** A value of the cache. Values are flat: strings, integers, booleans. */
export type CacheValue = { readonly [name: string]: string | number | boolean };

/** A found entry; the flag is true when it is older than the time to live. */
export interface CacheHit {
  readonly value: CacheValue;
  readonly expired: boolean;
}

/** A persistent map from (domain, key) to a value with a time stamp. */
export class FetchCache {
  private database: DatabaseSync | undefined;
  private readonly file: string;

  /** Takes the database file, which is opened at the first look-up. */
  constructor(file: string) {
    this.file = file;
  }

  private open(): DatabaseSync {
    try {
      return this.openDatabase();
    } catch (error) {
      const remedy = "set XDG_CACHE_HOME to a directory that can be written";
      throw machineError(error, `cannot open the fetcher cache "${this.file}"`, remedy) ?? error;
    }
  }

  private openDatabase(): DatabaseSync {
    if (this.database === undefined) {
      disk.mkdirs(dirname(this.file));
      const database = new DatabaseSync(fsPath(this.file), { timeout: 60_000 });
      database.exec(`
        pragma synchronous = off;
        pragma journal_mode = truncate;
        create table if not exists Cache (
          domain text not null,
          key text not null,
          value text not null,
          timestamp integer not null,
          primary key (domain, key)
        );`);
      this.database = database;
    }
    return this.database;
  }

  lookup(domain: string, key: CacheValue, ttl: number): CacheHit | undefined {
    const row = this.open()
      .prepare("select value, timestamp from Cache where domain = ? and key = ?")
      .get(domain, canonical(key));
    if (row === undefined || typeof row.value !== "string") return undefined;
    const age = Date.now() / 1000 - Number(row.timestamp);
    return { value: JSON.parse(byteStringOf(row.value)) as CacheValue, expired: ttl === 0 || age > ttl };
  }

  insert(domain: string, key: CacheValue, value: CacheValue): void {
    this.open()
      .prepare("insert or replace into Cache(domain, key, value, timestamp) values (?, ?, ?, ?)")
      .run(domain, canonical(key), textOf(JSON.stringify(value)), Math.floor(Date.now() / 1000));
  }

  close(): void {
    this.database?.close();
    this.database = undefined;
  }
}

function canonical(value: CacheValue): string {
  return textOf(JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))));
}
