/**
 * Switching a machine to another system as one transaction: everything is planned and checked first, each step is written
 * into a journal before it is done, and when the machine is not healthy afterwards the previous system is restored.
 */
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import {
  hasErrorCode,
  openLockFile,
  type PathFacts,
  type RootWriter,
  type StoreFiles,
  syncFileSystem,
  tryLock,
} from "@firn/store";
import { closeSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "@firn/store/files";
import {
  type BootGeneration,
  type BootPlan,
  finishBoot,
  installLoader,
  loaderPresent,
  planBoot,
  pruneEntries,
  writeBootFiles,
} from "../boot/boot-entries.ts";
import { openSpecialisation, openSpecialisations, openSystem, type System } from "../generation/system.ts";
import type { Machine } from "../machine/machine.ts";
import {
  deleteGenerations,
  findGenerations,
  type Generation,
  rollbackProfile,
  setProfile,
} from "../profile/generations.ts";
import { findFailedChecks, type HealthBefore, healthBefore } from "./health.ts";
import {
  type JournalSide,
  readJournal,
  removeJournal,
  type SwitchJournal,
  type SwitchStep,
  switchSteps,
  writeJournal,
} from "./journal.ts";
import { planUnits, type UnitPlan } from "./switch-plan.ts";
import { type RunningUnit, Systemd } from "./systemd.ts";
import { readUnit } from "./units.ts";

/** An event of a switch in progress. */
export type SwitchEvent =
  | { readonly kind: "step"; readonly step: SwitchStep }
  | { readonly kind: "units"; readonly plan: UnitPlan }
  | { readonly kind: "boot"; readonly plan: BootPlan }
  /** A line that a program printed. */
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "undoing"; readonly reasons: readonly string[] };

/** The machine, store and profile of a switch. */
export interface SwitchContext {
  readonly machine: Machine;
  readonly store: PathFacts & StoreFiles & RootWriter;
  /** The profile that keeps the generations. */
  readonly profile: string;
  readonly events: (event: SwitchEvent) => void;
}

/** The switch to make. */
export interface SwitchRequest {
  /** `boot` changes the system that starts next, `test` the running one, `switch` both. */
  readonly action: "switch" | "boot" | "test";
  /** Store path of the system to switch to. */
  readonly system: string;
  /** The variant of the system that is activated; only what starts next is the system itself. */
  readonly specialisation?: string;
  /** The existing generation of the system to go back to; when absent, it becomes a new generation. */
  readonly generation?: number;
  /** False to leave the new system in place even when the machine is not healthy. */
  readonly healthGate: boolean;
  /** Resolves to true when the user has confirmed the new system; when absent, no confirmation is needed. */
  readonly confirmed?: () => Promise<boolean>;
  readonly installLoader?: boolean;
  /** True when the machine's disks are elsewhere, so that nothing is written to their first sectors. */
  readonly withoutDisks?: boolean;
  /** True to switch a running machine even when an inhibitor of its system has changed. */
  readonly ignoreInhibitors?: boolean;
}

/** The result of a switch. */
export type SwitchOutcome =
  | { readonly kind: "done"; readonly generation: number | undefined }
  | { readonly kind: "undone"; readonly reasons: readonly string[] };

/** Returns the running system of a machine, or undefined when it runs none. */
export function runningSystem({ machine, store }: Pick<SwitchContext, "machine" | "store">): System | undefined {
  const link = `${machine.root}/run/current-system`;
  try {
    return openSystem(store.location, readlinkSync(link, "latin1"));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "EINVAL")) return undefined;
    throw error;
  }
}

/** Returns the changes of units that switching would make, without making them. */
export async function planSwitch(
  context: SwitchContext,
  { system, specialisation }: Pick<SwitchRequest, "system" | "specialisation">,
): Promise<UnitPlan> {
  const after = activated(context, openSystem(context.store.location, system), specialisation);
  return planOf(await new Systemd(context.machine).units(), runningSystem(context), after);
}

/**
 * Switches to another system. Fails with `busy` during another switch, `switch-unfinished` when an earlier one was killed,
 * `switch-inhibited`, `boot-full`, all before any change. Later failures are undone; the error is then `switch-failed`, or the outcome has the
 * reason for which the health gate reverted the switch.
 */
