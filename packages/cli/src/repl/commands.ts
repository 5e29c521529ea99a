/** The commands of the repl. */
import { parseReplLine, type Repl, type ValueRef } from "@firn/flake";
import { derivationOutputPath, FirnError } from "@firn/formats";
import { testVariable } from "@firn/store/surroundings";
import { painted } from "../render/colors.ts";
import { renderError } from "../render/error.ts";
import { renderMarkdown } from "../render/markdown.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { replHelp } from "./help.ts";
import { openEditor, page, runFirn } from "./programs.ts";
import { levelsText, stepText } from "./trace.ts";

const partLength = 65536;

/** Expression of an environment with one package in it. */
const shellExpression = 'drv: (import <nixpkgs> {}).runCommand "shell" { buildInputs = [ drv ]; } ""';

/** The end of a loop: the user quits, or lets the program continue (debugger). */
export type LoopEnd = "quit" | "continue" | "step";

type Outcome = "again" | LoopEnd;

/** Runs the commands that a repl, or the debugger inside it, reads. */
export class ReplCommands {
  private readonly session: EvaluationSession;
  private readonly repl: Repl;
  private readonly debugging: boolean;
  private readonly shownErrors: boolean;
  private showTrace: boolean;
  /** Index of the selected step of the trace. */
  private step = 0;

  /** Takes a session, a repl and `shownErrors`: the debugger shows each error when it occurs. */
  constructor(
    session: EvaluationSession,
    repl: Repl,
    options: { readonly debugging: boolean; readonly shownErrors: boolean },
  ) {
    this.session = session;
    this.repl = repl;
    this.debugging = options.debugging;
    this.shownErrors = options.shownErrors;
    this.showTrace = session.settings.get("show-trace");
  }

  /** Runs the input. Fails with `incomplete-input` when it is not complete. */
  async run(input: string): Promise<Outcome> {
    const { repl } = this;
    await repl.releaseValues();
    const command = parseReplLine(input, this.debugging);
    switch (command.kind) {
      case "nothing":
        return "again";
      case "unknown":
        throw new FirnError("usage", `unknown command '${command.word}'`);
      case "line": {
        const line = await repl.enter(command.text);
        if (line.kind === "value") await this.print(line.value, { depth: 1 });
        return "again";
      }
      case "command":
        break;
    }
    const { argument } = command;
    switch (command.name) {
      case "help":
        this.out(replHelp(this.debugging));
        break;
      case "add":
        await repl.add(await repl.evaluate(argument));
        break;
      case "load":
        await repl.loadFile(argument);
        break;
      case "load-flake":
        await repl.loadFlake(argument);
        break;
      case "last-loaded":
        await page(this.session, (await repl.lastLoadedNames()).map((name) => `${name}\n`).join(""));
        break;
      case "reload":
        await this.reload();
        break;
      case "print":
        await this.print(await repl.evaluate(argument), { raw: true });
        break;
      case "type":
        this.out(`${await repl.type(argument)}\n`);
        break;
      case "build":
      case "build-links":
        await this.build(await repl.evaluate(argument), command.name === "build-links");
        break;
      case "trace-enable":
        await this.traceEnable(command.word, argument);
        break;
      case "quit":
        return "quit";
      case "doc":
        await this.document(argument);
        break;
      case "edit":
        await this.edit(argument);
        break;
      case "log":
        await this.log(await repl.evaluate(argument));
        break;
      case "install":
        await runFirn(this.session, ["profile", "add", `${await this.derivation(await repl.evaluate(argument))}^*`]);
        break;
      case "shell":
        await runFirn(this.session, ["nix-shell", await this.derivation(await repl.evaluate(argument))]);
        break;
      case "use": {
        const environment = await repl.apply(shellExpression, await repl.evaluate(argument));
        await runFirn(this.session, ["nix-shell", await this.derivation(environment)]);
        break;
      }
      case "environment":
        await this.environment();
        break;
      case "backtrace":
        this.text((await repl.trace()).map(stepText).join(""));
        break;
      case "select-trace":
        await this.selectTrace(argument);
        break;
      case "continue":
      case "step":
        return command.name;
    }
    return "again";
  }

  /** Prints an error in the reference's layout. */
  printError(error: FirnError): void {
    const { io, progress } = this.session;
    progress.clear();
    // The debugger has shown the way that led to it.
    const shown = this.shownErrors ? withoutTrace(error) : error;
    if (this.shownErrors && error.code === "breakpoint") {
      io.err(`${breakpointText(io.terminal)}\n`);
      return;
    }
    io.err(`${errorText(shown, { showTrace: this.showTrace, terminal: io.terminal })}\n`);
    if (error.hint !== undefined) io.err(`       ${error.hint.replaceAll("\n", "\n       ")}\n`);
  }

  /** Prints ordinary text. */
  private text(text: string): void {
    this.session.progress.clear();
    this.session.io.out(text);
  }

  private async environment(): Promise<void> {
    const trace = await this.repl.trace();
    if (this.step < trace.length) this.out(levelsText(await this.repl.levels(this.step)));
  }

