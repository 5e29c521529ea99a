/** The machines of `--build-host` and `--target-host`, and how root is had there and here. */
import type { Target } from "@firn/flake";
import { derivedPath } from "@firn/flake";
import { checkSshHost, copyClosure, SshStore, sshOptions } from "@firn/store";
import type { Elevation, SshMachineOptions } from "@firn/system";
import type { Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { askPassword } from "../session/ask-password.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import type { Session } from "../session/session.ts";
import { plannedTargets } from "../targets/build-targets.ts";

/** The flag `--use-substitutes`. */
export const useSubstitutesFlag: Flag = {
  name: "use-substitutes",
  short: "s",
  description: "Let other machines fetch from their own caches what they can.",
};

/** The flag `--build-host`. */
export const buildHostFlag: Flag = {
  name: "build-host",
  labels: ["host"],
  description: "Evaluate here, build on that machine by ssh, and copy the result back.",
};

const asked = new WeakMap<Invocation, Promise<Elevation>>();

/** Returns how root is had for commands that need it; a password is asked for once. */
export function elevationOf(session: Pick<Session, "invocation" | "io">): Promise<Elevation> {
  const known = asked.get(session.invocation) ?? chooseElevation(session);
  asked.set(session.invocation, known);
  return known;
}

async function chooseElevation({ invocation, io }: Pick<Session, "invocation" | "io">): Promise<Elevation> {
  const { flags } = invocation;
  const asks = flags.has("ask-elevate-password") || flags.has("ask-sudo-password");
  const method = flags.value("elevate") ?? (flags.has("sudo") || asks ? "sudo" : "none");
  switch (method) {
    case "none":
    case "run0":
      if (asks) throw new UsageError(`a password can be asked for with '--elevate sudo' only, not with '${method}'`);
      return { kind: method };
    case "sudo": {
      const words = (io.env.NIX_SUDOOPTS ?? "").split(/\s+/).filter((word) => word !== "");
      if (!asks) return { kind: "sudo", words };
      const host = hostOf(invocation, "target-host") ?? "localhost";
      return { kind: "sudo", words, password: await askPassword(io, `[sudo] password for ${host}: `) };
    }
    default:
      throw new UsageError(`'${method}' is not a way to become root; use 'none', 'sudo' or 'run0'`);
  }
}

/** Returns the machine of `--target-host`. */
export async function targetHost(session: Pick<Session, "invocation" | "io">): Promise<SshMachineOptions | undefined> {
  const host = hostOf(session.invocation, "target-host");
  if (host === undefined) return undefined;
  return { host, sshOptions: sshOptions(session.io.env), elevation: await elevationOf(session) };
}

function hostOf({ flags }: Invocation, flag: "build-host" | "target-host"): string | undefined {
  const host = flags.value(flag)?.replace(/^ssh:\/\//, "");
  if (host === undefined || host === "") return undefined;
  checkSshHost(host);
  return host;
}

/** Opens the store of another machine. */
export function storeOfHost(session: Session, host: string): SshStore {
  return new SshStore({
    host,
    sshOptions: sshOptions(session.io.env),
    environment: session.io.env,
    events: (event) => session.progress.event(event),
  });
}

/** Builds a target on the machine of `--build-host`, if there is one, and copies its outputs into this machine's store. */
export async function buildOnHost(session: EvaluationSession, target: Target): Promise<void> {
  const host = hostOf(session.invocation, "build-host");
  if (host === undefined || target.kind !== "outputs") return;
  const remote = storeOfHost(session, host);
  const events = session.progress.event.bind(session.progress);
  try {
    const substitute = session.invocation.flags.has("use-substitutes");
    await copyClosure([target.drvPath], { from: await session.evalStore(), to: remote, substitute, events });
    for (const { error } of await remote.buildPaths([derivedPath(target)])) if (error !== undefined) throw error;
    const outputs = (await plannedTargets(session, [target])).flatMap((planned) => [...planned.outputs.values()]);
    await copyClosure(outputs, { from: remote, to: await session.store(), checkSignatures: false, events });
  } finally {
    await remote.close();
  }
}
