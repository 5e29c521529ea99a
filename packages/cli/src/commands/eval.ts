import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Evaluation, Handle } from "@firn/flake";
import { byteStringOf, FirnError } from "@firn/formats";
import { withEvaluation } from "../evaluation-session.ts";
import type { Command } from "../grammar/command.ts";
import { installableFlags, jsonFlags } from "../grammar/flags.ts";
import { UsageError } from "../grammar/usage-error.ts";
import { printLine } from "../render/output.ts";

/** `firn eval`: the value of an installable. */
export const command: Command = {
  positionals: [{ label: "installable", optional: true }],
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
        const [installable] = session.installables();
        if (installable === undefined) throw new UsageError("more arguments are required");
        const lookup = {
          callResult: false,
          defaults: [`packages.${session.system}.default`, `defaultPackage.${session.system}`],
          prefixes: [`packages.${session.system}.`, `legacyPackages.${session.system}.`],
        };
        const found = await session.find(installable, lookup);
        const evaluation = await session.evaluation();
        let { value } = found;
        const apply = flags.value("apply");
        if (apply !== undefined) {
          const source = { kind: "string" as const, text: byteStringOf(apply), directory: byteStringOf(io.cwd) };
          const callee = await evaluation.client.request({ op: "evaluate", source });
          value = await evaluation.client.request({ op: "call", callee, args: [{ handle: value }] });
        }
        const target = flags.value("write-to");
        if (target !== undefined) {
          await writeTree(evaluation, value, resolve(io.cwd, target));
          return 0;
        }
        const form = flags.has("raw") ? "raw" : flags.has("json") ? "json" : "nix";
        const text = await evaluation.client.request({ op: "print", value, form: { kind: form } });
        session.progress.clear();
        if (form === "raw") io.out(Buffer.from(text, "latin1"));
        else if (
          form === "json" &&
          (flags.has("pretty") || (process.stdout.isTTY === true && !flags.has("no-pretty")))
        ) {
          const { parseJson, printJson } = await import("@firn/formats");
          printLine(io, printJson(parseJson(text), 2));
        } else printLine(io, text);
        return 0;
      },
    }),
};

async function writeTree(evaluation: Evaluation, value: Handle, path: string): Promise<void> {
  if (existsSync(path)) throw new FirnError("exists", `path '${path}' already exists`);
  const kind = await evaluation.client.request({ op: "kind", value });
  if (kind === "string") {
    const { text } = await evaluation.client.request({ op: "string", value });
    writeFileSync(path, text, "latin1");
    return;
  }
  if (kind !== "set") {
    throw new FirnError("eval-error", `value at '${path}' is not a string or an attribute set`);
  }
  mkdirSync(path);
  for (const name of (await evaluation.client.request({ op: "attrNames", value })) ?? []) {
    if (name === "." || name === ".." || name.includes("/"))
      throw new FirnError("eval-error", `invalid file name '${name}'`);
    const member = await evaluation.attribute(value, name);
    if (member !== undefined) await writeTree(evaluation, member, join(path, Buffer.from(name, "latin1").toString()));
  }
}
