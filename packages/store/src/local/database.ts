/** The store database: which paths are valid, what they refer to, which derivation makes them. */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import {
  FirnError,
  type PathInfo,
  parseContentAddress,
  parsePrefixedHash,
  printContentAddress,
  printHash,
  sortSignatures,
} from "@firn/formats";
import { disk, fsPath, hasErrorCode } from "../fs/disk.ts";
import * as fs from "../fs/files.ts";
import { isSqliteBusy, isSqliteDamaged, machineError } from "../fs/machine-error.ts";
import { fileUrlOf } from "../surroundings.ts";
import {
  dropOldTables,
  laterColumns,
  migrations,
  oldestVersion,
  realisationsMigration,
  schema,
  schemaVersion,
} from "./schema.ts";

const BUSY_MS = 60 * 60 * 1000;

/** Time for which setting the journal mode is tried, and the pause between attempts, in milliseconds. */
const JOURNAL_MODE_MS = 30_000;
const JOURNAL_MODE_PAUSE_MS = 5;

/** Options of opening. */
export interface DatabaseOptions {
  readonly readOnly?: boolean;
  readonly wal?: boolean;
  readonly fsync?: boolean;
}

/** The facts of a path in the order of `pathQuery`: one row with all references costs half of what two queries do. */
type PathRow = readonly [
  hash: string,
  registrationTime: number,
  deriver: string | null,
  narSize: number | null,
  ultimate: number | null,
  sigs: string | null,
  ca: string | null,
  references: string | null,
];

const pathQuery =
  "select hash, registrationTime, deriver, narSize, ultimate, sigs, ca, (select group_concat(r.path, char(0)) from Refs join ValidPaths r on reference = r.id where referrer = v.id) from ValidPaths v where path = ?";

const DAMAGED =
  "it is damaged: put a copy of it back, or move the store with its state directory away to begin with an empty one";

/** A connection to `<dir>/db.sqlite`. All calls are synchronous; several processes may hold one each. */
export class StoreDatabase {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();

