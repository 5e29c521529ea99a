/** Values of system configurations: of a flake, of a file, of the search path, or of a module with the modules of NixOS or Firn. */
import { hostname } from "node:os";
import {
  debianSetDirectory,
  type Evaluation,
  type FlakeRef,
  type Found,
  type Installables,
  parseInstallable,
} from "@firn/flake";
import { byteStringOf, FirnError } from "@firn/formats";
import { moduleConfiguration } from "./module-configuration.ts";

/** A system configuration by its place. */
export type OsConfiguration =
  | { readonly kind: "flake"; readonly reference: string; readonly name: string | undefined }
  /** A file whose value, along `attribute`, is a configuration. */
  | { readonly kind: "file"; readonly path: string; readonly attribute: string | undefined }
  /** An entry of the search path whose value is a configuration. */
  | { readonly kind: "search-path"; readonly name: string; readonly attribute: string | undefined }
  /** A module, to be evaluated with NixOS's modules or those that come with Firn. */
  | { readonly kind: "module"; readonly path: string };

/** The surroundings of evaluating a configuration. */
export interface ConfigurationContext {
  readonly storeDir: string;
  /** The directory at which relative references start. */
  readonly baseDirectory: string;
  readonly installables: Installables;
  evaluation(): Promise<Evaluation>;
  warn(text: string): void;
}

/**
 * Returns the value at an attribute path of a configuration, e.g. `config.system.build.toplevel`; with an empty path the configuration.
 * Errors `no-configuration`, `usage`,
 * those of evaluations.
 */
export async function findSystemValue(
  configuration: OsConfiguration,
  attrPath: string,
  context: ConfigurationContext,
): Promise<Found> {
  if (configuration.kind === "flake") return findInFlake(configuration, attrPath, context);
  const evaluation = await context.evaluation();
  const autoArgs = await context.installables.autoArguments();
  switch (configuration.kind) {
    case "file": {
      const root = await evaluation.root({ kind: "file", path: configuration.path });
      return evaluation.findInValue(root, joined(configuration.attribute, attrPath), { autoArgs });
    }
    case "search-path": {
      const root = await evaluation.root({ kind: "expression", text: `import <${configuration.name}>` });
      return evaluation.findInValue(root, joined(configuration.attribute, attrPath), { autoArgs });
    }
    case "module": {
      const root = await moduleConfiguration(evaluation.evaluator, configuration.path, debianSetDirectory());
      return evaluation.findInValue(root, attrPath, { autoArgs: {} });
    }
  }
}

async function findInFlake(
  configuration: OsConfiguration & { readonly kind: "flake" },
  attrPath: string,
  context: ConfigurationContext,
): Promise<Found> {
  const { reference } = configuration;
  const parse = (name: string, rest: string) => {
    const word = `${reference}#${joined(`nixosConfigurations."${name}"`, rest)}`;
    const installable = parseInstallable(word, { ...context, attributes: false });
    if (installable.kind !== "flake") throw new FirnError("usage", `'${reference}' is not a flake reference`);
    return installable;
  };
  const name = configuration.name ?? (await defaultName(context, parse("default", "config").ref));
  return context.installables.find(parse(name, attrPath), { defaults: [], prefixes: [] });
}

/** Returns the host's name; when the flake has no such configuration, `default` or the only one. */
async function defaultName(context: ConfigurationContext, ref: FlakeRef): Promise<string> {
  const evaluation = await context.evaluation();
  const { value } = await evaluation.flake(ref);
  const outputs = (await value.attribute("outputs")) ?? value;
  const configurations = await outputs.attribute("nixosConfigurations");
  const names = configurations === undefined ? [] : ((await configurations.attributeNames()) ?? []);
  const host = byteStringOf(hostname());
  for (const wanted of [host, "default"]) if (names.includes(wanted)) return wanted;
  if (names.length === 1) return names[0] ?? host;
  if (names.length === 0) return host;
  throw new FirnError("no-configuration", `the flake has no configuration for this host, '${host}'`, {
    hint: `name one of its configurations after '#': ${names.join(", ")}`,
  });
}

function joined(prefix: string | undefined, attrPath: string): string {
  if (attrPath === "") return prefix ?? "";
  return prefix === undefined || prefix === "" ? attrPath : `${prefix}.${attrPath}`;
}
