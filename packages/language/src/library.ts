/** The language as a few functions, for programs that only need an expression's value. */
import { byteStringOf, textOf } from "@firn/formats";
import { Evaluator, type ExpressionSource } from "./evaluator.ts";
import type { EvalHost } from "./host.ts";
import { createMemoryHost } from "./memory-host.ts";
import { type ValueView, viewOf } from "./value-view.ts";

/** The surroundings of an evaluation. */
export interface EvaluateOptions {
  /** The host; without one, files exist in memory only and nothing else exists. */
  readonly host?: EvalHost;
  /** Files of the in-memory host: absolute path → text. Not together with `host`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Directory from which relative paths in the expression start (default "/"). */
  readonly directory?: string;
  /** True to keep a frame for every call in the traces of errors. */
  readonly showTrace?: boolean;
}

function evaluatorFor({ host, files = {}, showTrace = false }: EvaluateOptions): Evaluator {
  if (host !== undefined) return new Evaluator(host, { showTrace });
  const bytes = Object.entries(files).map(([path, text]) => [byteStringOf(path), byteStringOf(text)] as const);
  return new Evaluator(createMemoryHost({ files: Object.fromEntries(bytes) }), { showTrace });
}

function sourceOf(text: string, { directory = "/" }: EvaluateOptions): ExpressionSource {
  return { kind: "string", text: byteStringOf(text), directory: byteStringOf(directory) };
}

/** Evaluates an expression to its outermost layer. Fails with a FirnError: message, position and trace as the reference's. */
export function evaluate(text: string, options: EvaluateOptions = {}): ValueView {
  const evaluator = evaluatorFor(options);
  return viewOf(evaluator, evaluator.evaluate(sourceOf(text, options)));
}

/** Evaluates a file of the host (for a directory its `default.nix`); `path` is absolute. Fails as `evaluate`. */
export function evaluateFile(path: string, options: EvaluateOptions = {}): ValueView {
  const evaluator = evaluatorFor(options);
  return viewOf(evaluator, evaluator.evaluate({ kind: "file", path: byteStringOf(path) }));
}

/**
 * Checks an expression without evaluating it; returns it in the plain notation of `nix-instantiate --parse`. Fails with the
 * FirnError of a syntax error or an undefined variable.
 */
export function parse(text: string, options: EvaluateOptions = {}): string {
  return textOf(evaluatorFor(options).parse(sourceOf(text, options)));
}
