/**
 * The health of a machine after a switch, compared with before: no unit has newly failed, watched units are active, the
 * network is reachable.
 */

import { networkInterfaces } from "node:os";
import { readFileSync } from "@firn/store/files";
import type { HealthSettings } from "../generation/manifest.ts";
import type { Machine } from "../machine/machine.ts";
import type { RunningUnit, Systemd } from "./systemd.ts";

/** The health of a machine before the switch. */
export interface HealthBefore {
  /** Units that had failed, or that systemd started again and again. */
  readonly failed: ReadonlySet<string>;
  readonly addressed: boolean;
  readonly routed: boolean;
}

/** Returns the health of a machine with these units, before it is switched. */
export function healthBefore(units: readonly RunningUnit[], machine: Machine): HealthBefore {
  const ill = units.filter(({ active, sub }) => active === "failed" || sub === "auto-restart");
  return { failed: new Set(ill.map(({ name }) => name)), addressed: hasAddress(), routed: hasRoute(machine) };
}

/** Milliseconds between two checks. */
const interval = 250;

/** Waits until the machine is healthy, at most as long as the settings say. Returns the checks that still fail, in words. */
export async function findFailedChecks(options: {
  readonly systemd: Systemd;
  readonly machine: Machine;
  readonly before: HealthBefore;
  readonly settings: HealthSettings;
  /** Units that the switch started, restarted or reloaded. */
  readonly touched: readonly string[];
}): Promise<string[]> {
  const { systemd, machine, before, settings, touched } = options;
  const isComing = ({ name, active, sub }: RunningUnit): boolean =>
    active === "activating" && (touched.includes(name) || (sub === "auto-restart" && !before.failed.has(name)));
  const deadline = Date.now() + settings.timeout * 1000;
  for (;;) {
    const units = new Map((await systemd.units()).map((unit) => [unit.name, unit]));
    const failures: string[] = [];
    let waiting = false;
    for (const unit of units.values()) {
      if (unit.active === "failed" && (!before.failed.has(unit.name) || touched.includes(unit.name))) {
        failures.push(`unit '${unit.name}' has failed`);
      }
      // A service that systemd starts again and again is never failed for long.
      if (isComing(unit)) waiting = true;
    }
    const failedNow = failures.length > 0;
    for (const name of settings.units) {
      if (units.get(name)?.active !== "active")
        failures.push(`unit '${name}' is ${units.get(name)?.active ?? "not loaded"}`);
    }
    if (settings.network) {
      if (before.addressed && !hasAddress()) failures.push("the network has no address any more");
      if (before.routed && !hasRoute(machine)) failures.push("the network has no default route any more");
    }
    if (failedNow || (failures.length === 0 && !waiting)) return failures;
    if (Date.now() >= deadline) {
      for (const unit of units.values()) {
        if (isComing(unit)) failures.push(`unit '${unit.name}' is not up after ${settings.timeout} s`);
      }
      return failures;
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

function hasAddress(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal, address }) => !internal && !address.startsWith("fe80:")),
  );
}

/** Tells whether there is a default route over IPv4 (destination and mask 0) or IPv6 (prefix length 0 on a real interface). */
function hasRoute(machine: Machine): boolean {
  const lines = (path: string): string[][] => {
    try {
      return readFileSync(`${machine.root}${path}`, "latin1")
        .split("\n")
        .map((line) => line.trim().split(/\s+/));
    } catch {
      // A kernel without that protocol has no such file.
      return [];
    }
  };
  return (
    lines("/proc/net/route").some((fields) => fields[1] === "00000000" && fields[7] === "00000000") ||
    lines("/proc/net/ipv6_route").some((fields) => fields[1] === "00" && fields[9] !== "lo")
  );
}
