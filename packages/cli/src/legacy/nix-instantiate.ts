/** `nix-instantiate`: evaluates expressions, prints values or store derivations. */

import { resolve } from "node:path";
import {
  type AutoArgument,
  type AutoArguments,
  Evaluator,
  evaluateAutoArguments,
  hostConfig,
  type ValueRef,
} from "@firn/flake";
import { FirnError } from "@firn/formats";
import { configuredRealStoreDir, type Settings } from "@firn/store";
import type { Command, Flag } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderWarning } from "../render/error.ts";
import { terminalText } from "../render/terminal-text.ts";
import { autoArguments } from "../session/auto-arguments.ts";
import type { OpenServices } from "../session/lazy-services.ts";
import { commandSettings } from "../session/session.ts";

type OutputKind = "value" | "json" | "xml" | "raw";

/** The parsed arguments of `nix-instantiate`. */
export interface Arguments {
  readonly action: "instantiate" | "evaluate" | "parse" | "find-file";
  readonly output: OutputKind;
  readonly strict: boolean;
  readonly locations: boolean;
  readonly readOnly: boolean;
  /** True with `--read-write-mode`: evaluating may write to the store. */
  readonly readWrite: boolean;
  readonly fromExpressions: boolean;
  /** Path of the link to each derivation that is registered as a root. */
  readonly root: string | undefined;
  /** False when a derivation is used at once, so that no warning about a missing root is needed. */
  readonly rootWarning: boolean;
  readonly attrPaths: readonly string[];
  readonly files: readonly string[];
  readonly searchPath: readonly string[];
  readonly autoArgs: readonly AutoArgument[];
}

/** Flags of `nix-instantiate` and the commands based on it. */
export const expressionFlags: readonly Flag[] = [
  ...evaluationFlags,
  { name: "expr", short: "E", description: "Interpret the arguments as Nix expressions." },
  { name: "attr", short: "A", labels: ["path"], kinds: ["attribute-path"], description: "Select an attribute." },
  {
    name: "add-root",
    labels: ["path"],
    kinds: ["path"],
    description: "Register the result as a root of the collector.",
  },
  { name: "indirect", description: "Ignored; roots are always indirect." },
  { name: "dry-run", description: "Show what would be done without doing it." },
];

const flags: readonly Flag[] = [
  ...expressionFlags,
  { name: "eval", aliases: ["eval-only"], description: "Evaluate and print the value." },
  { name: "parse", aliases: ["parse-only"], description: "Parse and print the syntax tree." },
  { name: "find-file", description: "Look up the arguments in the search path." },
  { name: "strict", description: "Evaluate lists and sets in the value too." },
  { name: "json", description: "Print the value as JSON." },
  { name: "xml", description: "Print the value as XML." },
  { name: "raw", description: "Print a string without quotes." },
  { name: "no-location", description: "Leave positions out of XML." },
  { name: "read-write-mode", description: "Write derivations also when only evaluating." },
];

/** Reads the arguments that commands based on `nix-instantiate` share; the others are as for instantiating. */
export function instantiateArguments({ flags, positionals }: Invocation): Arguments {
  return {
    action: flags.has("find-file")
      ? "find-file"
      : flags.has("parse")
        ? "parse"
        : flags.has("eval")
          ? "evaluate"
          : "instantiate",
    output: flags.last("json", "xml", "raw") ?? "value",
    strict: flags.has("strict"),
    locations: !flags.has("no-location"),
    readOnly: flags.has("readonly-mode"),
    readWrite: flags.has("read-write-mode"),
    fromExpressions: flags.has("expr"),
    root: flags.value("add-root"),
    rootWarning: true,
    attrPaths: flags.all("attr").map(([path = ""]) => path),
    files: positionals,
    searchPath: flags.all("include").map(([path = ""]) => path),
    autoArgs: autoArguments(flags),
  };
}

const noRoot = "you did not specify '--add-root'; the result might be removed by the garbage collector";

class Instantiation {
  private readonly evaluator: Evaluator;
  private readonly args: Arguments;
  private readonly io: Io;
  private readonly addRoot: OpenServices["addRoot"] | undefined;
  private rootCount = 0;

  constructor(
    evaluator: Evaluator,
    args: Arguments,
    at: { readonly io: Io; readonly opened: OpenServices | undefined },
  ) {
    this.evaluator = evaluator;
    this.args = args;
    this.io = at.io;
    this.addRoot = at.opened?.addRoot;
  }

  async run(): Promise<void> {
    const { args } = this;
    const directory = this.io.cwd;
    if (args.action === "find-file") {
      for (const name of args.files) {
        const path = await this.evaluator.findFile(name);
        this.write(`${path}\n`);
      }
      return;
    }
    const autoArgs = await evaluateAutoArguments(this.evaluator, args.autoArgs, this.io);
    const inputs = args.files.length === 0 && !args.fromExpressions ? ["./default.nix"] : args.files;
    for (const input of inputs) {
      const source =
        input === "-"
          ? { kind: "stdin" as const, text: await this.io.readStdin(), directory }
          : args.fromExpressions
            ? { kind: "string" as const, text: input, directory }
            : { kind: "file" as const, path: await this.filePath(input) };
      if (args.action === "parse") {
        this.write(`${await this.evaluator.parse(source)}\n`);
        continue;
      }
      const root = await this.evaluator.evaluate(source);
      for (const path of args.attrPaths.length === 0 ? [""] : args.attrPaths) {
        const selected = await root.select(path, autoArgs);
        const value = await selected.autoCall(autoArgs);
        if (args.action === "evaluate") await this.print(value);
        else await this.instantiate(value, autoArgs);
      }
    }
  }

