import { resolve } from "node:path";
import { readRegistryFile, sameInput, writeRegistryFile } from "@firn/fetch";
import { flakeRefToAttributes, parseFlakeRef, userRegistryPath } from "@firn/flake";
import { FirnError, type RegistryEntry } from "@firn/formats";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";

const flags: readonly Flag[] = [
  { name: "registry", labels: ["registry"], description: "The registry to operate on; default is the user's." },
];

function registryFile(invocation: Invocation, io: Io): string {
  const named = invocation.flags.value("registry");
  return named === undefined ? userRegistryPath(io.env) : resolve(io.cwd, named);
}

function without(entries: readonly RegistryEntry[], from: RegistryEntry["from"]): RegistryEntry[] {
  return entries.filter((entry) => !sameInput(entry.from, from));
}

/** `firn registry add`: adds a name for a flake. */
export const command: Command = {
  positionals: [{ label: "from-url" }, { label: "to-url" }],
  flags,
  async run(invocation, io) {
    const [from, to] = invocation.positionals.map((text) => flakeRefToAttributes(parseFlakeRef(text)));
    if (from === undefined || to === undefined) throw new FirnError("usage", "two flake references are needed");
    const file = registryFile(invocation, io);
    const { entries } = readRegistryFile("user", file);
    writeRegistryFile(file, [...without(entries, from), { from, to, exact: false }]);
    return 0;
  },
};

/** `firn registry remove`: removes the entry of a name. */
export const remove: Command = {
  positionals: [{ label: "url" }],
  flags,
  async run(invocation, io) {
    const from = flakeRefToAttributes(parseFlakeRef(invocation.positionals[0] ?? ""));
    const file = registryFile(invocation, io);
    writeRegistryFile(file, without(readRegistryFile("user", file).entries, from));
    return 0;
  },
};