export async function switchSystem(context: SwitchContext, request: SwitchRequest): Promise<SwitchOutcome> {
  return withSwitchLock(context, async () => {
    const { machine, store, profile } = context;
    if (readJournal(machine.root) !== undefined) {
      throw new FirnError("switch-unfinished", "an earlier switch of this machine was interrupted", {
        hint: "run 'firn os recover' first: it undoes or finishes that switch",
      });
    }
    const whole = openSystem(store.location, request.system);
    const to = activated(context, whole, request.specialisation);
    const from = runningSystem(context);
    const systemd = new Systemd(machine);
    const { generations, current } = findGenerations(profile);
    const permanent = request.action !== "test";
    const live = request.action !== "boot";
    if (live && request.ignoreInhibitors !== true) requireSameInhibitors(from, to);
    const running = live ? await systemd.units() : undefined;
    const gated = request.healthGate && to.manifest !== undefined;
    const planned: Planned = {
      units: running === undefined ? undefined : planOf(running, from, to),
      health: running !== undefined && gated ? healthBefore(running, machine) : undefined,
      boot: permanent
        ? planBootOf(context, whole, { generations, current, generation: request.generation, running: from?.path })
        : undefined,
    };
    if (planned.units !== undefined) context.events({ kind: "units", plan: planned.units });
    if (planned.boot !== undefined) context.events({ kind: "boot", plan: planned.boot });
    const run = new SwitchRun(context, {
      action: request.action,
      profile,
      from:
        from === undefined
          ? undefined
          : { system: from.path, generation: generationOf(context, generations, { system: from.path, current }) },
      to: { system: whole.path, generation: undefined, ...(to === whole ? {} : { live: to.path }) },
      step: "begin",
      made: permanent ? newGeneration(generations, whole.path, request.generation) : undefined,
      stopped: planned.units?.stop ?? [],
      bootId: startIdentity(machine),
    });
    try {
      const failures = await run.forward({ whole, to, systemd, planned, request });
      if (failures.length === 0) {
        run.end();
        return { kind: "done", generation: run.journal.to.generation };
      }
      context.events({ kind: "undoing", reasons: failures });
      await undo(context, run.journal);
      return { kind: "undone", reasons: failures };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      context.events({ kind: "undoing", reasons: [reason] });
      await undo(context, run.journal);
      throw new FirnError("switch-failed", `the switch to '${to.path}' failed and was undone: ${reason}`, {
        cause: error,
      });
    }
  });
}

/** Returns the system that is activated: a system itself, or its variant of a name. */
function activated(
  { store }: Pick<SwitchContext, "store">,
  system: System,
  specialisation: string | undefined,
): System {
  return specialisation === undefined ? system : openSpecialisation(store.location, system, specialisation);
}

/** Fails with `switch-inhibited` when both systems have an inhibitor of one name with different texts. */
function requireSameInhibitors(from: System | undefined, to: System): void {
  const changed = [...(to.manifest?.inhibitors ?? [])].flatMap(([name, text]) => {
    const before = from?.manifest?.inhibitors.get(name);
    return before === undefined || before === text ? [] : [`${name}: ${before} -> ${text}`];
  });
  if (changed.length === 0) return;
  throw new FirnError("switch-inhibited", `the running system cannot be replaced by this one: ${changed.join("; ")}`, {
    hint: "run 'firn os boot' and start the machine anew, or set NIXOS_NO_CHECK=1 to switch all the same",
  });
}

/** The actions of a switch, computed before its first step. */
interface Planned {
  readonly units: UnitPlan | undefined;
  readonly health: HealthBefore | undefined;
  readonly boot: BootPlan | undefined;
}

/** One switch in progress: the journal and the steps. */
class SwitchRun {
  journal: SwitchJournal;
  private readonly context: SwitchContext;

  constructor(context: SwitchContext, journal: SwitchJournal) {
    this.context = context;
    this.journal = journal;
  }