  private async filePath(input: string): Promise<string> {
    const bytes = input;
    if (bytes.startsWith("<") && bytes.endsWith(">")) {
      return this.evaluator.findFile(bytes.slice(1, -1));
    }
    return absolutePath(this.io.cwd, bytes);
  }

  private write(bytes: string): void {
    this.io.out(Buffer.from(bytes, "latin1"));
  }

  private async print(value: ValueRef): Promise<void> {
    const { output, strict, locations } = this.args;
    switch (output) {
      case "raw":
        this.write(await value.print({ kind: "raw", command: "nix-instantiate" }));
        return;
      case "json":
        this.write(`${await value.print({ kind: "json" })}\n`);
        return;
      case "xml":
        this.write(await value.print({ kind: "xml", strict, locations }));
        return;
      case "value":
        if (strict) await value.deepForce();
        this.write(`${await value.print({ kind: "instantiate" })}\n`);
    }
  }

  /** Instantiates every derivation in a value, searching sets and lists as `recurseForDerivations` demands. */
  private async instantiate(value: ValueRef, autoArgs: AutoArguments, depth = 0): Promise<void> {
    const kind = await value.kind();
    if (kind === "derivation") {
      const facts = await value.derivation();
      if (facts === undefined) return;
      const suffix = facts.outputName === "out" ? "" : `!${facts.outputName}`;
      this.write(`${await this.rooted(facts.drvPath)}${suffix}\n`);
      return;
    }
    if (kind === "set") {
      for (const name of (await value.attributeNames()) ?? []) {
        const member = await value.attribute(name);
        if (member === undefined) continue;
        const called = await member.autoCall(autoArgs);
        const memberKind = await called.kind();
        if (memberKind === "derivation") await this.instantiate(called, autoArgs, depth + 1);
        else if (memberKind === "set" && (await this.recurses(called)))
          await this.instantiate(called, autoArgs, depth + 1);
      }
      return;
    }
    if (kind === "list") {
      for (const element of await value.elements()) {
        await this.instantiate(await element.autoCall(autoArgs), autoArgs, depth + 1);
      }
      return;
    }
    throw new FirnError("type-error", "expression does not evaluate to a derivation (or a set or list of those)");
  }

  /** Returns the output for a derivation: its path, or the link that is made its root. */
  private async rooted(drvPath: string): Promise<string> {
    const { root } = this.args;
    if (root === undefined) {
      if (this.rootCount++ === 0 && this.args.rootWarning) this.io.err(`warning: ${noRoot}\n`);
      return drvPath;
    }
    const number = ++this.rootCount;
    const link = resolve(this.io.cwd, root) + (number > 1 ? `-${number}` : "");
    return this.addRoot === undefined ? drvPath : this.addRoot(drvPath, link);
  }

  private async recurses(value: ValueRef): Promise<boolean> {
    const flag = await value.attribute("recurseForDerivations");
    return (await flag?.isTrue()) === true;
  }
}

function absolutePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The surroundings of an instantiation; without `makeServices` it has no store and only computes paths. */
export interface InstantiateContext {
  readonly settings: Settings;
  readonly io: Io;
  readonly makeServices: ((settings: Settings, readOnly: boolean) => OpenServices) | undefined;
}

/** Evaluates, prints or instantiates as the arguments demand; fails as the evaluation does. */
export async function instantiate(args: Arguments, { settings, io, makeServices }: InstantiateContext): Promise<void> {
  const readOnly = args.readOnly || (args.action !== "instantiate" && !args.readWrite);
  const environment = io.env;
  const realStoreDir = makeServices === undefined ? undefined : configuredRealStoreDir({ settings, environment });
  const config = hostConfig(
    settings,
    { environment, cwd: io.cwd },
    {
      includes: args.searchPath,
      readOnly,
      ...(realStoreDir === undefined ? {} : { realStoreDir }),
    },
  );
  const opened = makeServices?.(settings, readOnly);
  const evaluator = new Evaluator({
    config,
    ...(opened === undefined ? {} : { services: opened.services }),
    report: (message) => {
      switch (message.kind) {
        case "trace":
          io.err(`${terminalText(`trace: ${message.text}`)}\n`);
          return;
        case "evaluation-warning":
          io.err(`${terminalText(`evaluation warning: ${message.text}`)}\n`);
          return;
        case "warning":
          io.err(`${renderWarning(message.text, message.position)}\n`);
      }
    },
  });
  try {
    await new Instantiation(evaluator, args, { io, opened }).run();
  } finally {
    await evaluator.close();
    await opened?.close();
  }
}

/**
 * `nix-instantiate`: evaluates or instantiates expressions. With `NIX_REMOTE=dummy://` there is no store: paths are computed,
 * nothing is read or written.
 */
export const command: Command = {
  style: "old",
  positionals: [{ label: "files", kind: "path", optional: true, repeats: true }],
  flags,
  async run(invocation, io) {
    const settings = commandSettings(invocation, io);
    const storeless = settings.get("store").startsWith("dummy:");
    const services = storeless ? undefined : (await import("../session/lazy-services.ts")).lazyServices;
    const makeServices =
      services === undefined ? undefined : (own: Settings, readOnly: boolean) => services(own, io, readOnly);
    await instantiate(instantiateArguments(invocation), { settings, io, makeServices });
    return 0;
  },
};
