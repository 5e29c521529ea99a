/** A session over Node's file system: in the evaluator's thread, or in a command's own thread as long as nothing takes long. */
import { FirnError } from "@firn/formats";
import { type Debugger, type EvalHost, type EvalMessage, shownText } from "@firn/language";
import type { ReadAheadRequest } from "./files-ahead.ts";
import { createNodeHost } from "./node-host.ts";
import { createOfflineServices } from "./offline-services.ts";
import { PlacedTrees } from "./placed-trees.ts";
import type { WorkerSetup } from "./protocol.ts";
import type { SyncServices } from "./services.ts";
import { EvaluatorSession } from "./session.ts";
import { ShownTrees } from "./shown-trees.ts";

/** The connections of a session to the outside. */
export interface SessionEnds {
  /** The services that answer calls about the store, if there is one. */
  readonly services: SyncServices;
  report(message: EvalMessage): void;
  interrupted(): boolean;
  /** Has files hashed by another thread, if there is one. */
  readonly readAhead?: (request: ReadAheadRequest) => void;
  readonly whenLong: () => void;
  /** Wraps the host: with limits on what the evaluation may call, or to record it. */
  limit?(host: EvalHost, trees: PlacedTrees): EvalHost;
  readonly debugger?: Debugger;
}

/** Opens a session; without services of the setup, store paths are computed only. */
export function openSession({ config, services, flakes, images }: WorkerSetup, ends: SessionEnds): EvaluatorSession {
  const answering = services ? ends.services : createOfflineServices(config.storeDir, config.mode.pure);
  const shownTrees = new ShownTrees();
  const trees = new PlacedTrees((standIn) => {
    if (answering.obtainTree === undefined) throw new FirnError("internal", "no trees are read where they lie");
    return answering.obtainTree(standIn);
  });
  let session: EvaluatorSession | undefined;
  const report = (message: EvalMessage): void => {
    session?.reporting();
    ends.report({ ...message, text: shownText(message.text) });
  };
  const host = createNodeHost(config, answering, { ...ends, report, shownTrees, trees });
  session = new EvaluatorSession(ends.limit?.(host, trees) ?? host, {
    trees,
    showTrace: config.showTrace,
    shownTrees,
    whenLong: ends.whenLong,
    ...(flakes ? { flakes: ends.services } : {}),
    ...(ends.debugger === undefined ? {} : { debugger: ends.debugger }),
    ...(config.calls === undefined ? {} : { calls: config.calls }),
  });
  if (images !== undefined) session.startImages(images);
  return session;
}
