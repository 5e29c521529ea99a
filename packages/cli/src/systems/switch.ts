/** The part that `firn os switch`, `boot`, `test`, `dry-activate` and `rollback` share once the system is built. */

import { join } from "node:path";
import { existsSync, mkdirSync, rmSync } from "@firn/store/files";
import {
  activateNixos,
  diffSystems,
  openSystem,
  planSwitch,
  requireNixos,
  rollbackProfile,
  runningSystem,
  type SwitchContext,
  type SwitchEvent,
  setProfile,
  switchSystem,
  thisMachine,
} from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { systemDiffLines, unitPlanLines } from "../render/system-diff.ts";
import { terminalText } from "../render/terminal-text.ts";
import type { Session } from "../session/session.ts";
import { elevationOf, targetHost, useSubstitutesFlag } from "./other-hosts.ts";
import { profileNameFlag, systemProfile } from "./profiles.ts";
import type { SwitchTarget } from "./switch-target.ts";

/** Flags of all commands that switch. */
export const switchFlags: readonly Flag[] = [
  {
    name: "target-host",
    labels: ["host"],
    description: "Copy the system to that machine by ssh and switch it instead of this one.",
  },
  {
    name: "elevate",
    labels: ["method"],
    description: "How root is had for switching: 'none' (default), 'sudo' or 'run0'.",
  },
  { name: "sudo", description: "As '--elevate sudo'." },
  {
    name: "ask-elevate-password",
    short: "S",
    description:
      "Ask here for the password that sudo wants, on this machine or another; sudo is taken when no way is named.",
  },
  { name: "ask-sudo-password", description: "As '--elevate sudo --ask-elevate-password'." },
  useSubstitutesFlag,
  profileNameFlag,
  {
    name: "specialisation",
    short: "c",
    labels: ["name"],
    description: "Activate the specialisation of that name; what starts next is the system itself.",
  },
  { name: "install-bootloader", description: "Install the boot loader anew." },
  { name: "diff", description: "Show what changes: packages, units, users and files of /etc." },
  {
    name: "no-health-gate",
    description: "Do not go back to the previous system when the machine is not well afterwards.",
  },
  {
    name: "confirm-within",
    labels: ["seconds"],
    description: "Go back to the previous system unless 'firn os confirm' is called within that time.",
  },
];

/** The file that `firn os confirm` makes. */
export const confirmationFile = "/run/firn/confirmed";

/** Returns the context of switching a session's machine. */
export async function switchContext(session: Session): Promise<SwitchContext> {
  return {
    machine: thisMachine(),
    store: await session.store(),
    profile: await systemProfile(session),
    events: (event) => showEvent(session, event),
  };
}

/** Switches to a system in the store in the way of its kind. Resolves to the exit status. */
export async function switchTo(session: Session, target: SwitchTarget): Promise<number> {
  const { path, action } = target;
  const remote = await targetHost(session);
  const elevation = await elevationOf(session);
  if (remote !== undefined || elevation.kind !== "none") {
    const { switchByPrograms } = await import("./switch-by-programs.ts");
    return switchByPrograms(session, remote ?? { elevation }, target);
  }
  const { flags } = session.invocation;
  const context = await switchContext(session);
  const system = openSystem(context.store.location, path);
  if (flags.has("diff") || (system.manifest !== undefined && action !== "boot")) await showDiff(session, context, path);
  if (system.manifest === undefined) return switchNixos(session, context, target);
  const specialisation = flags.value("specialisation");
  if (specialisation !== undefined && action === "boot")
    throw new UsageError("'--specialisation' can only be used with 'switch' and 'test'");
  const variant = specialisation === undefined ? {} : { specialisation };
  if (action === "dry-activate") {
    for (const line of unitPlanLines(await planSwitch(context, { system: path, ...variant }), true))
      tell(session, line);
    return 0;
  }
  const confirm = confirmSeconds(session);
  const outcome = await switchSystem(context, {
    action,
    system: path,
    ...variant,
    ...(target.back === undefined ? {} : { generation: target.back.number }),
    healthGate: !flags.has("no-health-gate"),
    installLoader: flags.has("install-bootloader"),
    ignoreInhibitors: (session.io.env.NIXOS_NO_CHECK ?? "") !== "",
    ...(confirm === undefined || action === "boot" ? {} : { confirmed: () => waitForConfirmation(session, confirm) }),
  });
  if (outcome.kind === "done") return 0;
  session.progress.clear();
  session.io.err("error: the machine was not well after the switch, so the previous system was brought back:\n");
  for (const reason of outcome.reasons) session.io.err(`       - ${reason}\n`);
  return 1;
}

