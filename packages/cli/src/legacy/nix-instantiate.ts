/** `nix-instantiate`: evaluates expressions, prints values or store derivations. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type AutoArgData,
  EvaluatorClient,
  type Handle,
  type HostServices,
  hostConfig,
  type PlainData,
} from "@firn/flake";
import { byteStringOf, FirnError } from "@firn/formats";
import { configuredRealStoreDir, loadSettings, type Settings, settingKind, settingNamed } from "@firn/store";
import { renderError, renderWarning } from "../render/error.ts";
import { isUsage } from "../render/failure.ts";
import { terminalText } from "../render/terminal-text.ts";

/** Where a command reads and writes. */
export interface CommandIo {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Byte strings. */
  out(bytes: string): void;
  /** Ordinary text. */
  error(text: string): void;
  readStdin(): string;
}

type OutputKind = "value" | "json" | "xml" | "raw";

/** What the command line asks for. */
export interface Arguments {
  action: "instantiate" | "evaluate" | "parse" | "find-file";
  output: OutputKind;
  strict: boolean;
  locations: boolean;
  readOnly: boolean;
  /** `--read-write-mode`: evaluating may write to the store. */
  readWrite: boolean;
  fromExpressions: boolean;
  /** Where a link to each derivation goes that keeps it from being collected. */
  root: string | undefined;
  /** Off when a derivation is used at once: nobody is told then that it has no root. */
  rootWarning: boolean;
  readonly attrPaths: string[];
  readonly files: string[];
  readonly searchPath: string[];
  readonly autoArgs: {
    readonly name: string;
    readonly text: string;
    readonly kind: "expression" | "string" | "file" | "stdin";
  }[];
}

function usage(message: string): FirnError {
  return new FirnError("usage", message);
}

/**
 * Reads the arguments; settings among them go into `settings`. A command that understands all of them and more takes its own
 * flags by `own`, which tells whether one was. Fails with `usage`.
 */
export function parseArguments(
  argv: readonly string[],
  settings: Settings,
  own: (flag: string, next: (flag: string) => string) => boolean = () => false,
): Arguments {
  const result: Arguments = {
    action: "instantiate",
    output: "value",
    strict: false,
    locations: true,
    readOnly: false,
    readWrite: false,
    fromExpressions: false,
    root: undefined,
    rootWarning: true,
    attrPaths: [],
    files: [],
    searchPath: [],
    autoArgs: [],
  };
  let at = 0;
  const next = (flag: string): string => {
    const value = argv[at++];
    if (value === undefined) throw usage(`flag '${flag}' requires an argument`);
    return value;
  };
  while (at < argv.length) {
    const arg = argv[at++]!;
    if (own(arg, next)) continue;
    switch (arg) {
      case "--eval":
      case "--eval-only":
        result.action = "evaluate";
        break;
      case "--parse":
      case "--parse-only":
        result.action = "parse";
        break;
      case "--find-file":
        result.action = "find-file";
        break;
      case "--strict":
        result.strict = true;
        break;
      case "--json":
        result.output = "json";
        break;
      case "--xml":
        result.output = "xml";
        break;
      case "--raw":
        result.output = "raw";
        break;
      case "--no-location":
        result.locations = false;
        break;
      case "--readonly-mode":
        result.readOnly = true;
        break;
      case "--read-write-mode":
        result.readWrite = true;
        break;
      case "-E":
      case "--expr":
        result.fromExpressions = true;
        break;
      case "-A":
      case "--attr":
        result.attrPaths.push(next(arg));
        break;
      case "-I":
      case "--include":
        result.searchPath.push(next(arg));
        break;
      case "--arg":
        result.autoArgs.push({ name: next(arg), text: next(arg), kind: "expression" });
        break;
      case "--argstr":
        result.autoArgs.push({ name: next(arg), text: next(arg), kind: "string" });
        break;
      case "--arg-from-file":
        result.autoArgs.push({ name: next(arg), text: next(arg), kind: "file" });
        break;
      case "--arg-from-stdin":
        result.autoArgs.push({ name: next(arg), text: "", kind: "stdin" });
        break;
      case "--option": {
        const name = next(arg);
        settings.set(name, next(arg));
        break;
      }
      case "--add-root":
        result.root = next(arg);
        break;
      case "--impure":
        settings.set("pure-eval", "false");
        break;
      case "--dry-run":
      case "--indirect":
      case "-v":
      case "--verbose":
      case "--quiet":
        break;
      default:
        if (arg.startsWith("--")) settingFlag(arg, settings, next);
        else result.files.push(arg);
    }
  }
  return result;
}

