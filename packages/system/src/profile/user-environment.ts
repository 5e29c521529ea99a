/** User environments: the profiles of `nix-env`, with their packages in `manifest.nix` and built by `builtin:buildenv`. */
import type { Argument, Builder, Evaluator } from "@firn/flake";
import { Package } from "@firn/flake";
import { type DerivedPath, FirnError } from "@firn/formats";
import {
  findLogicalFile,
  type PathFacts,
  type PathWriter,
  type RootWriter,
  type SourceWriter,
  type StoreFiles,
} from "@firn/store";
import { readFileSync } from "@firn/store/files";
import { linkTarget, switchLocked, withProfileLock } from "./generations.ts";

/** The evaluator, builder and store of user environments. */
export interface UserEnvironmentContext {
  readonly evaluator: Evaluator;
  readonly builder: Builder;
  readonly store: PathFacts & PathWriter & SourceWriter & StoreFiles & RootWriter;
}

/** Returns the packages of a profile; none when it does not exist. Error `bad-profile` for a profile of `nix profile`. */
export async function installedPackages(
  context: Pick<UserEnvironmentContext, "evaluator" | "store">,
  profile: string,
): Promise<Package[]> {
  const { location } = context.store;
  if (findLogicalFile(location, `${profile}/manifest.json`) !== undefined) {
    throw new FirnError(
      "bad-profile",
      `profile "${profile}" is incompatible with 'nix-env'; please use 'nix profile' instead`,
    );
  }
  const manifest = findLogicalFile(location, `${profile}/manifest.nix`);
  if (manifest === undefined) return [];
  // A pure evaluation may read it too: it holds no more than what is installed.
  await context.evaluator.allowPath(manifest.path);
  const value = await context.evaluator.evaluate({ kind: "file", path: manifest.path });
  return Package.find(value, { autoArgs: {}, skipFailed: false });
}

/**
 * Builds packages and a user environment of them; returns its store path. With `keepDerivations` the derivations are kept with it.
 * Fails as their builds do, and when packages are in each other's way.
 */
export async function buildUserEnvironment(
  context: UserEnvironmentContext,
  packages: readonly Package[],
  options: { readonly keepDerivations: boolean },
): Promise<string> {
  const { evaluator, builder, store } = context;
  const wanted: DerivedPath[] = [];
  for (const item of packages) {
    const drvPath = await item.drvPath();
    if (drvPath !== undefined) wanted.push({ kind: "built", drvPath, outputs: "*" });
  }
  await builder.build(wanted);
  const references = new Set<string>();
  const elements: Argument[] = [];
  for (const item of packages) {
    const drvPath = options.keepDerivations ? await item.drvPath() : undefined;
    const outputs = await item.installedOutputs();
    const system = await item.system();
    const attrs: Record<string, Argument> = {
      type: "derivation",
      name: item.name,
      ...(system === "" ? {} : { system }),
      outPath: await item.outPath(),
      ...(drvPath === undefined ? {} : { drvPath }),
    };
    for (const { name, path } of outputs) {
      attrs[name] = { attrs: { outPath: path } };
      await store.addTempRoot(path);
      if (!(await store.isValidPath(path))) await builder.build([{ kind: "opaque", path }]);
      references.add(path);
    }
    attrs.outputs = { list: outputs.map(({ name }) => name) };
    attrs.meta = await item.metaArgument();
    elements.push({ attrs });
    if (drvPath !== undefined) references.add(drvPath);
  }
  const value = (text: string) => evaluator.evaluate({ kind: "string", text, directory: "/" });
  const list = await (await value("list: list")).call({ list: elements });
  const contents = await list.print({ kind: "literal" });
  const manifest = await store.addTextToStore("env-manifest.nix", contents, [...references].sort());
  const source = readFileSync(new URL("./user-environment.nix", import.meta.url), "latin1");
  const environment = await (await value(source)).call({
    attrs: { packages: list, manifest: { string: manifest, context: [{ kind: "opaque", path: manifest }] } },
  });
  const drvPath = (await environment.packageText("drvPath")) ?? "";
  await builder.build([{ kind: "built", drvPath, outputs: "*" }]);
  return (await environment.packageText("outPath")) ?? "";
}

/**
 * Changes the packages of a profile: `change` returns the new ones, or undefined to leave it as it is, and is called again when
 * another process has changed the profile meanwhile, of which `restart` hears.
 */
export async function changeUserEnvironment(
  context: UserEnvironmentContext,
  options: { readonly profile: string; readonly keepDerivations: boolean; restart(): void },
  change: () => Promise<readonly Package[] | undefined>,
): Promise<void> {
  const { profile } = options;
  for (;;) {
    const before = linkTarget(profile);
    const packages = await change();
    if (packages === undefined) return;
    const path = await buildUserEnvironment(context, packages, options);
    const done = await withProfileLock(profile, async () => {
      if (linkTarget(profile) !== before) return false;
      await switchLocked(context.store, profile, path);
      return true;
    });
    if (done) return;
    options.restart();
  }
}