async function switchNixos(
  session: Session,
  context: SwitchContext,
  { path, action, back }: SwitchTarget,
): Promise<number> {
  const { flags } = session.invocation;
  const { io } = session;
  const permanent = action === "switch" || action === "boot";
  if (flags.has("confirm-within")) throw new UsageError("'--confirm-within' is for systems of Firn");
  if (permanent && back !== undefined) await rollbackProfile(context.profile, { to: back.number });
  else if (permanent) {
    await requireNixos(context.machine, path, io.env);
    await setProfile(context.store, context.profile, path);
  }
  const specialisation = flags.value("specialisation");
  session.progress.clear();
  const status = await activateNixos({
    machine: context.machine,
    // As nixos-rebuild has it, a rollback starts the program through the link that it has just switched.
    path: back?.via ?? back?.link ?? path,
    action,
    installBootLoader: flags.has("install-bootloader"),
    environment: io.env,
    onLine: (line) => io.err(`${terminalText(line, io.terminal)}\n`),
    ...(specialisation === undefined ? {} : { specialisation }),
  });
  if (status !== 0) io.err(`error: the system's 'switch-to-configuration ${action}' ended with status ${status}\n`);
  return status;
}

async function showDiff(session: Session, context: SwitchContext, path: string): Promise<void> {
  const before = runningSystem(context);
  if (before === undefined || !(await context.store.isValidPath(before.path))) {
    if (session.invocation.flags.has("diff")) session.progress.warn("no system is running that could be compared");
    return;
  }
  if (before.path === path) return;
  for (const line of systemDiffLines(
    await diffSystems(context.store, before, openSystem(context.store.location, path)),
  ))
    tell(session, line);
}

function confirmSeconds(session: Session): number | undefined {
  const text = session.invocation.flags.value("confirm-within");
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new UsageError(`'${text}' is not a number of seconds`);
  return Number(text);
}

/** Milliseconds between two checks for the confirmation. */
const confirmInterval = 200;

async function waitForConfirmation(session: Session, seconds: number): Promise<boolean> {
  mkdirSync(join(confirmationFile, ".."), { recursive: true });
  rmSync(confirmationFile, { force: true });
  tell(session, `waiting ${seconds} s for 'firn os confirm'; without it the previous system comes back`);
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (existsSync(confirmationFile)) {
      rmSync(confirmationFile, { force: true });
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, confirmInterval));
  }
  return false;
}

function showEvent(session: Session, event: SwitchEvent): void {
  switch (event.kind) {
    case "units":
      for (const line of unitPlanLines(event.plan, false)) tell(session, line);
      break;
    case "boot":
      if (event.plan.dropped.length > 0) {
        tell(
          session,
          `leaving out of the boot menu: generation ${[...event.plan.dropped].sort((a, b) => a - b).join(", ")}`,
        );
      }
      break;
    case "step":
      session.progress.event({ kind: "message", level: "info", text: `switch: ${event.step}` });
      break;
    case "line":
      tell(session, event.text);
      break;
    case "warning":
      session.progress.warn(event.text);
      break;
    case "undoing":
      session.progress.warn(`going back to the previous system: ${event.reasons.join("; ")}`);
      break;
  }
}

function tell(session: Session, text: string): void {
  session.progress.clear();
  session.io.err(`${terminalText(text, session.io.terminal)}\n`);
}
