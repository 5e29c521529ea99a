/** The expressions that old commands read: a file, or a directory of expressions such as `~/.nix-defexpr`. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { findLogicalFile, type LogicalFile, type StoreFiles } from "@firn/store";
import { readdirSync, readFileSync } from "@firn/store/files";
import type { Evaluator } from "../evaluator/evaluator.ts";
import type { Argument, ValueRef } from "../evaluator/value-ref.ts";

const maxExpressions = 1024;

/** The surroundings of reading expressions. */
export interface ExpressionContext {
  readonly evaluator: Evaluator;
  readonly store: StoreFiles;
  /** Hears of names that occur twice. */
  warn(text: string): void;
}

/**
 * Returns the value of a Nix file, of a directory's `default.nix`, or for another directory the set of the expressions in it and
 * below: each under its name, evaluated when it is used. The path is absolute. Errors `path-not-found`, `bad-expression`.
 */
export async function loadExpressions(context: ExpressionContext, path: string): Promise<ValueRef> {
  const { evaluator, store } = context;
  const file = findLogicalFile(store.location, path);
  if (file === undefined) throw new FirnError("path-not-found", `path '${path}' does not exist`);
  if (isExpression(store, file)) return evaluator.evaluate({ kind: "file", path: file.path });
  if (!file.status.isDirectory())
    throw new FirnError("bad-expression", `path '${path}' is not a directory or a Nix expression`);
  const found = new Map<string, string>();
  collect(context, { path, file }, found);
  const attrs: Record<string, Argument> = {};
  for (const [name, expression] of found) attrs[name] = { path: expression };
  const text = readFileSync(new URL("./import-paths.nix", import.meta.url), "latin1");
  const make = await evaluator.evaluate({ kind: "string", text, directory: "/" });
  return make.call({ attrs });
}

function collect(
  context: ExpressionContext,
  directory: { readonly path: string; readonly file: LogicalFile },
  found: Map<string, string>,
): void {
  const { store, warn } = context;
  for (const entry of readdirSync(directory.file.real).sort()) {
    // A channel is a profile and has the manifest of one.
    if (entry === "manifest.nix") continue;
    const file = findLogicalFile(store.location, join(directory.path, entry));
    if (file === undefined) continue;
    const { path, status } = file;
    if (isExpression(store, file) && (status.isDirectory() || path.endsWith(".nix"))) {
      const name = entry.endsWith(".nix") ? entry.slice(0, -".nix".length) : entry;
      if (found.has(name)) {
        const advice =
          path.includes("channels") && directory.path.includes("channels")
            ? `\nsuggestion: remove '${name}' from either the root channels or the user channels`
            : "";
        warn(`name collision in input Nix expressions, skipping '${path}'${advice}`);
        continue;
      }
      if (found.size >= maxExpressions)
        throw new FirnError("bad-expression", `too many Nix expressions in directory '${directory.path}'`);
      found.set(name, path);
    } else if (status.isDirectory()) collect(context, { path, file }, found);
  }
}

function isExpression(store: StoreFiles, { path, status }: LogicalFile): boolean {
  if (status.isFile()) return true;
  return status.isDirectory() && findLogicalFile(store.location, join(path, "default.nix")) !== undefined;
}