  /** Does the steps; returns the checks of the machine that fail afterwards. */
  async forward(options: {
    /** The system that starts next. */
    readonly whole: System;
    /** The system that is activated: the same, or a variant of it. */
    readonly to: System;
    readonly systemd: Systemd;
    readonly planned: Planned;
    readonly request: SwitchRequest;
  }): Promise<string[]> {
    const { whole, to, systemd, planned, request } = options;
    const { store, profile, machine, events } = this.context;
    const onLine = (text: string): void => events({ kind: "line", text });
    this.step("begin");
    // A power failure would leave empty files of what was just built.
    if (request.action !== "test") syncFileSystem(store.location.realStoreDir);
    if (planned.boot !== undefined) {
      this.step("boot-files");
      if (request.installLoader === true || !loaderPresent(planned.boot)) {
        installLoader(planned.boot, whole, { withoutDisks: request.withoutDisks === true });
      }
      writeBootFiles(planned.boot);
    }
    if (request.action !== "test") {
      this.step("profile");
      const number =
        request.generation === undefined
          ? (await setProfile(store, profile, whole.path)).number
          : (await rollbackProfile(profile, { to: request.generation })).to;
      if (planned.boot !== undefined && number !== planned.boot.next) {
        throw new FirnError("busy", `the profile '${profile}' was changed by somebody else meanwhile`);
      }
      this.journal = { ...this.journal, to: { ...this.journal.to, generation: number } };
    }
    if (planned.boot !== undefined) {
      this.step("boot-default");
      finishBoot(planned.boot);
    }
    if (planned.units === undefined) return [];
    const { units } = planned;
    this.step("stop");
    if (!(await systemd.change("stop", units.stop, onLine)))
      events({ kind: "warning", text: "not all units could be stopped" });
    this.step("activate");
    await activate(this.context, to.path);
    this.step("reload-systemd");
    await systemd.reload(units.reexec);
    this.step("units");
    const failures = await changeUnits(systemd, units, onLine);
    if (planned.health !== undefined && to.manifest !== undefined) {
      this.step("health");
      const touched = [...units.reload, ...units.restart, ...units.start];
      if (failures.length > 0) return failures;
      const found = await findFailedChecks({
        systemd,
        machine,
        before: planned.health,
        settings: to.manifest.health,
        touched,
      });
      if (found.length > 0) return found;
    } else for (const text of failures) events({ kind: "warning", text });
    if (request.confirmed !== undefined) {
      this.step("confirm");
      if (!(await request.confirmed())) return ["it was not confirmed in time"];
    }
    return [];
  }

  end(): void {
    this.step("commit");
    removeJournal(this.context.machine.root);
  }

  private step(step: SwitchStep): void {
    this.journal = { ...this.journal, step };
    writeJournal(this.context.machine.root, this.journal);
    this.context.events({ kind: "step", step });
  }
}

/** Finishes or undoes a switch that was killed. Resolves to the action taken. */
export async function recoverSwitch(context: SwitchContext): Promise<"none" | "finished" | "undone"> {
  return withSwitchLock(context, async () => {
    const journal = readJournal(context.machine.root);
    if (journal === undefined) return "none";
    if (journal.bootId !== startIdentity(context.machine)) return align(context, journal);
    if (journal.step === "commit") {
      removeJournal(context.machine.root);
      return "finished";
    }
    await undo(context, journal);
    return "undone";
  });
}

/**
 * Removes what the boot menu has of generations that were deleted. Does nothing during a switch, or on a machine without a boot menu of
 * Firn's. Resolves to the numbers of those generations.
 */
export async function pruneBootMenu(context: Pick<SwitchContext, "machine" | "store" | "profile">): Promise<number[]> {
  const boot = runningSystem(context)?.manifest?.boot;
  if (boot === undefined || boot.loader === "none") return [];
  const directory = `${context.machine.root}${boot.efiSysMountPoint}`;
  const { generations, current } = findGenerations(context.profile);
  if (current === undefined || !existsSync(directory)) return [];
  return withSwitchLock(context, async () =>
    readJournal(context.machine.root) === undefined
      ? pruneEntries({ directory, settings: boot }, new Set(generations.map(({ number }) => number)), current)
      : [],
  );
}

