/**
 * Store paths of large trees that earlier evaluations copied through a filter: a tree whose files have the states that they had has
 * the store path that it had, so that its files need not be read again.
 */
import { createHash } from "node:crypto";
import type { AddPathServiceRequest } from "../evaluator/services.ts";
import { AnswerDatabase } from "./answer-database.ts";
import { FileStates } from "./file-states.ts";
import { resultsFile } from "./kept-results.ts";

/** Number of entries from which a tree is worth it. */
const worthKeeping = 100;

/** A tree as it is now. */
export interface KeptTree {
  /** The store path that it had in this state; undefined when that is not known. */
  readonly storePath: string | undefined;
  /** Keeps the store path that it has in this state. */
  keep(storePath: string): void;
}

/** The kept trees of a user. */
export interface KeptTrees {
  /** Looks at a tree, before it is read. Undefined when its store path cannot be kept or is not worth it. */
  find(request: AddPathServiceRequest, storeDir: string): KeptTree | undefined;
}

/**
 * Opens the kept trees beside the code that is kept in a directory. `settledAfter` is the age in milliseconds from which a time of
 * change counts.
 */
export function openKeptTrees(codeDirectory: string, settledAfter?: number): KeptTrees {
  const file = resultsFile(codeDirectory);
  function use<T>(work: (database: AnswerDatabase) => T): T {
    const database = new AnswerDatabase(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
  return {
    find({ path, name, method, expectedHash, include, references = [] }, storeDir) {
      // What is said to have a hash is not read where that is there.
      if (include === undefined || include.length < worthKeeping || expectedHash !== undefined) return undefined;
      const state = new FileStates(Date.now(), settledAfter).tree({ path, include });
      if (state?.states === undefined) return undefined;
      const about = JSON.stringify([storeDir, path, name, method, references, include, state.names, state.states]);
      const key = `tree ${createHash("sha256").update(about, "latin1").digest("hex")}`;
      const kept = use((database) => database.load(key));
      return {
        storePath: kept === undefined ? undefined : Buffer.from(kept).toString("latin1"),
        keep(storePath) {
          use((database) => database.store([[key, Buffer.from(storePath, "latin1")]]));
        },
      };
    },
  };
}
