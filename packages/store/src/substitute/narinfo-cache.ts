/**
 * Facts about binary caches that are kept on disk for a while, in the reference's file and schema (`binary-cache-v7.sqlite`), so that both
 * programs use each other's. What is in it can be asked for again: a file that is damaged or cannot be written counts as empty.
 */
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  type CacheInfo,
  FirnError,
  type NarInfo,
  parseNarInfo,
  printContentAddress,
  printHash,
  storePathBaseName,
  storePathName,
} from "@firn/formats";
import { disk, fsPath } from "../fs/disk.ts";
import { machineError } from "../fs/machine-error.ts";

/** Seconds for which facts count: descriptions, that a path is missing, and facts about a cache as a whole. */
export interface NarInfoTtl {
  readonly positive: number;
  readonly negative: number;
  readonly meta: number;
}

const schema = `
  create table if not exists BinaryCaches (
    id integer primary key autoincrement not null,
    url text unique not null,
    timestamp integer not null,
    storeDir text not null,
    wantMassQuery integer not null,
    priority integer not null
  );
  create table if not exists NARs (
    cache integer not null,
    hashPart text not null,
    namePart text,
    url text,
    compression text,
    fileHash text,
    fileSize integer,
    narHash text,
    narSize integer,
    refs text,
    deriver text,
    sigs text,
    ca text,
    timestamp integer not null,
    present integer not null,
    primary key (cache, hashPart),
    foreign key (cache) references BinaryCaches(id) on delete cascade
  );
  create table if not exists Realisations (
    cache integer not null,
    outputId text not null,
    content blob,
    timestamp integer not null,
    primary key (cache, outputId),
    foreign key (cache) references BinaryCaches(id) on delete cascade
  );
  create table if not exists LastPurge (dummy text primary key, value integer);`;

/** Time in milliseconds for which another process is waited for. */
const busyTimeout = 1000;
/** Seconds between removals of what is too old. */
const purgeInterval = 24 * 3600;

/** A binary cache in the database. */
export interface KnownCache extends CacheInfo {
  readonly id: number;
}

/** The kept facts about caches. Methods do not throw: what cannot be read or written is missing. */
export class NarInfoCache {
  readonly #file: string;
  readonly #ttl: NarInfoTtl;
  #database: DatabaseSync | undefined;
  #isOff = false;

  /** Takes the file, which is opened at its first use, and the times for which facts count. */
  constructor(file: string, ttl: NarInfoTtl) {
    this.#file = file;
    this.#ttl = ttl;
  }