/** Makes profile and boot menu agree with the system that the restarted machine runs, which is wholly one of the two. */
async function align(context: SwitchContext, journal: SwitchJournal): Promise<"finished" | "undone"> {
  const running = runningSystem(context)?.path;
  const finished = (running === journal.to.system || running === journal.to.live) && journal.action !== "test";
  const side = finished ? journal.to : journal.from;
  if (side !== undefined) await restoreDefault(context, journal, side);
  removeJournal(context.machine.root);
  return finished ? "finished" : "undone";
}

/** Restores the previous state from any step on. Its own journal stays until all is done, so that it can be killed and repeated. */
async function undo(context: SwitchContext, journal: SwitchJournal): Promise<void> {
  const { machine, store, events } = context;
  const { from, to } = journal;
  const reached = (step: SwitchStep): boolean => switchSteps.indexOf(journal.step) >= switchSteps.indexOf(step);
  if (from !== undefined && journal.action !== "test" && reached("boot-files"))
    await restoreDefault(context, journal, from);
  if (from !== undefined && journal.action !== "boot" && reached("stop")) {
    const systemd = new Systemd(machine);
    const before = openSystem(store.location, to.live ?? to.system);
    const after = openSystem(store.location, from.system);
    const onLine = (text: string): void => events({ kind: "line", text });
    const units = planOf(await systemd.units(), before, after);
    await systemd.change("stop", units.stop, onLine);
    await activate(context, from.system);
    await systemd.reload(units.reexec);
    // What the switch had stopped does not run now, so no plan knows of it.
    const stopped = journal.stopped.filter((name) => !units.start.includes(name) && !units.stop.includes(name));
    const failures = await changeUnits(systemd, { ...units, start: [...units.start, ...stopped] }, onLine);
    for (const text of failures) events({ kind: "warning", text });
    // Only the other system had these; nobody could start them again.
    const gone = (await systemd.units()).filter(
      ({ name, active }) => active === "failed" && readUnit(after.tree, name) === undefined,
    );
    await systemd.change(
      "reset-failed",
      gone.map(({ name }) => name),
    );
  }
  removeJournal(machine.root);
}

/** Points the profile and the boot menu at one side of a switch. */
async function restoreDefault(context: SwitchContext, journal: SwitchJournal, side: JournalSide): Promise<void> {
  if (side.generation === undefined) return;
  const { store } = context;
  const { generations, current } = findGenerations(journal.profile);
  if (!generations.some(({ number }) => number === side.generation)) return;
  if (current !== side.generation) await rollbackProfile(journal.profile, { to: side.generation });
  const forgotten = madeGeneration(journal, side);
  const system = openSystem(store.location, side.system);
  const boot = planBootOf({ ...context, profile: journal.profile }, system, {
    generations: generations.filter(({ number }) => number !== forgotten),
    current: side.generation,
    generation: side.generation,
    running: runningSystem(context)?.path,
  });
  if (boot !== undefined) {
    writeBootFiles(boot);
    finishBoot(boot);
  }
  // Last: until here the machine might be started as that generation.
  if (forgotten !== undefined) await deleteGenerations(journal.profile, { kind: "numbers", numbers: [forgotten] });
}

/**
 * Returns the generation that the switch made, unless it is the one to stay: an undone generation must not remain as a target
 * of rollbacks.
 */
function madeGeneration({ profile, made, to }: SwitchJournal, side: JournalSide): number | undefined {
  if (made === undefined || made === side.generation) return undefined;
  const found = findGenerations(profile).generations.find(({ number }) => number === made);
  return found !== undefined && readlinkSync(found.link, "latin1") === to.system ? made : undefined;
}

function planOf(running: readonly RunningUnit[], before: System | undefined, after: System): UnitPlan {
  // On a machine without a system nothing is known of its units: only what the new one wants is started.
  return planUnits(before ?? after, after, running);
}

async function changeUnits(systemd: Systemd, units: UnitPlan, onLine: (line: string) => void): Promise<string[]> {
  const failures: string[] = [];
  for (const [verb, names] of [
    ["reload", units.reload],
    ["restart", units.restart],
    ["start", units.start],
  ] as const) {
    // Units that have been started often lately would not start again. Targets know no such limit.
    const limited = verb === "reload" ? [] : names.filter((name) => !name.endsWith(".target"));
    await systemd.change("reset-failed", limited, () => undefined);
    if (!(await systemd.change(verb, names, onLine)))
      failures.push(`not all units could be ${verb}ed: ${names.join(", ")}`);
  }
  return failures;
}

