/**
 * The effect of a switch between two systems on running units. The rules are those of NixOS's switch-to-configuration (NixOS
 * manual: "What happens during a system switch?").
 */
import type { System } from "../generation/system.ts";
import type { RunningUnit } from "./systemd.ts";
import { booleanSetting, compareUnits, readUnit, setting, type Unit, unitType } from "./units.ts";

/** Units by action; a unit that is stopped and started again is in both lists. */
export interface UnitPlan {
  /** Units stopped before the new system is activated. */
  readonly stop: readonly string[];
  readonly reload: readonly string[];
  readonly restart: readonly string[];
  readonly start: readonly string[];
  /** Changed units that are left running because their settings or systemd require it. */
  readonly skip: readonly string[];
  /** True when the program of systemd itself differs. */
  readonly reexec: boolean;
}

/** Targets that no switch may start or stop: those for sleep and for shutdown. */
const untouchedTargets: ReadonlySet<string> = new Set([
  "suspend.target",
  "hibernate.target",
  "hybrid-sleep.target",
  "suspend-then-hibernate.target",
]);
/** Targets whose changes are applied by reloading systemd; stopping them would stop everything. */
const essentialTargets: ReadonlySet<string> = new Set([
  "sysinit.target",
  "basic.target",
  "multi-user.target",
  "graphical.target",
]);

/** Plans the changes of units from `before` to `after` for the running units. Pure. */
export function planUnits(before: System, after: System, running: readonly RunningUnit[]): UnitPlan {
  const stop = new Set<string>();
  const start = new Set<string>();
  const restart = new Set<string>();
  const reload = new Set<string>();
  const skip = new Set<string>();
  const active = new Set(
    running.filter((unit) => unit.active === "active" || unit.active === "activating").map((unit) => unit.name),
  );

  for (const name of [...active].sort()) {
    const type = unitType(name);
    if (type === undefined || type === "device" || type === "scope") continue;
    const old = readUnit(before.tree, name);
    const now = readUnit(after.tree, name);
    // What neither system declares was made at run time and is not ours to touch.
    if (old === undefined && now === undefined) continue;
    if (now === undefined || now.kind === "masked") {
      if (old?.kind === "settings" && booleanSetting(old, "X-StopOnRemoval", true)) stop.add(name);
      continue;
    }
    if (type === "target") {
      if (untouchedTargets.has(name)) continue;
      // Starting an active target starts what it newly wants.
      if (!manualOnly(now)) start.add(name);
      if (booleanSetting(now, "X-StopOnReconfiguration", false)) stop.add(name);
      continue;
    }
    if (old?.kind !== "settings") continue;
    switch (compareUnits(old.settings, now.settings)) {
      case "none":
        break;
      case "reload":
        reload.add(name);
        break;
      case "restart":
        changeUnit({ name, type, now });
        break;
    }
  }

  function changeUnit({ name, type, now }: { name: string; type: string; now: Unit }): void {
    if (essentialTargets.has(name) || type === "slice" || type === "path") return;
    if (type === "mount") {
      if (name !== "-.mount" && name !== "nix.mount" && name !== "nix-store.mount") restart.add(name);
      else reload.add(name);
      return;
    }
    if (type === "socket") {
      // Its service gets the new socket when it is next started.
      stop.add(name);
      start.add(name);
      return;
    }
    if (booleanSetting(now, "X-ReloadIfChanged", false)) {
      reload.add(name);
      return;
    }
    if (
      !booleanSetting(now, "X-RestartIfChanged", true) ||
      booleanSetting(now, "RefuseManualStop", false) ||
      manualOnly(now)
    ) {
      skip.add(name);
      return;
    }
    if (!booleanSetting(now, "X-StopIfChanged", true)) {
      restart.add(name);
      return;
    }
    stop.add(name);
    const sockets = socketsOf(name, now).filter(
      (socket) => readUnit(after.tree, socket)?.kind === "settings" && active.has(socket),
    );
    if (sockets.length === 0) {
      start.add(name);
      return;
    }
    // Started by its sockets, which must not pass a connection to a service that is gone.
    for (const socket of sockets) {
      stop.add(socket);
      start.add(socket);
    }
  }

  const sorted = (names: ReadonlySet<string>): string[] => [...names].sort();
  return {
    stop: sorted(stop),
    reload: sorted(reload).filter((name) => !restart.has(name) && !stop.has(name)),
    restart: sorted(restart),
    start: sorted(start),
    skip: sorted(skip),
    reexec: before.tree.target("usr/lib/systemd/systemd") !== after.tree.target("usr/lib/systemd/systemd"),
  };
}

function manualOnly(unit: Unit): boolean {
  return booleanSetting(unit, "RefuseManualStart", false) || booleanSetting(unit, "X-OnlyManualStart", false);
}

/** Returns the sockets that start a service: those it names, else the one of its own name. */
function socketsOf(name: string, unit: Unit): string[] {
  if (booleanSetting(unit, "X-NotSocketActivated", false)) return [];
  const named =
    setting(unit, "Service", "Sockets")
      ?.split(/\s+/)
      .filter((socket) => socket !== "") ?? [];
  return named.length > 0 ? named : [name.replace(/\.service$/, ".socket")];
}
