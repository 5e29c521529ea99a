/** `nix-instantiate`: evaluates expressions, prints values or store derivations (manual: "nix-instantiate"). */

import { resolve } from "node:path";
import { Evaluator, hostConfig, openImages, openResults, type ValueRef } from "@firn/flake";
import { configuredRealStoreDir, configuredStoreDir, type Settings } from "@firn/store";
import type { Command, Flag } from "../grammar/command.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderMessage, renderWarning } from "../render/error.ts";
import { explainCache } from "../session/explain-cache.ts";
import type { OpenServices, ServicesFor } from "../session/lazy-services.ts";
import { commandSettings, tellMistakes } from "../session/session.ts";
import { startImage } from "../session/start-image.ts";
import {
  derivationsIn,
  type ExpressionContext,
  type Expressions,
  expressionFlags,
  expressionSources,
  expressionsOf,
  rootFlag,
  selectedValues,
} from "./expressions.ts";

type OutputKind = "value" | "json" | "xml" | "raw";

/** The parsed arguments of `nix-instantiate`. */
interface Arguments {
  readonly action: "instantiate" | "evaluate" | "parse" | "find-file";
  readonly output: OutputKind;
  readonly strict: boolean;
  readonly locations: boolean;
  readonly readOnly: boolean;
  /** Path of the link to each derivation that is registered as a root. */
  readonly root: string | undefined;
  readonly expressions: Expressions;
  /** The names that `--find-file` looks for. */
  readonly names: readonly string[];
  readonly searchPath: readonly string[];
  /** True to tell why something is evaluated again. */
  readonly explains: boolean;
}

const flags: readonly Flag[] = [
  ...expressionFlags,
  rootFlag,
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

function argumentsOf(invocation: Invocation): Arguments {
  const { flags } = invocation;
  const action = flags.has("find-file")
    ? "find-file"
    : flags.has("parse")
      ? "parse"
      : flags.has("eval")
        ? "evaluate"
        : "instantiate";
  return {
    action,
    output: flags.last("json", "xml", "raw") ?? "value",
    strict: flags.has("strict"),
    locations: !flags.has("no-location"),
    readOnly: flags.has("readonly-mode") || (action !== "instantiate" && !flags.has("read-write-mode")),
    root: flags.value("add-root"),
    expressions: expressionsOf(invocation),
    names: invocation.positionals,
    searchPath: flags.all("include").map(([path = ""]) => path),
    explains: flags.has("explain-cache"),
  };
}

const noRoot = "you did not specify '--add-root'; the result might be removed by the garbage collector";

class Instantiation {
  private readonly context: ExpressionContext;
  private readonly args: Arguments;
  private readonly io: Io;
  private readonly addRoot: OpenServices["addRoot"] | undefined;
  private rootCount = 0;

  constructor(args: Arguments, context: ExpressionContext, addRoot: OpenServices["addRoot"] | undefined) {
    this.context = context;
    this.args = args;
    this.io = context.io;
    this.addRoot = addRoot;
  }

  async run(): Promise<void> {
    const { args, context } = this;
    const { expressions } = args;
    switch (args.action) {
      case "find-file":
        for (const name of args.names) this.write(`${await context.evaluator.findFile(name)}\n`);
        return;
      case "parse":
        for await (const source of expressionSources(expressions, context)) {
          this.write(`${await context.evaluator.parse(source)}\n`);
        }
        return;
      case "evaluate":
        for await (const { value, autoArgs } of selectedValues(expressions, context)) {
          // Without arguments functions are printed as they are.
          await this.print(Object.keys(autoArgs).length === 0 ? value : await value.autoCall(autoArgs));
        }
        return;
      case "instantiate":
        for await (const { drvPath, outputName } of derivationsIn(expressions, context)) {
          this.write(`${await this.rooted(drvPath)}${outputName === "out" ? "" : `!${outputName}`}\n`);
        }
    }
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

  /** Returns the output for a derivation: its path, or the link that is made its root. */
  private async rooted(drvPath: string): Promise<string> {
    const { root } = this.args;
    if (root === undefined) {
      if (this.rootCount++ === 0) this.io.err(`warning: ${noRoot}\n`);
      return drvPath;
    }
    const number = ++this.rootCount;
    const link = resolve(this.io.cwd, root) + (number > 1 ? `-${number}` : "");
    return this.addRoot === undefined ? drvPath : this.addRoot(drvPath, link);
  }
}

/** The surroundings of an instantiation; without `makeServices` it has no store and only computes paths. */
interface InstantiateContext {
  readonly settings: Settings;
  readonly io: Io;
  readonly makeServices: ((evaluation: ServicesFor) => OpenServices) | undefined;
  /** URL of the store to write to; by default the configured one. */
  readonly evalStore: string | undefined;
}

/** Evaluates, prints or instantiates as the arguments demand; fails as the evaluation does. */
async function instantiate(
  args: Arguments,
  { settings, io, makeServices, evalStore }: InstantiateContext,
): Promise<void> {
  const { readOnly } = args;
  const environment = io.env;
  const configured = { settings, environment, store: evalStore };
  const opened = makeServices?.({ readOnly, evalStore, evaluator: () => evaluator });
  // A store elsewhere has its files in a place that is known when it is open.
  const realStoreDir =
    opened === undefined
      ? undefined
      : (configuredRealStoreDir(configured) ?? (await opened.store()).location.realStoreDir);
  const machine = hostConfig(
    settings,
    { environment, cwd: io.cwd },
    {
      includes: args.searchPath,
      readOnly,
      ...(realStoreDir === undefined ? {} : { realStoreDir }),
    },
  );
  const config = { ...machine, storeDir: configuredStoreDir(configured) };
  const fetchPath = async (url: string): Promise<string | undefined> => opened?.services.resolveSearchPathUrl(url);
  const { store, computing } = opened ?? {};
  const kept =
    store === undefined || computing === undefined
      ? undefined
      : {
          settings,
          config,
          store,
          computing,
          ...(args.explains ? { explain: (text: string) => explainCache(io, text) } : {}),
        };
  const results = kept === undefined ? undefined : openResults(kept);
  const images =
    kept === undefined || evalStore !== undefined || io.isProgram !== true
      ? undefined
      : openImages({ ...kept, flakes: true, start: startImage });
  const evaluator: Evaluator = new Evaluator({
    config,
    flakes: opened !== undefined,
    ...(opened === undefined ? {} : { services: opened.services }),
    ...(results === undefined ? {} : { results }),
    ...(images === undefined ? {} : { images }),
    report: (message) => io.err(`${renderMessage(message, io.terminal)}\n`),
  });
  try {
    await new Instantiation(args, { evaluator, io, fetchPath, directory: io.cwd }, opened?.addRoot).run();
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
    tellMistakes(settings, (text) => io.err(`${renderWarning(text, undefined, io.terminal)}\n`));
    const evalStore = invocation.flags.value("eval-store");
    const storeless = evalStore === undefined && settings.get("store") === "dummy://";
    const services = storeless ? undefined : (await import("../session/lazy-services.ts")).lazyServices;
    const makeServices =
      services === undefined ? undefined : (evaluation: ServicesFor) => services(settings, io, evaluation);
    await instantiate(argumentsOf(invocation), { settings, io, makeServices, evalStore });
    return 0;
  },
};