  private async selectTrace(argument: string): Promise<void> {
    const index = /^[+-]?\d+/.exec(argument);
    if (index !== null) this.step = Number(index[0]);
    const step = (await this.repl.trace())[this.step];
    if (step === undefined) return;
    this.text(`${stepText(step, this.step)}\n`);
    await this.environment();
    await this.repl.select(this.step);
  }

  private out(bytes: string): void {
    this.session.progress.clear();
    this.session.io.out(Buffer.from(bytes, "latin1"));
  }

  /** Prints a text that may be large, in parts, so that Ctrl-C works between them. */
  private async outLong(bytes: string): Promise<void> {
    const signal = this.session.workSignal();
    for (let at = 0; at < bytes.length; ) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw new FirnError("interrupted", "interrupted by the user");
      const line = bytes.indexOf("\n", at + partLength);
      const end = line < 0 ? bytes.length : line + 1;
      this.out(bytes.slice(at, end));
      at = end;
    }
  }

  private async reload(): Promise<void> {
    (await this.session.evaluation()).forgetFlakes();
    await this.repl.reload();
  }

  private async print(value: ValueRef, options: { readonly depth?: number; readonly raw?: boolean }): Promise<void> {
    const { text, error } = await this.repl.show(value, { ...options, colors: this.colors() });
    if (error === undefined) await this.outLong(`${text}\n`);
    else {
      this.printError(error);
      this.out(text);
    }
  }

  /** Tells whether values are coloured: as upstream, also without a terminal, unless colours are turned off. */
  private colors(): boolean {
    const { env } = this.session.io;
    return (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  }

  private async traceEnable(word: string, argument: string): Promise<void> {
    if (argument !== "" && argument !== "true" && argument !== "false") {
      throw new FirnError("usage", `unexpected argument '${argument}' to ${word}`);
    }
    this.showTrace = argument === "" ? !this.showTrace : argument === "true";
    await this.repl.evaluator.setShowTrace(this.showTrace);
    this.out(this.showTrace ? "showing error traces\n" : "not showing error traces\n");
  }

  private async derivation(value: ValueRef): Promise<string> {
    const path = await this.repl.derivationPath(value);
    if (!(await (await this.session.store()).isValidPath(path))) {
      throw new FirnError("invalid-path", `expression evaluated to invalid derivation '${path}'`);
    }
    return path;
  }

  private async document(text: string): Promise<void> {
    const markdown = await this.repl.documentation(text);
    if (markdown === undefined) throw new FirnError("no-documentation", "value does not have documentation");
    const columns = Math.max((process.stdout.columns ?? 0) - 5, 60);
    const shown =
      testVariable("_NIX_TEST_RAW_MARKDOWN") === "1"
        ? markdown.trim()
        : renderMarkdown(markdown, { columns, colors: process.stdout.isTTY === true && this.colors() });
    this.session.io.out(`${shown}\n`);
  }

  private async edit(text: string): Promise<void> {
    const { path, line } = await this.repl.sourcePlace(text);
    await openEditor(this.session, path, line);
    // What was edited is read again.
    await this.reload();
  }

  private async log(value: ValueRef): Promise<void> {
    const drvPath = await this.derivation(value);
    const store = await this.session.store();
    const log = await store.buildLog(drvPath);
    if (log === undefined) throw new FirnError("no-log", `build log of '${drvPath}' is not available`);
    this.session.io.err(`got build log for '${drvPath}' from '${store.uri}'\n`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of log) chunks.push(chunk);
    await page(this.session, `${Buffer.concat(chunks).toString("latin1")}\n`);
  }

  private async build(value: ValueRef, links: boolean): Promise<void> {
    const { session } = this;
    const drvPath = await this.derivation(value);
    const store = await session.store();
    const [result] = await session.builder.build([{ kind: "built", drvPath, outputs: "*" }]);
    const derivation = store.readDerivation(drvPath);
    let text = "\nThis derivation produced the following outputs:\n";
    for (const name of [...derivation.outputs.keys()].sort()) {
      const path = result?.outputs.get(name) ?? derivationOutputPath(derivation, name, store.storeDir);
      if (path === undefined) continue;
      if (links) {
        const link = `repl-result-${name}`;
        await store.addPermRoot(path, Buffer.from(`${session.io.cwd}/${link}`).toString("latin1"));
        text += `  ./${link} -> ${path}\n`;
      } else text += `  ${name} -> ${path}\n`;
    }
    this.out(text);
  }
}

/** Returns the message for `builtins.break`. */
export function breakpointText(terminal: boolean): string {
  return `${painted("info:", "green", terminal)} breakpoint reached`;
}

function withoutTrace(error: FirnError): FirnError {
  const { code, message, position, suggestions } = error;
  return new FirnError(code, message, { suggestions, ...(position === undefined ? {} : { position }) });
}

/** Returns an error in the reference's layout, with its label marked on a terminal. */
export function errorText(
  error: FirnError,
  options: { readonly showTrace: boolean; readonly terminal: boolean },
): string {
  return renderError(error, { showTrace: options.showTrace, colors: options.terminal });
}
