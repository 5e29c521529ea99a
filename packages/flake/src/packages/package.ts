/** Packages as `nix-env` handles them: derivations of an expression, elements of a profile, and bare store paths. */
import { FirnError, isDerivationPath, storePathName } from "@firn/formats";
import type { MetaEntry, MetaValue, PackageOutput } from "@firn/language";
import type { Argument, AutoArguments, ValueRef } from "../evaluator/value-ref.ts";

/** A package: facts are evaluated when they are asked for, and kept. Methods fail as the evaluation does. */
export class Package {
  /** Its place in the value in which it was found; empty for store paths. */
  readonly attrPath: string;
  readonly name: string;
  readonly #value: ValueRef | undefined;
  readonly #paths: { readonly drvPath: string | undefined; readonly outPath: string | undefined };
  /** Attributes of `meta` that were set after evaluating. */
  readonly #set: ReadonlyMap<string, string>;
  readonly #texts = new Map<string, Promise<string | undefined>>();

  private constructor(
    fields: { readonly attrPath: string; readonly name: string; readonly value: ValueRef | undefined },
    paths: { readonly drvPath: string | undefined; readonly outPath: string | undefined },
    set: ReadonlyMap<string, string>,
  ) {
    this.attrPath = fields.attrPath;
    this.name = fields.name;
    this.#value = fields.value;
    this.#paths = paths;
    this.#set = set;
  }

  /** Finds the packages in a value; `prefix` is its attribute path. Those that throw are left out with `skipFailed`. */
  static async find(
    root: ValueRef,
    options: { readonly prefix?: string; readonly autoArgs: AutoArguments; readonly skipFailed: boolean },
  ): Promise<Package[]> {
    const found = await root.packages({ ...options, prefix: options.prefix ?? "" });
    return found.map((item) => new Package(item, { drvPath: undefined, outPath: undefined }, new Map()));
  }

  /** Makes a package of a store path; `outPath` is the output of a derivation. */
  static ofStorePath(path: string, outPath: string): Package {
    const fields = { attrPath: "", name: storePathName(path), value: undefined };
    return new Package(fields, { drvPath: isDerivationPath(path) ? path : undefined, outPath }, new Map());
  }

  /** Returns the package with another name. */
  renamed(name: string): Package {
    return new Package({ attrPath: this.attrPath, name, value: this.#value }, this.#paths, this.#set);
  }

  /** Returns the package with an attribute of `meta` set to a string. */
  withMeta(name: string, text: string): Package {
    const fields = { attrPath: this.attrPath, name: this.name, value: this.#value };
    return new Package(fields, this.#paths, new Map([...this.#set, [name, text]]));
  }

  #text(fact: "system" | "outputName" | "drvPath" | "outPath"): Promise<string | undefined> {
    let text = this.#texts.get(fact);
    if (text === undefined) {
      text = this.#value === undefined ? Promise.resolve(undefined) : this.#value.packageText(fact);
      this.#texts.set(fact, text);
    }
    return text;
  }

  /** Returns the system; `unknown` for a derivation without one, and empty for a store path. */
  async system(): Promise<string> {
    return (await this.#text("system")) ?? "";
  }

  /** Returns the name of the output that the value denotes; empty when it names none. */
  async outputName(): Promise<string> {
    return (await this.#text("outputName")) ?? "";
  }

  /** Returns the path of the derivation, if there is one. */
  async drvPath(): Promise<string | undefined> {
    return this.#paths.drvPath ?? (await this.#text("drvPath"));
  }

  /** Returns the path of the package's main output. */
  async outPath(): Promise<string> {
    const path = this.#paths.outPath ?? (await this.#text("outPath"));
    if (path !== undefined) return path;
    throw new FirnError("eval-error", "derivation does not have attribute 'outPath'");
  }

  /** Returns the outputs in the order of their names, with their paths when `paths` is true. */
  async outputs(options: { readonly paths: boolean }): Promise<readonly PackageOutput[]> {
    if (this.#value === undefined) return [{ name: "out", path: options.paths ? await this.outPath() : undefined }];
    return (await this.#value.packageOutputs({ ...options, installed: false })).outputs;
  }

  /** Returns the outputs that an installation links. Error `eval-error` when the package wants outputs that it lacks. */
  async installedOutputs(): Promise<readonly { readonly name: string; readonly path: string }[]> {
    if (this.#value === undefined) return [{ name: "out", path: await this.outPath() }];
    const { outputs, installed } = await this.#value.packageOutputs({ paths: true, installed: true });
    const specified = installed?.length === 1 && installed[0] === (await this.outputName());
    if (installed !== undefined && this.#set.has("outputsToInstall") && !specified) throw badOutputs();
    const chosen: { name: string; path: string }[] = [];
    for (const { name, path } of outputs) if (path !== undefined) chosen.push({ name, path });
    if (installed === undefined) return chosen;
    for (const name of installed) {
      if (chosen.some((output) => output.name === name)) continue;
      if (specified) throw new FirnError("eval-error", `derivation does not have output '${name}'`);
      throw badOutputs();
    }
    return chosen.filter(({ name }) => installed.includes(name));
  }

  /** Returns the attributes of `meta` by name. */
  async meta(): Promise<readonly MetaEntry[]> {
    const entries = this.#value === undefined ? [] : await this.#value.packageMeta();
    const own = [...this.#set].map(([name, text]): MetaEntry => ({ name, value: { kind: "string", text } }));
    const kept = entries.filter(({ name }) => !this.#set.has(name));
    return [...kept, ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Returns one attribute of `meta`; undefined when it is missing, or holds what has no place there. */
  async metaValue(name: string): Promise<MetaValue | undefined> {
    const text = this.#set.get(name);
    if (text !== undefined) return { kind: "string", text };
    const [entry] = (await this.#value?.packageMeta(name)) ?? [];
    return entry?.value;
  }

  /** Returns a text of `meta`; empty when it is none. */
  async metaText(name: string): Promise<string> {
    const value = await this.metaValue(name);
    return value?.kind === "string" ? value.text : "";
  }

  /** Tells whether an attribute of `meta` is true, as a boolean or in words. */
  async metaFlag(name: string): Promise<boolean> {
    const value = await this.metaValue(name);
    return value?.kind === "bool" ? value.value : value?.kind === "string" && value.text === "true";
  }

  /** Returns the priority for choosing among packages of one name, where a higher number gives way; 0 when there is none. */
  async priority(): Promise<bigint> {
    const value = await this.metaValue("priority");
    if (value?.kind === "int") return BigInt(value.value);
    if (value?.kind === "string" && /^-?[0-9]{1,18}$/.test(value.text)) return BigInt(value.text);
    return 0n;
  }

  /** Returns `meta` as an argument of functions, without what has no place in it. */
  async metaArgument(): Promise<Argument> {
    const attrs: Record<string, Argument> = {};
    for (const { name, value } of await this.meta()) {
      if (value === undefined) continue;
      const text = this.#set.get(name);
      const evaluated = text === undefined ? await this.#value?.attributeAlong(["meta", name]) : text;
      if (evaluated !== undefined) attrs[name] = evaluated;
    }
    return { attrs };
  }
}

function badOutputs(): FirnError {
  return new FirnError("eval-error", "this derivation has bad 'meta.outputsToInstall'");
}
