/**
 * Kept answers on disk: one SQLite file that several processes may use. What is in it can always be computed again, so a file that is
 * damaged, foreign or cannot be written counts as empty.
 */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { disk, fsPath, machineError, sqliteCode } from "@firn/store";
import * as fs from "@firn/store/files";

/** Total size in bytes from which the answers that were used least recently are removed. */
const maxTotal = 192 * 1024 * 1024;
/** Size in bytes from which an answer is not kept. */
const maxEntry = 32 * 1024 * 1024;
/** Time in milliseconds for which another process is waited for. */
const busyTimeout = 1000;
/** Age in milliseconds from which the time of the last use is written again. */
const usedPrecision = 24 * 3600 * 1000;

/** Answers by key in one SQLite file. Methods do not throw: what cannot be read or written is missing. */
export class AnswerDatabase {
  readonly #file: string;
  #database: DatabaseSync | undefined;

  /** Takes the file, which is made at the first write. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Tells whether there may be answers. */
  exists(): boolean {
    return fs.existsSync(this.#file);
  }

  /** Returns what is kept under a key; undefined when that is nothing or damaged. */
  load(key: string): Uint8Array | undefined {
    if (this.#database === undefined && !this.exists()) return undefined;
    return this.#attempt((database) => {
      const row = database.prepare("select data, checksum, used from Answers where key = ?").get(key);
      if (row === undefined) return undefined;
      const data = row.data as Uint8Array;
      if (crc32(data) !== row.checksum) return undefined;
      const now = Date.now();
      if (now - Number(row.used) > usedPrecision) {
        database.prepare("update Answers set used = ? where key = ?").run(now, key);
      }
      return data;
    });
  }

  /** Keeps answers by key, in place of those that were kept under the same keys. */
  store(entries: readonly (readonly [key: string, data: Uint8Array])[]): void {
    this.#attempt((database) => {
      database.exec("begin immediate");
      const insert = database.prepare("insert or replace into Answers (key, used, checksum, data) values (?, ?, ?, ?)");
      for (const [key, data] of entries) if (data.length <= maxEntry) insert.run(key, Date.now(), crc32(data), data);
      trim(database);
      database.exec("commit");
    });
  }

  /** Returns the number of answers and their total size in bytes. */
  amount(): { readonly count: number; readonly size: number } {
    const none = { count: 0, size: 0 };
    if (!this.exists()) return none;
    const found = this.#attempt((database) =>
      database.prepare("select count(*) as count, coalesce(sum(length(data)), 0) as size from Answers").get(),
    );
    return found === undefined ? none : { count: Number(found.count), size: Number(found.size) };
  }

  /** Removes all answers. Errors are those of the machine. */
  clear(): void {
    this.close();
    for (const suffix of ["", "-wal", "-shm", "-journal"]) fs.rmSync(this.#file + suffix, { force: true });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #attempt<T>(work: (database: DatabaseSync) => T): T | undefined {
    try {
      return work(this.#open());
    } catch (error) {
      if (!isTrouble(error)) throw error;
      this.#giveUp(error);
      return undefined;
    }
  }

  #giveUp(error: unknown): void {
    try {
      this.close();
      if (isDamaged(error)) this.clear();
    } catch (again) {
      if (!isTrouble(again)) throw again;
    }
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    disk.mkdirs(dirname(this.#file), 0o700);
    // SQLite makes its files with the modes of the first one.
    if (!this.exists()) fs.closeSync(fs.openSync(this.#file, "a", 0o600));
    const status = fs.lstatSync(this.#file);
    // SQLite believes what it finds beside its file, so the directory counts as well.
    const around = fs.statSync(dirname(this.#file));
    const own = (uid: number): boolean => uid === process.getuid?.();
    if (!status.isFile() || !own(status.uid) || !own(around.uid) || (around.mode & 0o002) !== 0) {
      throw new ForeignFile(this.#file);
    }
    const database = new DatabaseSync(fsPath(this.#file), { timeout: busyTimeout });
    database.exec(`
      pragma synchronous = off;
      pragma journal_mode = wal;
      create table if not exists Answers (
        key text primary key not null,
        used integer not null,
        checksum integer not null,
        data blob not null
      ) without rowid;`);
    this.#database = database;
    return database;
  }
}

/** A file that another user owns or may exchange. */
class ForeignFile extends Error {}

/** Tells whether an error is one of the disk or of the file's contents. */
function isTrouble(error: unknown): boolean {
  return error instanceof ForeignFile || machineError(error) !== undefined;
}

/** SQLite's codes for a file that is damaged, no database, or has another schema. */
const damaged: ReadonlySet<number | undefined> = new Set([1, 11, 26]);

function isDamaged(error: unknown): boolean {
  return damaged.has(sqliteCode(error));
}

function trim(database: DatabaseSync): void {
  const total = database.prepare("select coalesce(sum(length(data)), 0) as size from Answers").get();
  let over = Number(total?.size) - maxTotal;
  if (over <= 0) return;
  const remove = database.prepare("delete from Answers where key = ?");
  for (const row of database.prepare("select key, length(data) as size from Answers order by used").all()) {
    if (over <= 0) return;
    remove.run(String(row.key));
    over -= Number(row.size);
  }
}