  constructor(directory: string, options: DatabaseOptions = {}) {
    const file = `${directory}/db.sqlite`;
    this.#file = file;
    const schemaFile = `${directory}/schema`;
    const current = readSchema(schemaFile);
    if (current > schemaVersion) {
      throw new FirnError(
        "new-schema",
        `current Nix store schema is version ${current}, but I only support ${schemaVersion}`,
      );
    }
    if (current !== 0 && current < oldestVersion) throw tooOld(current);
    if (options.readOnly ?? false) {
      if (current === 0) {
        throw new FirnError("no-database", "database does not exist, and cannot be created in read-only mode");
      }
      if (current < schemaVersion) {
        throw new FirnError(
          "old-schema",
          "database schema needs migrating, but this cannot be done in read-only mode",
          { hint: "open the store once as a user who may write it" },
        );
      }
      this.#db = this.#telling(() => openReadOnly(file));
      return;
    }
    this.#db = this.#telling(
      () => new DatabaseSync(fsPath(file), { timeout: BUSY_MS, enableForeignKeyConstraints: true }),
    );
    this.#telling(() => this.#prepare(options, { schemaFile, current }));
  }

  #prepare(options: DatabaseOptions, { schemaFile, current }: { schemaFile: string; current: number }): void {
    const wal = options.wal ?? true;
    this.#db.exec(`pragma synchronous = ${(options.fsync ?? true) ? "normal" : "off"}`);
    this.#setJournalMode(wal ? "wal" : "truncate");
    if (wal) this.#db.exec("pragma wal_autocheckpoint = 40000");
    if (current === 0) disk.sql(this.#db, schema);
    else if (current < schemaVersion) this.#migrate();
    if (current < schemaVersion) disk.replaceFile(schemaFile, String(schemaVersion), { sync: true });
    this.#db.exec(migrations);
  }

  /** Brings an older database up to the version of this one. What an interrupted migration did is not done again. */
  #migrate(): void {
    this.#transaction(() => {
      const columns = this.#all<{ name: string }>("select name from pragma_table_info('ValidPaths')");
      for (const { name, type } of laterColumns) {
        if (columns.some((column) => column.name === name)) continue;
        disk.sql(this.#db, `alter table ValidPaths add column ${name} ${type}`);
      }
      disk.sql(this.#db, dropOldTables);
    });
  }

  /**
   * Sets the journal mode by trying again: SQLite does not wait here while another writes, since two that switch would wait
   * for each other.
   */
  #setJournalMode(wanted: "wal" | "truncate"): void {
    for (let waited = 0; ; waited += JOURNAL_MODE_PAUSE_MS) {
      try {
        const mode = this.#db.prepare("pragma main.journal_mode").get() as { journal_mode: string };
        if (mode.journal_mode !== wanted) this.#db.exec(`pragma main.journal_mode = ${wanted}`);
        return;
      } catch (error) {
        if (!isSqliteBusy(error) || waited >= JOURNAL_MODE_MS) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, JOURNAL_MODE_PAUSE_MS);
      }
    }
  }

  /** Runs `work` in one transaction that excludes other writers; rolls back when it throws. */
  transaction<T>(work: () => T): T {
    return this.#telling(() => this.#transaction(work));
  }

  /** Runs `work`; failures of the database name the database. */
  #telling<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!hasErrorCode(error, "ERR_SQLITE_ERROR")) throw error;
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    const remedy = isSqliteDamaged(error) ? DAMAGED : undefined;
    return machineError(error, `SQLite database "${this.#file}"`, remedy) ?? error;
  }

  #transaction<T>(work: () => T): T {
    disk.sql(this.#db, "begin immediate");
    let result: T;
    try {
      result = work();
      disk.sql(this.#db, "commit");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("rollback");
      throw error;
    }
    return result;
  }

  isValid(path: string): boolean {
    return this.#get("select 1 from ValidPaths where path = ?", path) !== undefined;
  }

  pathId(path: string): number {
    const row = this.#get<{ id: number }>("select id from ValidPaths where path = ?", path);
    if (row === undefined) throw new FirnError("invalid-path", `path '${path}' is not valid`);
    return row.id;
  }

  pathInfo(path: string): PathInfo | undefined {
    const row = this.#telling(() => this.#pathStatement().get(path)) as PathRow | undefined;
    if (row === undefined) return undefined;
    const [hash, registrationTime, deriver, narSize, ultimate, sigs, ca, references] = row;
    return {
      path,
      narHash: parsePrefixedHash(hash),
      narSize: narSize ?? 0,
      references: references === null ? [] : references.split("\0").sort(),
      registrationTime,
      ultimate: ultimate === 1,
      signatures: sigs === null || sigs === "" ? [] : sortSignatures(sigs.split(" ")),
      ...(deriver === null || deriver === "" ? {} : { deriver }),
      ...(ca === null || ca === "" ? {} : { ca: parseContentAddress(ca) }),
    };
  }

  allValidPaths(): string[] {
    return this.#all<{ path: string }>("select path from ValidPaths order by path").map((row) => row.path);
  }

  referrers(path: string): string[] {
    return this.#all<{ path: string }>(
      "select path from Refs join ValidPaths on referrer = id where reference = (select id from ValidPaths where path = ?)",
      path,
    ).map((row) => row.path);
  }

  validDerivers(path: string): string[] {
    return this.#all<{ path: string }>(
      "select v.path as path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?",
      path,
    ).map((row) => row.path);
  }

  derivationOutputs(drvPath: string): Map<string, string> {
    const rows = this.#all<{ id: string; path: string }>(
      "select id, path from DerivationOutputs where drv = (select id from ValidPaths where path = ?)",
      drvPath,
    );
    return new Map(rows.map((row) => [row.id, row.path]));
  }

  pathFromPrefix(prefix: string): string | undefined {
    const row = this.#get<{ path: string }>("select path from ValidPaths where path >= ? limit 1", prefix);
    return row?.path.startsWith(prefix) === true ? row.path : undefined;
  }

  /** Adds or updates the row of a path (inside a transaction); returns true when it is new. */
  putPath(info: PathInfo): boolean {
    const ultimate = info.ultimate === true ? 1 : null;
    const sigs = info.signatures.length === 0 ? null : sortSignatures(info.signatures).join(" ");
    const ca = info.ca === undefined ? null : printContentAddress(info.ca);
    const hash = printHash(info.narHash, "base16");
    const size = info.narSize === 0 ? null : info.narSize;
    if (this.isValid(info.path)) {
      this.#run("update ValidPaths set narSize = ?, hash = ?, ultimate = ?, sigs = ?, ca = ? where path = ?", [
        size,
        hash,
        ultimate,
        sigs,
        ca,
        info.path,
      ]);
      return false;
    }
    const time = info.registrationTime === undefined || info.registrationTime === 0 ? now() : info.registrationTime;
    this.#run(
      "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca) values (?, ?, ?, ?, ?, ?, ?, ?)",
      [info.path, hash, time, info.deriver ?? null, size, ultimate, sigs, ca],
    );
    return true;
  }

  putReference(referrer: number, reference: number): void {
    this.#run("insert or replace into Refs (referrer, reference) values (?, ?)", [referrer, reference]);
  }

  putDerivationOutput(drv: number, output: string, path: string): void {
    this.#run("insert or replace into DerivationOutputs (drv, id, path) values (?, ?, ?)", [drv, output, path]);
  }

  setHash(path: string, hash: string): void {
    this.#run("update ValidPaths set hash = ? where path = ?", [hash, path]);
  }

  deletePath(path: string): void {
    this.#run("delete from ValidPaths where path = ?", [path]);
  }

  /** Makes the tables of content-addressed derivations when they are missing. */
  ensureRealisations(): void {
    const { name, statements } = realisationsMigration;
    if (this.hasRealisations()) return;
    this.transaction(() => {
      disk.sql(this.#db, statements);
      this.#run("insert or ignore into SchemaMigrations values (?)", [name]);
    });
  }

  /** Adds a realisation; an output has at most one. Error `invalid-path`. */
  putRealisation(drvHash: string, output: string, built: { path: string; signatures: readonly string[] }): void {
    this.#run("insert into Realisations (drvPath, outputName, outputPath, signatures) values (?, ?, ?, ?)", [
      drvHash,
      output,
      this.pathId(built.path),
      built.signatures.join(" "),
    ]);
  }

  signRealisation(drvHash: string, output: string, signatures: readonly string[]): void {
    const values = [signatures.join(" "), drvHash, output];
    this.#run("update Realisations set signatures = ? where drvPath = ? and outputName = ?", values);
  }

  /** Returns the path and signatures of an output's realisation; undefined also in a database without realisations. */
  realisation(drvHash: string, output: string): { path: string; signatures: string[] } | undefined {
    if (!this.hasRealisations()) return undefined;
    const row = this.#get<{ path: string; signatures: string | null }>(
      "select Output.path as path, signatures from Realisations inner join ValidPaths as Output on Output.id = Realisations.outputPath where drvPath = ? and outputName = ?",
      drvHash,
      output,
    );
    if (row === undefined) return undefined;
    return { path: row.path, signatures: (row.signatures ?? "").split(" ").filter((text) => text !== "") };
  }

  /** Tells whether there are tables of content-addressed derivations. */
  hasRealisations(): boolean {
    const { name } = realisationsMigration;
    return this.#get("select 1 from SchemaMigrations where migration = ?", name) !== undefined;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #pathStatement(): StatementSync {
    const isNew = !this.#statements.has(pathQuery);
    const statement = this.#statement(pathQuery);
    if (isNew) statement.setReturnArrays(true);
    return statement;
  }

  #get<T>(sql: string, ...values: (string | number)[]): T | undefined {
    try {
      return this.#statement(sql).get(...values) as T | undefined;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #all<T>(sql: string, ...values: (string | number)[]): T[] {
    try {
      return this.#statement(sql).all(...values) as T[];
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #run(sql: string, values: (string | number | null)[]): void {
    try {
      this.#statement(sql).run(...values);
    } catch (error) {
      throw this.#failure(error);
    }
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function tooOld(version: number): FirnError {
  const [format, release] = version < 5 ? ["Berkeley DB", "0.12"] : ["flat file", "1.11"];
  return new FirnError(
    "old-schema",
    `Your Nix store has a database in ${format} format,\nwhich is no longer supported. To convert to the new format,\nplease upgrade Nix to version ${release} first.`,
  );
}

/** Tells whether the database in a directory is of an older version, which is changed when it is opened for writing. */
export function needsMigration(directory: string): boolean {
  const version = readSchema(`${directory}/schema`);
  return version >= oldestVersion && version < schemaVersion;
}

function readSchema(file: string): number {
  if (!fs.existsSync(file)) return 0;
  const text = fs.readFileSync(file, "latin1").trim();
  if (!/^[0-9]{1,6}$/.test(text)) throw new FirnError("corrupt-schema", `"${file}" is corrupt`);
  return Number(text);
}

/**
 * Opens without writing. The write-ahead log of a database in use is read too; when that is impossible (no permission to make
 * the helper files), only the file itself is read.
 */
function openReadOnly(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(fsPath(file), { readOnly: true, timeout: BUSY_MS });
    database.prepare("select 1 from ValidPaths limit 1").get();
    return database;
  } catch (error) {
    if (!hasErrorCode(error, "ERR_SQLITE_ERROR")) throw error;
    const uri = `${fileUrlOf(file)}?immutable=1`;
    return new DatabaseSync(new URL(uri), { readOnly: true, timeout: BUSY_MS });
  }
}
