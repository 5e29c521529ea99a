/** The jobs in a value: the derivations at and below it, found by several evaluations at once (as nix-eval-jobs finds them). */
import { FirnError } from "@firn/formats";
import type { Evaluation } from "../evaluation.ts";
import type { DerivationFacts } from "../evaluator/protocol.ts";
import type { AutoArguments, ValueRef } from "../evaluator/value-ref.ts";

/** An evaluation that looks for jobs: the value that has them, and the arguments of functions on the way. */
export interface JobSource {
  readonly evaluation: Evaluation;
  readonly root: ValueRef;
  readonly autoArguments: AutoArguments;
}

/** A place in the value that was evaluated: a job, or the failure there. */
export type FoundJob =
  | {
      readonly kind: "job";
      readonly path: readonly string[];
      readonly value: ValueRef;
      readonly facts: DerivationFacts;
    }
  | { readonly kind: "failure"; readonly path: readonly string[]; readonly error: FirnError };

/** Options of the search. */
export interface JobSearch {
  /** Number of evaluations at a time. */
  readonly workers: number;
  /** True to enter all sets, false to enter those with `recurseForDerivations` (and the first one). */
  readonly entersAll: boolean;
  /** Returns the evaluation of a worker before each place; the same one or, when that has become too large, another. */
  source(worker: number): Promise<JobSource>;
  /** Receives what was found, as soon as it was found; the next place of that worker waits. A FirnError becomes the failure of the place. */
  found(job: FoundJob, evaluation: Evaluation): Promise<void>;
}

/** Finds all jobs. Fails when an evaluation cannot be opened, or for reasons other than what is evaluated. */
export async function findJobs(search: JobSearch): Promise<void> {
  /** Places to evaluate; the last one is the next. */
  const waiting: (readonly string[])[] = [[]];
  let working = 0;
  let wake: (() => void)[] = [];

  async function next(): Promise<readonly string[] | undefined> {
    for (;;) {
      const path = waiting.pop();
      if (path !== undefined || working === 0) return path;
      await new Promise<void>((resolve) => wake.push(resolve));
    }
  }

  async function work(worker: number): Promise<void> {
    for (let path = await next(); path !== undefined; path = await next()) {
      working++;
      try {
        const names = await evaluated(path, await search.source(worker), search);
        for (const name of [...names].reverse()) waiting.push([...path, name]);
      } finally {
        working--;
        for (const resolve of wake) resolve();
        wake = [];
      }
    }
  }

  await Promise.all(Array.from({ length: search.workers }, (_, worker) => work(worker)));
}

/** Evaluates a place and tells of the job there. Returns the names to go on with. */
async function evaluated(
  path: readonly string[],
  { evaluation, root, autoArguments }: JobSource,
  search: JobSearch,
): Promise<readonly string[]> {
  try {
    let value = await root.autoCall(autoArguments);
    for (const name of path) {
      const member = await value.attribute(name);
      if (member === undefined) throw new FirnError("missing-attribute", `attribute '${name}' is missing`);
      value = await member.autoCall(autoArguments);
    }
    const facts = await value.derivation();
    if (facts !== undefined) {
      await search.found({ kind: "job", path, value, facts }, evaluation);
      return [];
    }
    const names = await value.attributeNames();
    if (names === undefined) return [];
    if (search.entersAll || path.length === 0) return names;
    const marked = names.includes("recurseForDerivations") ? await value.attribute("recurseForDerivations") : undefined;
    return marked !== undefined && (await marked.isTrue()) ? names : [];
  } catch (error) {
    if (!(error instanceof FirnError) || error.code === "interrupted" || error.code === "evaluator-stopped")
      throw error;
    await search.found({ kind: "failure", path, error }, evaluation);
    return [];
  }
}