function settingFlag(arg: string, settings: Settings, next: (flag: string) => string): void {
  const name = arg.slice(2);
  const bare = name.startsWith("extra-") ? name.slice("extra-".length) : name;
  const setting = settingNamed(bare);
  if (setting !== undefined) {
    if (settingKind(setting) === "boolean") settings.set(name, "true");
    else settings.set(name, next(arg));
    return;
  }
  const negated = name.startsWith("no-") ? settingNamed(name.slice(3)) : undefined;
  if (negated === undefined) throw usage(`unrecognised flag '${arg}'`);
  settings.set(name.slice(3), "false");
}

const noRoot = "you did not specify '--add-root'; the result might be removed by the garbage collector";

class Command {
  private readonly client: EvaluatorClient;
  private readonly args: Arguments;
  private readonly io: CommandIo;
  private readonly addRoot: OpenServices["addRoot"] | undefined;
  private rootCount = 0;

  constructor(
    client: EvaluatorClient,
    args: Arguments,
    at: { readonly io: CommandIo; readonly opened: OpenServices | undefined },
  ) {
    this.client = client;
    this.args = args;
    this.io = at.io;
    this.addRoot = at.opened?.addRoot;
  }

  async run(): Promise<void> {
    const { args } = this;
    const directory = byteStringOf(this.io.cwd);
    if (args.action === "find-file") {
      for (const name of args.files) {
        const path = await this.client.request({ op: "findFile", name: byteStringOf(name) });
        this.io.out(`${path}\n`);
      }
      return;
    }
    const autoArgs = await this.autoArgs(directory);
    const inputs = args.files.length === 0 && !args.fromExpressions ? ["./default.nix"] : args.files;
    for (const input of inputs) {
      const source =
        input === "-"
          ? { kind: "stdin" as const, text: this.io.readStdin(), directory }
          : args.fromExpressions
            ? { kind: "string" as const, text: byteStringOf(input), directory }
            : { kind: "file" as const, path: await this.filePath(input) };
      if (args.action === "parse") {
        this.io.out(`${await this.client.request({ op: "parse", source })}\n`);
        continue;
      }
      const root = await this.client.request({ op: "evaluate", source });
      for (const path of args.attrPaths.length === 0 ? [""] : args.attrPaths) {
        const selected = await this.client.request({ op: "select", value: root, path: byteStringOf(path), autoArgs });
        const value = await this.client.request({ op: "autoCall", value: selected, autoArgs });
        if (args.action === "evaluate") await this.print(value);
        else await this.instantiate(value, autoArgs);
      }
    }
  }

  private async filePath(input: string): Promise<string> {
    const bytes = byteStringOf(input);
    if (bytes.startsWith("<") && bytes.endsWith(">")) {
      return this.client.request({ op: "findFile", name: bytes.slice(1, -1) });
    }
    return absolutePath(byteStringOf(this.io.cwd), bytes);
  }

  private async autoArgs(directory: string): Promise<AutoArgData> {
    const result: Record<string, PlainData> = {};
    for (const { name, text, kind } of this.args.autoArgs) {
      if (kind === "string") result[byteStringOf(name)] = byteStringOf(text);
      else if (kind === "stdin") result[byteStringOf(name)] = this.io.readStdin();
      else if (kind === "file") {
        result[byteStringOf(name)] = readFileSync(resolve(this.io.cwd, text), "latin1");
      } else {
        const source = { kind: "string" as const, text: byteStringOf(text), directory };
        result[byteStringOf(name)] = { handle: await this.client.request({ op: "evaluate", source }) };
      }
    }
    return result;
  }

  private async print(value: Handle): Promise<void> {
    const { output, strict, locations } = this.args;
    const { client, io } = this;
    switch (output) {
      case "raw":
        io.out(await client.request({ op: "print", value, form: { kind: "raw", command: "nix-instantiate" } }));
        return;
      case "json":
        io.out(`${await client.request({ op: "print", value, form: { kind: "json" } })}\n`);
        return;
      case "xml":
        io.out(await client.request({ op: "print", value, form: { kind: "xml", strict, locations } }));
        return;
      case "value":
        if (strict) await client.request({ op: "deepForce", value });
        io.out(`${await client.request({ op: "print", value, form: { kind: "instantiate" } })}\n`);
    }
  }

