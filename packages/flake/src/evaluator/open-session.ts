/** A session over Node's file system: in the evaluator's thread, or in that of a command while nothing takes long. */
import type { Debugger, EvalHost, EvalMessage } from "@firn/language";
import type { ReadAheadRequest } from "./files-ahead.ts";
import { createNodeHost } from "./node-host.ts";
import { createOfflineServices } from "./offline-services.ts";
import type { WorkerSetup } from "./protocol.ts";
import type { SyncServices } from "./services.ts";
import { EvaluatorSession } from "./session.ts";

/** What a session has outside of itself. */
export interface SessionEnds {
  /** Who answers what concerns the store, where there is one. */
  readonly services: SyncServices;
  report(message: EvalMessage): void;
  interrupted(): boolean;
  /** Has files hashed by another thread, where there is one. */
  readonly readAhead?: (request: ReadAheadRequest) => void;
  readonly whenLong: () => void;
  /** Puts limits on what the evaluation may ask. */
  limit?(host: EvalHost): EvalHost;
  readonly debugger?: Debugger;
}

export function openSession({ config, services, flakes }: WorkerSetup, ends: SessionEnds): EvaluatorSession {
  const answering = services ? ends.services : createOfflineServices(config.storeDir, config.mode.pure);
  const host = createNodeHost(config, answering, ends);
  return new EvaluatorSession(ends.limit?.(host) ?? host, {
    showTrace: config.showTrace,
    whenLong: ends.whenLong,
    ...(flakes ? { flakes: ends.services } : {}),
    ...(ends.debugger === undefined ? {} : { debugger: ends.debugger }),
  });
}
