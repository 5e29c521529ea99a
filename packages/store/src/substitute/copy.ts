/** Copies paths between stores, references first, several at once. */
import { isContentAddressed, type PathInfo } from "@firn/formats";
import { type EventSink, noEvents } from "../events.ts";
import { computeClosure, requirePathInfo, sortTopologically } from "../store/closure.ts";
import type { NarChunks, PathFacts } from "../store/paths.ts";
import { offered, type Store } from "../store/store.ts";
import type { AddedPath } from "../store/writing.ts";

/** Options of copying. */
export interface CopyOptions {
  readonly from: PathFacts;
  readonly to: Store;
  /** True to demand signatures at the destination (default true). */
  readonly checkSignatures?: boolean;
  readonly repair?: boolean;
  /** True to let the destination fetch from its own caches what it can. */
  readonly substitute?: boolean;
  readonly jobs?: number;
  readonly events?: EventSink;
}

const JOBS = 8;

/** Copies the closures of `roots`; returns the paths that were missing at the destination. */
export async function copyClosure(roots: Iterable<string>, options: CopyOptions): Promise<string[]> {
  return copyPaths(await computeClosure(options.from, roots), options);
}

/** Copies exactly `paths` (their references must be among them or valid at the destination). */
export async function copyPaths(paths: Iterable<string>, options: CopyOptions): Promise<string[]> {
  const { from, to } = options;
  const writer = offered(to, "writing");
  const events = options.events ?? noEvents;
  const list = [...new Set(paths)];
  const valid =
    options.repair === true
      ? new Set<string>()
      : await to.queryValidPaths(list, { substitute: options.substitute ?? false });
  const missing = list.filter((path) => !valid.has(path));
  events({ kind: "message", level: "notice", text: `copying ${missing.length} paths...` });
  const infos = new Map<string, PathInfo>();
  for (const path of missing) infos.set(path, await requirePathInfo(from, path));

  const checkSignatures = (info: PathInfo): boolean => options.checkSignatures !== false && !isContentAddressed(info);
  if (writer.addManyToStore !== undefined) {
    const ordered = sortTopologically(infos.keys(), (path) => infos.get(path)?.references ?? []);
    const paths = ordered.map((path): AddedPath => {
      const info = infos.get(path)!;
      return {
        info: { ...info, ultimate: false },
        nar: () => announced(from.narFromPath(path), info, { options, events }),
      };
    });
    const repair = options.repair === true ? { repair: true } : {};
    const checked = paths.some(({ info }) => checkSignatures(info));
    if (paths.length > 0) await writer.addManyToStore(paths, { checkSignatures: checked, ...repair });
    return missing;
  }

  const waiting = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  const ready: string[] = [];
  for (const [path, info] of infos) {
    const needed = info.references.filter((reference) => reference !== path && infos.has(reference));
    waiting.set(path, needed.length);
    for (const reference of needed) dependents.set(reference, [...(dependents.get(reference) ?? []), path]);
    if (needed.length === 0) ready.push(path);
  }
  let failure: unknown;
  let active = 0;
  const jobs = options.jobs ?? JOBS;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      if (active === 0 && (ready.length === 0 || failure !== undefined)) resolve();
      while (active < jobs && ready.length > 0 && failure === undefined) {
        const path = ready.shift()!;
        active++;
        copyOne(path)
          .then(() => {
            for (const dependent of dependents.get(path) ?? []) {
              const left = waiting.get(dependent)! - 1;
              waiting.set(dependent, left);
              if (left === 0) ready.push(dependent);
            }
          })
          .catch((error: unknown) => {
            failure ??= error;
          })
          .finally(() => {
            active--;
            next();
          });
      }
    };
    const copyOne = async (path: string): Promise<void> => {
      const info = infos.get(path)!;
      let started = false;
      // A destination that refuses the path reads nothing of it.
      const nar = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        started = true;
        events({ kind: "copy-start", path, from: from.uri, to: to.uri, size: info.narSize });
        yield* counted(from.narFromPath(path), info, events);
      };
      let ok = false;
      try {
        await writer.addToStore({ ...info, ultimate: false }, nar(), {
          checkSignatures: checkSignatures(info),
          ...(options.repair === true ? { repair: true } : {}),
        });
        ok = true;
      } finally {
        if (started) events({ kind: "copy-end", path, ok });
      }
    };
    next();
  });
  if (failure !== undefined) throw failure;
  return missing;
}

/** The bytes of an archive after which its progress is told again. */
const progressStep = 1 << 20;

/** The archive of a path, whose progress is told. */
async function* counted(
  nar: NarChunks,
  { path, narSize }: Pick<PathInfo, "path" | "narSize">,
  events: EventSink,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  let told = 0;
  for await (const chunk of nar) {
    yield chunk;
    done += chunk.length;
    if (done - told < progressStep) continue;
    told = done;
    events({ kind: "copy-progress", path, done, size: narSize });
  }
}

/** The archive of a path; its beginning and its end are told. */
async function* announced(
  nar: NarChunks,
  { path, narSize }: PathInfo,
  { options: { from, to }, events }: { readonly options: CopyOptions; readonly events: EventSink },
): AsyncGenerator<Uint8Array, void, undefined> {
  events({ kind: "copy-start", path, from: from.uri, to: to.uri, size: narSize });
  let ok = false;
  try {
    yield* counted(nar, { path, narSize }, events);
    ok = true;
  } finally {
    events({ kind: "copy-end", path, ok });
  }
}
