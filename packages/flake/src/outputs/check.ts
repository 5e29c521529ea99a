/** The check of a flake's outputs: each has the form that its name promises (manual: "nix flake check"). */
import { FirnError, type SourcePosition, traced } from "@firn/formats";
import { showIdentifier } from "@firn/language";
import type { ValueRef } from "../evaluator/value-ref.ts";

/** A message of the check. */
export type CheckEvent =
  | { readonly kind: "checking"; readonly text: string }
  | { readonly kind: "info"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  /** An output that is wrong, with `keepGoing`. */
  | { readonly kind: "failure"; readonly error: FirnError };

/** Options of a check. */
export interface CheckOutputsOptions {
  readonly system: string;
  /** True to check outputs for all systems. */
  readonly allSystems: boolean;
  /** True to go on after a failure. */
  readonly keepGoing: boolean;
  /** Tells whether a path exists, as an evaluation sees it. */
  pathExists(path: string): Promise<boolean>;
  event(event: CheckEvent): void;
}

/** The result of a check. */
export interface CheckedOutputs {
  /** Derivations of the checks for this system, with their attribute paths. */
  readonly builds: readonly { readonly attrPath: string; readonly drvPath: string }[];
  /** Systems whose outputs were left out. */
  readonly omittedSystems: readonly string[];
  /** True when failures were reported as events. */
  readonly failed: boolean;
}

/** Outputs whose names are deprecated, with those to use instead. */
const replacements: ReadonlyMap<string, string> = new Map([
  ["defaultPackage", "packages.<system>.default"],
  ["defaultApp", "apps.<system>.default"],
  ["defaultTemplate", "templates.default"],
  ["defaultBundler", "bundlers.<system>.default"],
  ["overlay", "overlays.default"],
  ["devShell", "devShells.<system>.default"],
  ["nixosModule", "nixosModules.default"],
]);

/** Outputs of other programs, of which nothing is checked. */
const foreign: ReadonlySet<string> = new Set([
  ...["lib", "darwinConfigurations", "darwinModules", "flakeModule", "flakeModules", "herculesCI"],
  ...["homeConfigurations", "homeModule", "homeModules", "nixopsConfigurations"],
]);

/** Checks the outputs of a flake. Throws the first failure, unless `keepGoing`. */
export async function checkOutputs(outputs: ValueRef, options: CheckOutputsOptions): Promise<CheckedOutputs> {
  const check = new Check(options);
  // Hydra's jobs depend on the others: their errors are told first.
  const names = await outputs.namesAsLoaded();
  for (const name of [...names.filter((own) => own === "hydraJobs"), ...names.filter((own) => own !== "hydraJobs")]) {
    await check.output(outputs, name);
  }
  return { builds: check.builds, omittedSystems: [...check.omittedSystems].sort(), failed: check.failed };
}

/** A value to check with the set that holds it. */
interface Member {
  readonly value: ValueRef;
  readonly parent: ValueRef;
  readonly name: string;
  readonly attrPath: string;
}

class Check {
  readonly builds: { attrPath: string; drvPath: string }[] = [];
  readonly omittedSystems = new Set<string>();
  failed = false;
  readonly #options: CheckOutputsOptions;

  constructor(options: CheckOutputsOptions) {
    this.#options = options;
  }

  async output(outputs: ValueRef, name: string): Promise<void> {
    const { event } = this.#options;
    const value = await outputs.attribute(name);
    if (value === undefined) return;
    const member: Member = { value, parent: outputs, name, attrPath: name };
    event({ kind: "checking", text: `checking flake output '${name}'` });
    await this.#guarded(member, `while checking flake output '${name}'`, async () => {
      await value.kind();
      const replacement = replacements.get(name);
      if (replacement !== undefined) {
        event({
          kind: "warning",
          text: `flake output attribute '${name}' is deprecated; use '${replacement}' instead`,
        });
      }
      await this.#contents(member);
    });
  }

  async #contents(member: Member): Promise<void> {
    const { name } = member;
    switch (name) {
      case "checks":
      case "packages":
      case "devShells":
        for await (const own of this.#ofSystems(member)) {
          for await (const one of membersOf(own)) {
            const drvPath = await this.#derivation(one);
            if (name === "checks" && drvPath !== undefined && own.name === this.#options.system) {
              this.builds.push({ attrPath: one.attrPath, drvPath });
            }
          }
        }
        return;
      case "formatter":
      case "defaultPackage":
      case "devShell":
        for await (const own of this.#ofSystems(member)) await this.#derivation(own);
        return;
      case "apps":
        for await (const own of this.#ofSystems(member)) for await (const one of membersOf(own)) await this.#app(one);
        return;
      case "defaultApp":
        for await (const own of this.#ofSystems(member)) await this.#app(own);
        return;
      case "legacyPackages":
        for await (const _ of this.#ofSystems(member));
        return;
      case "bundlers":
        for await (const own of this.#ofSystems(member))
          for await (const one of membersOf(own)) await this.#bundler(one);
        return;
      case "defaultBundler":
        for await (const own of this.#ofSystems(member)) await this.#bundler(own);
        return;
      case "overlay":
        return this.#overlay(member);
      case "overlays":
        for await (const one of membersOf(member)) await this.#overlay(one);
        return;
      case "nixosModule":
        return this.#module(member);
      case "nixosModules":
        for await (const one of membersOf(member)) await this.#module(one);
        return;
      case "nixosConfigurations":
        for await (const one of membersOf(member)) await this.#configuration(one);
        return;
      case "hydraJobs":
        return this.#jobs(member);
      case "defaultTemplate":
        return this.#template(member);
      case "templates":
        for await (const one of membersOf(member)) await this.#template(one);
        return;
      default:
        if (!foreign.has(name)) this.#options.event({ kind: "warning", text: `unknown flake output '${name}'` });
    }
  }

  /** Runs a check; a failure gets a step of the trace and is reported. */
  async #guarded(member: Pick<Member, "parent" | "name">, step: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FirnError)) throw error;
      this.#report(traced(error, step, await member.parent.attributePosition(member.name)));
    }
  }

  /** Reports a failure: as an event with `keepGoing`, else as the error of the whole check. */
  #report(error: FirnError): void {
    if (!this.#options.keepGoing) throw error;
    this.#options.event({ kind: "failure", error });
    this.failed = true;
  }

  /** Yields the members for the systems to check; names that are no systems are failures. */
  async *#ofSystems(member: Member): AsyncGenerator<Member> {
    for await (const own of membersOf(member)) {
      if (!own.name.includes("-")) {
        const at = await own.parent.attributePosition(own.name);
        const place = at === undefined ? "" : `, at ${at.file}:${at.line}:${at.column}`;
        this.#report(bad(`'${own.name}' is not a valid system type${place}`));
        continue;
      }
      if (this.#options.allSystems || own.name === this.#options.system) yield own;
      else this.omittedSystems.add(own.name);
    }
  }

  async #derivation(member: Member): Promise<string | undefined> {
    const { value, attrPath } = member;
    const { event } = this.#options;
    event({ kind: "checking", text: `checking derivation ${attrPath}` });
    let drvPath: string | undefined;
    await this.#guarded(member, `while checking the derivation '${attrPath}'`, async () => {
      if ((await value.kind()) !== "derivation") throw bad(`flake attribute '${attrPath}' is not a derivation`);
      if ((await value.attribute("name")) === undefined) throw bad("derivation name missing");
      const path = await value.attribute("drvPath");
      if (path === undefined) throw bad("derivation does not contain a 'drvPath' attribute");
      drvPath = (await path.string()).text;
      event({ kind: "info", text: `derivation evaluated to ${drvPath}` });
    });
    return drvPath;
  }

  async #app(member: Member): Promise<void> {
    const { value, attrPath } = member;
    const { event } = this.#options;
    event({ kind: "checking", text: `checking app '${attrPath}'` });
    await this.#guarded(member, `while checking the app definition '${attrPath}'`, async () => {
      await requireSet(value);
      for (const name of ["type", "program"]) {
        const text = await value.attribute(name);
        if (text === undefined) throw bad(`app '${attrPath}' lacks attribute '${name}'`);
        if ((await text.kind()) !== "string") {
          throw await wrongType(text, "a string", await value.attributePosition(name));
        }
      }
      const meta = await value.attribute("meta");
      if (meta === undefined) event({ kind: "warning", text: `app '${attrPath}' lacks attribute 'meta'` });
      else await requireSet(meta);
      for (const name of await value.namesAsLoaded()) {
        if (!["type", "program", "meta"].includes(name)) {
          throw bad(`app '${attrPath}' has unsupported attribute '${name}'`);
        }
      }
    });
  }

  async #overlay(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking overlay '${attrPath}'` });
    await this.#guarded(member, `while checking the overlay '${attrPath}'`, async () => {
      if ((await value.kind()) !== "lambda") {
        throw bad(`overlay is not a function, but ${await value.describe()} instead`);
      }
      if ((await value.argumentName()) !== "final") throw bad("overlay does not take an argument named 'final'");
    });
  }

  async #module(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking NixOS module '${attrPath}'` });
    await this.#guarded(member, `while checking the NixOS module '${attrPath}'`, async () => {
      await value.kind();
    });
  }

  async #configuration(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking NixOS configuration '${attrPath}'` });
    await this.#guarded(member, `while checking the NixOS configuration '${attrPath}'`, async () => {
      const system = await value.select("config.system.build.toplevel", {});
      if ((await system.kind()) !== "derivation") {
        throw bad("attribute 'config.system.build.toplevel' is not a derivation");
      }
    });
  }

  async #jobs(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking Hydra job '${attrPath}'` });
    await this.#guarded(member, `while checking the Hydra jobset '${attrPath}'`, async () => {
      await requireSet(value);
      if ((await value.kind()) === "derivation") throw bad("jobset should not be a derivation at top-level");
      for await (const one of membersOf(member)) {
        await requireSet(one.value);
        if ((await one.value.kind()) === "derivation") {
          this.#options.event({ kind: "checking", text: `checking Hydra job '${one.attrPath}'` });
          await this.#derivation(one);
        } else await this.#jobs(one);
      }
    });
  }

  async #template(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking template '${attrPath}'` });
    await this.#guarded(member, `while checking the template '${attrPath}'`, async () => {
      await requireSet(value);
      const path = await value.attribute("path");
      if (path === undefined) throw bad(`template '${attrPath}' lacks attribute 'path'`);
      const place = (await path.kind()) === "path" ? await path.pathOf() : (await path.string()).text;
      if (!place.startsWith("/")) throw bad(`string '${place}' doesn't represent an absolute path`);
      if (!(await this.#options.pathExists(place))) {
        throw bad(`template '${attrPath}' refers to a non-existent path '${place}'`);
      }
      const description = await value.attribute("description");
      if (description === undefined) throw bad(`template '${attrPath}' lacks attribute 'description'`);
      if ((await description.kind()) !== "string") {
        throw await wrongType(description, "a string", await value.attributePosition("description"));
      }
      for (const name of await value.namesAsLoaded()) {
        if (!["path", "description", "welcomeText"].includes(name)) {
          throw bad(`template '${attrPath}' has unsupported attribute '${name}'`);
        }
      }
    });
  }

  async #bundler(member: Member): Promise<void> {
    const { value, attrPath } = member;
    this.#options.event({ kind: "checking", text: `checking bundler '${attrPath}'` });
    // The reference calls it a template here.
    await this.#guarded(member, `while checking the template '${attrPath}'`, async () => {
      if ((await value.kind()) !== "lambda") throw bad("bundler must be a function");
    });
  }
}

function bad(message: string): FirnError {
  return new FirnError("bad-output", message);
}

async function requireSet(value: ValueRef): Promise<void> {
  const kind = await value.kind();
  if (kind !== "set" && kind !== "derivation") throw await wrongType(value, "a set");
}

async function wrongType(value: ValueRef, wanted: string, position?: SourcePosition): Promise<FirnError> {
  const { text } = await value.show({ colors: false });
  const message = `expected ${wanted} but found ${await value.describe()}: ${text}`;
  return new FirnError("type-error", message, position === undefined ? {} : { position });
}

async function* membersOf({ value, attrPath }: Member): AsyncGenerator<Member> {
  await requireSet(value);
  for (const name of await value.namesAsLoaded()) {
    const member = await value.attribute(name);
    if (member !== undefined)
      yield { value: member, parent: value, name, attrPath: `${attrPath}.${showIdentifier(name)}` };
  }
}