/** Runs a system's activation script: files of `/etc`, users, wrappers, `/run/current-system`. */
async function activate({ machine, events }: SwitchContext, system: string): Promise<void> {
  const { status } = await machine.run([join(machine.root, system, "activate")], {
    environment: { PATH: "/usr/bin:/usr/sbin", LOCALE_ARCHIVE: "" },
    onLine: (text) => events({ kind: "line", text }),
  });
  if (status !== 0)
    throw new FirnError("activation", `the activation script of '${system}' ended with status ${status}`);
}

function planBootOf(
  { store, machine }: SwitchContext,
  to: System,
  options: {
    readonly generations: readonly Generation[];
    readonly current: number | undefined;
    /** The existing generation of `to`; when undefined, it becomes the next one. */
    readonly generation: number | undefined;
    readonly running: string | undefined;
  },
): BootPlan | undefined {
  const { generations, current, generation, running } = options;
  const settings = to.manifest?.boot;
  if (settings === undefined || settings.loader === "none") return undefined;
  const known: BootGeneration[] = [];
  for (const { number, link, created } of generations) {
    const system = openSystem(store.location, readlinkSync(link, "latin1"));
    if (system.manifest !== undefined)
      known.push({ number, created, system, specialisations: openSpecialisations(store.location, system) });
  }
  // The profile's lock is not held yet, but the lock of switches is: the next number is this one's.
  const next = generation ?? newGeneration(generations, to.path) ?? generations.at(-1)?.number ?? 1;
  if (!known.some(({ number }) => number === next)) {
    const specialisations = openSpecialisations(store.location, to);
    known.push({ number: next, created: Math.floor(Date.now() / 1000), system: to, specialisations });
  }
  const keep = known
    .filter(
      ({ number, system, specialisations = [] }) =>
        number === current ||
        [system, ...specialisations.map((variant) => variant.system)].some(({ path }) => path === running),
    )
    .map(({ number }) => number);
  return planBoot({
    directory: `${machine.root}${settings.efiSysMountPoint}`,
    root: machine.root,
    settings,
    generations: known,
    next,
    now: current,
    keep,
  });
}

/** Returns the number that a system gets in the profile; undefined when it has one already. */
function newGeneration(generations: readonly Generation[], system: string, existing?: number): number | undefined {
  const newest = generations.at(-1);
  if (existing !== undefined || (newest !== undefined && readlinkSync(newest.link, "latin1") === system))
    return undefined;
  return (newest?.number ?? 0) + 1;
}

/** Returns the generation that a system is, or is a variant of. */
function generationOf(
  { store }: Pick<SwitchContext, "store">,
  generations: readonly Generation[],
  { system, current }: { readonly system: string; readonly current: number | undefined },
): number | undefined {
  const pathOf = ({ link }: Generation): string => readlinkSync(link, "latin1");
  const variantsOf = (generation: Generation): string[] =>
    openSpecialisations(store.location, openSystem(store.location, pathOf(generation))).map(
      (entry) => entry.system.path,
    );
  const plain = generations.filter((generation) => pathOf(generation) === system);
  const same = plain.length > 0 ? plain : generations.filter((generation) => variantsOf(generation).includes(system));
  return (same.find(({ number }) => number === current) ?? same.at(-1))?.number;
}

/** Returns the identity of the machine's start, made anew each time because `/run` is empty then. */
function startIdentity(machine: Machine): string {
  const path = `${machine.root}/run/firn/start`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, randomUUID(), { flag: "wx" });
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
  return readFileSync(path, "latin1");
}

async function withSwitchLock<Result>(
  { machine }: Pick<SwitchContext, "machine">,
  work: () => Promise<Result>,
): Promise<Result> {
  const path = `${machine.root}/run/firn/switch.lock`;
  mkdirSync(dirname(path), { recursive: true });
  const fd = openLockFile(path);
  try {
    if (!tryLock(fd, "write")) {
      throw new FirnError("busy", "another switch of this machine is going on", {
        hint: `it holds the lock '${path}'`,
      });
    }
    return await work();
  } finally {
    closeSync(fd);
  }
}
