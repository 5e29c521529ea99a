/** The logs of builds that a store keeps. */

/** Access to logs by derivation. */
export interface LogReader {
  /** Returns the log of a derivation's last build in pieces, decompressed; undefined when none was kept. */
  buildLog(drvPath: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Additions of logs. */
export interface LogWriter {
  /** Keeps a log of a derivation's build, unless there is one. */
  addBuildLog(drvPath: string, log: AsyncIterable<Uint8Array>): Promise<void>;
}
