import { join, resolve } from "node:path";
import type { ValueRef } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { existsSync, mkdirSync, writeFileSync } from "@firn/store/files";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { jsonLayout, printLine } from "../render/output.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn eval`: prints the value of an installable. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: [
    ...installableFlags,
    ...jsonFlags,
    { name: "raw", description: "Print strings without quotes or escaping." },
    { name: "apply", labels: ["expr"], description: "Apply the function expr to each argument." },
    { name: "write-to", labels: ["path"], description: "Write a string or attrset of strings to path." },
    { name: "read-only", description: "Do not instantiate each evaluated derivation." },
  ],
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: invocation.flags.has("read-only") },
      body: async (session) => {
        const { flags } = invocation;
        if (flags.has("raw") && flags.has("json")) throw new UsageError("--raw and --json are mutually exclusive");
        const [installable] = session.installables.parse(invocation.positionals);
        if (installable === undefined) throw new UsageError("more arguments are required");
        const lookup = {
          callResult: false,
          defaults: [`packages.${session.system}.default`, `defaultPackage.${session.system}`],
          prefixes: [`packages.${session.system}.`, `legacyPackages.${session.system}.`],
        };
        const found = await session.installables.find(installable, lookup);
        const evaluation = await session.evaluation();
        let { value } = found;
        const apply = flags.value("apply");
        if (apply !== undefined) {
          const source = { kind: "string" as const, text: apply, directory: io.cwd };
          const callee = await evaluation.evaluator.evaluate(source);
          value = await callee.call(value);
        }
        const target = flags.value("write-to");
        if (target !== undefined) {
          await writeTree(value, resolve(io.cwd, target));
          return 0;
        }
        const form = flags.has("raw") ? "raw" : flags.has("json") ? "json" : "nix";
        const text = await value.print(form === "json" ? { kind: form, copiesPaths: false } : { kind: form });
        const layout = jsonLayout(invocation);
        session.progress.clear();
        if (form === "raw") io.out(Buffer.from(text, "latin1"));
        else if (form === "json" && layout.indent !== 0) {
          const { parseJson, printJson } = await import("@firn/formats");
          printLine(io, printJson(parseJson(text), layout));
        } else printLine(io, text);
        return 0;
      },
    }),
};

async function writeTree(value: ValueRef, path: string): Promise<void> {
  if (existsSync(path)) throw new FirnError("exists", `path '${path}' already exists`);
  const kind = await value.kind();
  if (kind === "string") {
    const { text } = await value.string();
    writeFileSync(path, text, "latin1");
    return;
  }
  if (kind !== "set") {
    throw new FirnError("eval-error", `value at '${path}' is not a string or an attribute set`);
  }
  mkdirSync(path);
  for (const name of (await value.attributeNames()) ?? []) {
    if (name === "." || name === ".." || name.includes("/"))
      throw new FirnError("eval-error", `invalid file name '${name}'`);
    const member = await value.attribute(name);
    if (member !== undefined) await writeTree(member, join(path, name));
  }
}