  /** Returns what is known of a cache by its URL. */
  cache(url: string): KnownCache | undefined {
    return this.#attempt((database) => {
      const row = database
        .prepare("select id, storeDir, wantMassQuery, priority from BinaryCaches where url = ? and timestamp > ?")
        .get(url, now() - this.#ttl.meta);
      if (row === undefined) return undefined;
      const { id, storeDir, wantMassQuery, priority } = row;
      return {
        id: Number(id),
        storeDir: String(storeDir),
        wantMassQuery: wantMassQuery === 1,
        priority: Number(priority),
      };
    });
  }

  /** Keeps what a cache tells about itself; returns its number, undefined when it cannot be kept. */
  keepCache(url: string, info: CacheInfo & { readonly priority: number }): number | undefined {
    return this.#attempt((database) => {
      const keep = database.prepare(
        `insert into BinaryCaches (url, timestamp, storeDir, wantMassQuery, priority) values (?1, ?2, ?3, ?4, ?5)
         on conflict (url) do update set timestamp = ?2, storeDir = ?3, wantMassQuery = ?4, priority = ?5 returning id`,
      );
      const row = keep.get(url, now(), info.storeDir, info.wantMassQuery ? 1 : 0, info.priority);
      return Number(row?.id);
    });
  }

  /** Returns the description of a path in a cache, null when it is known to be missing, undefined when nothing is known. */
  narInfo(cache: number, hashPart: string, storeDir: string): NarInfo | null | undefined {
    return this.#attempt((database) => {
      const row = database
        .prepare(
          `select * from NARs where cache = ? and hashPart = ?
           and ((present = 0 and timestamp > ?) or (present = 1 and timestamp > ?))`,
        )
        .get(cache, hashPart, now() - this.#ttl.negative, now() - this.#ttl.positive);
      if (row === undefined) return undefined;
      return row.present === 0 ? null : described(row, storeDir, this.#file);
    });
  }

  /** Keeps the description of a path, or that it is missing. */
  keepNarInfo(cache: number, hashPart: string, info: NarInfo | undefined): void {
    this.#attempt((database) => {
      const columns = info === undefined ? Array.from({ length: 11 }, () => null) : columnsOf(info);
      database
        .prepare(`insert or replace into NARs values (?, ?, ${columns.map(() => "?").join(", ")}, ?, ?)`)
        .run(cache, hashPart, ...columns, now(), info === undefined ? 0 : 1);
    });
  }

  /** Returns the text of a realisation in a cache, null when it is known to be missing, undefined when nothing is known. */
  realisation(cache: number, id: string): string | null | undefined {
    return this.#attempt((database) => {
      const row = database
        .prepare(
          `select content from Realisations where cache = ? and outputId = ?
           and ((content is null and timestamp > ?) or (content is not null and timestamp > ?))`,
        )
        .get(cache, id, now() - this.#ttl.negative, now() - this.#ttl.positive);
      if (row === undefined) return undefined;
      return row.content === null ? null : Buffer.from(row.content as string | Uint8Array).toString("latin1");
    });
  }

  /** Keeps the text of a realisation, or that it is missing. */
  keepRealisation(cache: number, id: string, text: string | undefined): void {
    this.#attempt((database) => {
      database
        .prepare("insert or replace into Realisations (cache, outputId, content, timestamp) values (?, ?, ?, ?)")
        .run(cache, id, text ?? null, now());
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #attempt<T>(work: (database: DatabaseSync) => T): T | undefined {
    if (this.#isOff) return undefined;
    try {
      return work(this.#open());
    } catch (error) {
      if (!(error instanceof FirnError) && machineError(error) === undefined) throw error;
      this.#isOff = true;
      return undefined;
    }
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    disk.mkdirs(dirname(this.#file));
    const database = new DatabaseSync(fsPath(this.#file), { timeout: busyTimeout, enableForeignKeyConstraints: true });
    this.#database = database;
    database.exec("pragma synchronous = off; pragma journal_mode = wal;");
    database.exec(schema);
    this.#purge(database);
    return database;
  }

  #purge(database: DatabaseSync): void {
    const last = database.prepare("select value from LastPurge").get();
    if (last !== undefined && Number(last.value) > now() - purgeInterval) return;
    database
      .prepare("delete from NARs where (present = 0 and timestamp < ?) or (present = 1 and timestamp < ?)")
      .run(now() - this.#ttl.negative, now() - this.#ttl.positive);
    database
      .prepare(
        "delete from Realisations where (content is null and timestamp < ?) or (content is not null and timestamp < ?)",
      )
      .run(now() - this.#ttl.negative, now() - this.#ttl.positive);
    database.prepare("insert or replace into LastPurge (dummy, value) values ('', ?)").run(now());
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** Returns the columns from the name to the content address. */
function columnsOf(info: NarInfo): SQLInputValue[] {
  return [
    storePathName(info.path),
    info.url,
    info.compression,
    info.fileHash === undefined ? null : printHash(info.fileHash, "nix32"),
    info.fileSize ?? null,
    printHash(info.narHash, "nix32"),
    info.narSize,
    info.references.map(storePathBaseName).join(" "),
    info.deriver === undefined ? null : storePathBaseName(info.deriver),
    info.signatures.join(" "),
    info.ca === undefined ? null : printContentAddress(info.ca),
  ];
}

/** Returns the description in a row, read and checked as the text of one. */
function described(row: Record<string, unknown>, storeDir: string, file: string): NarInfo {
  const line = (name: string, column: string): string => {
    const value = row[column];
    return value === null || value === "" ? "" : `${name}: ${String(value).replaceAll("\n", " ")}\n`;
  };
  const signatures = String(row.sigs ?? "")
    .split(" ")
    .filter((signature) => signature !== "");
  const text = [
    `StorePath: ${storeDir}/${String(row.hashPart)}-${String(row.namePart)}\n`,
    line("URL", "url"),
    line("Compression", "compression"),
    line("FileHash", "fileHash"),
    line("FileSize", "fileSize"),
    line("NarHash", "narHash"),
    line("NarSize", "narSize"),
    line("References", "refs"),
    line("Deriver", "deriver"),
    ...signatures.map((signature) => `Sig: ${signature}\n`),
    line("CA", "ca"),
  ];
  return parseNarInfo(text.join(""), file, storeDir);
}
