import { resolve } from "node:path";
import { lockDebian, parseDebianLock, type SuiteSpec } from "@firn/fetch";
import { existsSync, readFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withSession } from "../session/session.ts";
import { accessTo, expiredFlag, parseSuite, writeLock } from "../systems/debian-lock.ts";

const defaultSuite: SuiteSpec = { archive: "debian", suite: "bookworm", components: ["main"] };

/** `firn deb lock`: resolves Debian packages and writes debian.lock.json. */
export const command: Command = {
  positionals: [{ label: "packages", optional: true, repeats: true }],
  flags: [
    { name: "output", short: "o", labels: ["file"], description: "The lock file to write; default debian.lock.json." },
    {
      name: "suite",
      labels: ["suite"],
      description:
        "A suite, as SUITE or ARCHIVE:SUITE; may be repeated. Default: those of the lock file, else bookworm.",
    },
    { name: "source", labels: ["package"], description: "Also lock the source files of a package; may be repeated." },
    expiredFlag,
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async (session) => {
      const { flags } = invocation;
      const file = resolve(io.cwd, flags.value("output") ?? "debian.lock.json");
      const old = existsSync(file) ? parseDebianLock(readFileSync(file, "latin1")) : undefined;
      const packages = invocation.positionals.length > 0 ? invocation.positionals : (old?.roots ?? []);
      if (packages.length === 0) throw new UsageError("name the packages to lock");
      const named = flags.all("suite").map(([text]) => parseSuite(text ?? ""));
      const lock = await lockDebian(accessTo(session, old?.archives), {
        suites: named.length > 0 ? named : (old?.suites ?? [defaultSuite]),
        packages,
        ...(old?.archives === undefined ? {} : { archives: old.archives }),
        sources: [...flags.all("source").map(([name]) => name ?? ""), ...Object.keys(old?.sources ?? {})],
      });
      session.progress.clear();
      writeLock(io, file, { before: undefined, after: lock });
      return 0;
    }),
};
