/** `nix-channel`: channels are Nix expressions that are installed in a profile of their own (manual: "nix-channel"). */
import { basename, dirname, join, resolve } from "node:path";
import { fetchFile } from "@firn/fetch";
import { Package, type ValueRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { channelsFile, defaultExpressions, disk, findLogicalFile, profilesDirectory } from "@firn/store";
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "@firn/store/files";
import { pathOfFileUrl } from "@firn/store/surroundings";
import { changeUserEnvironment } from "@firn/system";
import type { Command } from "../grammar/command.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";
import { profilePlaces } from "../session/profile-session.ts";
import { type Session, withSession } from "../session/session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";
import { changeOperations } from "./nix-env-change.ts";
import { generationOperations } from "./nix-env-generations.ts";
import type { EnvironmentSession } from "./nix-env-session.ts";

/** `nix-channel`: lists, fetches and removes channels. */
export const command: Command = {
  style: "old",
  positionals: [{ label: "arguments", optional: true, repeats: true }],
  flags: [
    { name: "add", description: "Add a channel by its URL, with a name or that of the URL." },
    { name: "remove", description: "Remove a channel." },
    { name: "list", description: "List the channels." },
    { name: "update", description: "Fetch channels and make them available: those that are named, or all." },
    { name: "list-generations", description: "List the generations of the channels." },
    { name: "rollback", description: "Go back to the channels before the last update, or to a generation." },
  ],
  async run(invocation, io) {
    const { flags, positionals } = invocation;
    const action = flags.last("add", "remove", "list", "update", "list-generations", "rollback");
    switch (action) {
      case undefined:
        throw new UsageError("no command specified");
      case "add": {
        const [url, name] = positionals;
        if (url === undefined || positionals.length > 2) throw new UsageError("'--add' requires one or two arguments");
        const chosen =
          name ??
          basename(url)
            .replace(/-unstable$/, "")
            .replace(/-stable$/, "");
        return withSession(invocation, io, (session) => addChannel(session, url, chosen));
      }
      case "list":
        if (positionals.length > 0) throw new UsageError("'--list' expects no arguments");
        return withSession(invocation, io, listChannels);
      case "remove":
        if (positionals.length !== 1) throw new UsageError("'--remove' requires one argument");
        return withEvaluation(invocation, io, {
          needs: { impure: true },
          body: async (session) => removeChannel({ ...session, ...(await channelProfile(session)) }),
        });
      case "update":
        // As the installation by the reference, which runs quietly.
        for (let i = 0; i < 2; i++) flags.add("quiet", []);
        return withEvaluation(invocation, io, {
          needs: { impure: true },
          body: async (session) => updateChannels({ ...session, ...(await channelProfile(session)) }),
        });
      case "list-generations":
        if (positionals.length > 0) throw new UsageError("'--list-generations' expects no arguments");
        return withSession(invocation, io, async (session) =>
          generationOperations["list-generations"](session, (await channelProfile(session)).profile),
        );
      case "rollback": {
        if (positionals.length > 1) throw new UsageError("'--rollback' has at most one argument");
        const operation = generationOperations[positionals.length === 1 ? "switch-generation" : "rollback"];
        return withSession(invocation, io, async (session) =>
          operation(session, (await channelProfile(session)).profile),
        );
      }
    }
  },
};

async function channelProfile(session: Session): Promise<Pick<EnvironmentSession, "places" | "profile">> {
  const places = await profilePlaces(session);
  const directory = profilesDirectory(places);
  disk.mkdirs(directory);
  return { places, profile: join(directory, "channels") };
}

async function readChannels(session: Session): Promise<Map<string, string>> {
  const file = channelsFile(await profilePlaces(session));
  const channels = new Map<string, string>();
  if (!existsSync(file)) return channels;
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const words = line
      .trimEnd()
      .split(" ")
      .filter((word) => word !== "");
    const url = words[0]?.replace(/\/*$/, "");
    if (url === undefined || /^\s*#/.test(line)) continue;
    channels.set(words[1] ?? basename(url), url);
  }
  return new Map([...channels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function writeChannels(session: Session, channels: ReadonlyMap<string, string>): Promise<void> {
  const file = channelsFile(await profilePlaces(session));
  disk.mkdirs(dirname(file));
  const sorted = [...channels].sort(([a], [b]) => (a < b ? -1 : 1));
  const place =
    lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true
      ? resolve(dirname(file), readlinkSync(file))
      : file;
  disk.replaceFile(place, sorted.map(([name, url]) => `${url} ${name}\n`).join(""));
}

async function addChannel(session: Session, url: string, name: string): Promise<number> {
  if (!/^(file|http|https):\/\//.test(url)) throw new FirnError("bad-url", `invalid channel URL '${url}'`);
  if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/.test(name))
    throw new FirnError("bad-file-name", `invalid channel identifier '${name}'`);
  const channels = await readChannels(session);
  await writeChannels(session, channels.set(name, url));
  return 0;
}

async function listChannels(session: Session): Promise<number> {
  for (const [name, url] of await readChannels(session)) printLine(session.io, `${name} ${url}`);
  return 0;
}

async function removeChannel(session: EnvironmentSession): Promise<number> {
  const channels = await readChannels(session);
  channels.delete(session.invocation.positionals[0] ?? "");
  await writeChannels(session, channels);
  return changeOperations.uninstall(session);
}

async function updateChannels(session: EnvironmentSession): Promise<number> {
  const { invocation, profile, places } = session;
  const names = new Set(invocation.positionals);
  const channels = await readChannels(session);
  const { evaluator } = await session.evaluation();
  const make = (file: "present-channel.nix" | "unpack-channel.nix"): Promise<ValueRef> => {
    const text = readFileSync(new URL(`./${file}`, import.meta.url), "latin1");
    return evaluator.evaluate({ kind: "string", text, directory: "/" });
  };
  const packages: Package[] = [];
  const add = async (value: ValueRef): Promise<void> => {
    packages.push(...(await Package.find(value, { autoArgs: {}, skipFailed: false })));
  };
  for (const [channelName, url] of channels) {
    const name = channelName + (/(-[0-9].*)$/.exec(basename(url))?.[1] ?? "");
    if (names.size > 0 && !names.has(channelName)) {
      const path = installedChannel(session, channelName);
      await add(await (await make("present-channel.nix")).call({ attrs: { name, path } }));
      continue;
    }
    const src = await fetchChannel(session, url);
    await add(await (await make("unpack-channel.nix")).call({ attrs: { name, channelName, src } }));
  }
  session.io.err(`unpacking ${packages.length} channels...\n`);
  await changeUserEnvironment(
    { evaluator, builder: session.builder, store: await session.store() },
    { profile, keepDerivations: session.settings.get("keep-env-derivations"), restart: () => undefined },
    async () => packages,
  );
  showChannels(defaultExpressions(places), profile);
  return 0;
}

/** Returns the store path of an installed channel. Error `no-results` when there is none of that name. */
function installedChannel({ places, profile }: EnvironmentSession, name: string): string {
  const { location } = places;
  const found = findLogicalFile(location, join(profile, name));
  const path = found?.path.slice(location.storeDir.length + 1).split("/")[0];
  if (found === undefined || path === undefined)
    throw new FirnError("no-results", `channel '${name}' is not installed; update all channels`);
  return `${location.storeDir}/${path}`;
}

/** Fetches the archive of a channel: the URL itself, or the expressions below it. Returns its store path. */
async function fetchChannel(session: EnvironmentSession, url: string): Promise<string> {
  const { fetch } = await session.evaluation();
  const page = isDirectory(url) ? { url, storePath: "" } : await fetchFile(fetch, { url, name: basename(url) });
  if (/\.tar\.(gz|bz2|xz)$/.test(page.storePath)) return page.storePath;
  const archive = (name: string) => fetchFile(fetch, { url: `${page.url}/${name}`, name });
  try {
    return (await archive("nixexprs.tar.xz")).storePath;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    return (await archive("nixexprs.tar.bz2")).storePath;
  }
}

function isDirectory(url: string): boolean {
  return url.startsWith("file:") && statSync(pathOfFileUrl(url), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Makes the channels part of the default expressions. */
function showChannels(directory: string, profile: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() === true) disk.unlink(directory);
  disk.mkdirs(directory);
  disk.replaceSymlink(profile, join(directory, "channels"));
}
