import { addToLock, lockDebian } from "@firn/fetch";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withSession } from "../session/session.ts";
import {
  accessTo,
  currentLock,
  expiredFlag,
  lockFileFlag,
  lockFileOf,
  originFlags,
  withOrigins,
  writeLock,
} from "../systems/debian-lock.ts";

/** `firn deb add`: adds packages to the lock beside the configuration; the others keep their versions. */
export const command: Command = {
  positionals: [{ label: "packages", optional: true, repeats: true }],
  flags: [lockFileFlag, ...originFlags, expiredFlag],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const file = lockFileOf(invocation, io);
      const before = currentLock(file);
      const names = invocation.positionals;
      if (names.length === 0 && !originFlags.some(({ name }) => invocation.flags.has(name))) {
        throw new UsageError("name the packages to add");
      }
      const wanted = await withOrigins(invocation, io, before);
      const after = await addToLock(accessTo(session, wanted.archives), wanted, names);
      session.progress.clear();
      writeLock(io, file, { before, after });
      return 0;
    }),
};

/** `firn deb update`: renews the lock beside the configuration and shows what changes. */
export const update: Command = {
  positionals: [],
  flags: [
    lockFileFlag,
    ...originFlags,
    expiredFlag,
    { name: "dry-run", description: "Show what would change and write nothing." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const file = lockFileOf(invocation, io);
      const before = currentLock(file);
      const wanted = await withOrigins(invocation, io, before);
      const after = await lockDebian(accessTo(session, wanted.archives), {
        suites: wanted.suites,
        packages: before.roots,
        sources: Object.keys(before.sources),
        preferred: new Set(Object.keys(before.packages)),
        ...(wanted.archives === undefined ? {} : { archives: wanted.archives }),
      });
      session.progress.clear();
      writeLock(io, invocation.flags.has("dry-run") ? undefined : file, { before, after });
      return 0;
    }),
};
