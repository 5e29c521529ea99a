import { resolve } from "node:path";
import { lockDebian, parseDebianLock, printDebianLock, type SuiteSpec } from "@firn/fetch";
import { archiveAccess } from "@firn/flake";
import { existsSync, readFileSync, writeFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { withSession } from "../session/session.ts";

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
    { name: "allow-expired", description: "Accept a release file whose Valid-Until has passed." },
  ],
  run: (invocation, io) =>
    withSession(invocation, io, async ({ settings, progress }) => {
      const { flags } = invocation;
      const file = resolve(io.cwd, flags.value("output") ?? "debian.lock.json");
      const old = existsSync(file) ? parseDebianLock(readFileSync(file, "latin1")) : undefined;
      const packages = invocation.positionals.length > 0 ? invocation.positionals : (old?.roots ?? []);
      if (packages.length === 0) throw new UsageError("name the packages to lock");
      const named = flags.all("suite").map(([text]) => parseSuite(text ?? ""));
      const access = archiveAccess({
        settings,
        environment: io.env,
        events: (event) => progress.event(event),
        offline: flags.has("offline"),
        allowExpired: flags.has("allow-expired"),
      });
      const lock = await lockDebian(access, {
        suites: named.length > 0 ? named : (old?.suites ?? [defaultSuite]),
        packages,
        sources: [...flags.all("source").map(([name]) => name ?? ""), ...Object.keys(old?.sources ?? {})],
      });
      progress.clear();
      const text = printDebianLock(lock);
      const before = old === undefined ? undefined : printDebianLock(old);
      if (text !== before) writeFileSync(file, text);
      const sizes = Object.values(lock.packages).map((entry) => entry.size);
      const total = (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1);
      io.err(`${text === before ? "unchanged" : "wrote"} '${file}': ${sizes.length} packages, ${total} MB\n`);
      return 0;
    }),
};

function parseSuite(text: string): SuiteSpec {
  const match = /^(?:(debian|debian-security):)?([a-z][a-z0-9/-]*)$/.exec(text);
  if (match?.[2] === undefined) throw new UsageError(`'${text}' is not a Debian suite`);
  const suite = match[2];
  return {
    archive: match[1] ?? (suite.endsWith("-security") ? "debian-security" : "debian"),
    suite,
    components: ["main"],
  };
}