  /** Every derivation in a value, looked for in sets and lists as `recurseForDerivations` says. */
  private async instantiate(value: Handle, autoArgs: AutoArgData, depth = 0): Promise<void> {
    const { client } = this;
    const kind = await client.request({ op: "kind", value });
    if (kind === "derivation") {
      const facts = await client.request({ op: "derivation", value });
      if (facts === null) return;
      const suffix = facts.outputName === "out" ? "" : `!${facts.outputName}`;
      this.io.out(`${await this.rooted(facts.drvPath)}${suffix}\n`);
      return;
    }
    if (kind === "set") {
      for (const name of (await client.request({ op: "attrNames", value })) ?? []) {
        const member = await client.request({ op: "attribute", value, name });
        if (member === null) continue;
        const called = await client.request({ op: "autoCall", value: member, autoArgs });
        const memberKind = await client.request({ op: "kind", value: called });
        if (memberKind === "derivation") await this.instantiate(called, autoArgs, depth + 1);
        else if (memberKind === "set" && (await this.recurses(called)))
          await this.instantiate(called, autoArgs, depth + 1);
      }
      return;
    }
    if (kind === "list") {
      const length = (await client.request({ op: "length", value })) ?? 0;
      for (let index = 0; index < length; index++) {
        const element = await client.request({ op: "element", value, index });
        await this.instantiate(await client.request({ op: "autoCall", value: element, autoArgs }), autoArgs, depth + 1);
      }
      return;
    }
    throw new FirnError("type-error", "expression does not evaluate to a derivation (or a set or list of those)");
  }

  /** What is printed for a derivation: its path, or the link that is made its root. */
  private async rooted(drvPath: string): Promise<string> {
    const { root } = this.args;
    if (root === undefined) {
      if (this.rootCount++ === 0 && this.args.rootWarning) this.io.error(`warning: ${noRoot}\n`);
      return drvPath;
    }
    const number = ++this.rootCount;
    const link = byteStringOf(resolve(this.io.cwd, root)) + (number > 1 ? `-${number}` : "");
    return this.addRoot === undefined ? drvPath : this.addRoot(drvPath, link);
  }

  private async recurses(value: Handle): Promise<boolean> {
    const flag = await this.client.request({ op: "attribute", value, name: "recurseForDerivations" });
    return (
      flag !== null && (await this.client.request({ op: "print", value: flag, form: { kind: "json" } })) === "true"
    );
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

/** Answers to an evaluation's questions, and their end. */
export interface OpenServices {
  readonly services: HostServices;
  /** Makes `link` point at a valid path and registers it as a root; gives the link. */
  addRoot(path: string, link: string): Promise<string>;
  close(): Promise<void>;
}

/** What an evaluation is over; without `makeServices` it has no store and only computes paths. */
export interface InstantiateWorld {
  readonly settings: Settings;
  readonly io: CommandIo;
  readonly makeServices: ((settings: Settings, readOnly: boolean) => OpenServices) | undefined;
}

/** Does what the arguments say; fails as the evaluation does. */
export async function instantiate(args: Arguments, { settings, io, makeServices }: InstantiateWorld): Promise<void> {
  const readOnly = args.readOnly || (args.action !== "instantiate" && !args.readWrite);
  const { environment } = io;
  const realStoreDir = makeServices === undefined ? undefined : configuredRealStoreDir({ settings, environment });
  const config = hostConfig(settings, io, {
    includes: args.searchPath,
    readOnly,
    ...(realStoreDir === undefined ? {} : { realStoreDir }),
  });
  const opened = makeServices?.(settings, readOnly);
  const client = new EvaluatorClient({
    config,
    ...(opened === undefined ? {} : { services: opened.services }),
    report: (message) => {
      switch (message.kind) {
        case "trace":
          io.error(`${terminalText(`trace: ${message.text}`)}\n`);
          return;
        case "evaluation-warning":
          io.error(`${terminalText(`evaluation warning: ${message.text}`)}\n`);
          return;
        case "warning":
          io.error(`${renderWarning(message.text, message.position)}\n`);
      }
    },
  });
  try {
    await new Command(client, args, { io, opened }).run();
  } finally {
    await client.close();
    await opened?.close();
  }
}

/** Runs the command; gives its exit status. */
export async function runNixInstantiate(
  argv: readonly string[],
  io: CommandIo,
  makeServices?: InstantiateWorld["makeServices"],
): Promise<number> {
  let settings: Settings | undefined;
  try {
    settings = loadSettings(io.environment);
    await instantiate(parseArguments(argv, settings), { settings, io, makeServices });
    return 0;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    io.error(`${renderError(error, { showTrace: settings?.get("show-trace") ?? false })}\n`);
    if (isUsage(error)) io.error("Try 'nix-instantiate --help' for more information.\n");
    return error.exitStatus;
  }
}
