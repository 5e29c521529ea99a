import { resolve } from "node:path";
import { packageLookup, showInstallable } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { findLogicalFile, runProgramSync, systemErrorReason } from "@firn/store";
import type { Command } from "../grammar/command.ts";
import { installableFlags } from "../grammar/flags.ts";
import { editorCommand } from "../programs/editor.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

/** `firn edit`: opens the file that defines a package in the editor. */
export const command: Command = {
  positionals: [{ label: "installable", kind: "installable", optional: true }],
  flags: installableFlags,
  run: (invocation, io) =>
    withEvaluation(invocation, io, {
      needs: { readOnly: true },
      body: async (session) => {
        const [installable] = session.installables.parse(invocation.positionals);
        if (installable === undefined) throw new FirnError("internal", "there is no installable");
        const { value } = await session.installables.find(installable);
        const position = await (await value.attributeAlong(["meta", "position"]))?.string();
        const [file, line] =
          position === undefined ? splitPlace(await value.functionPlace()) : splitPosition(position.text);
        if (file === undefined) {
          // The reference leaves the quotation open.
          const shown = showInstallable(installable, packageLookup(session.system));
          throw new FirnError("no-position", `cannot find position information for '${shown}`);
        }
        const { location } = await session.store();
        const { program, args } = editorCommand(io.env, line);
        session.progress.clear();
        const path = findLogicalFile(location, resolve(io.cwd, file))?.real ?? file;
        const { status, error } = runProgramSync(program, [...args, path], { stdio: "inherit", env: { ...io.env } });
        if (error === undefined) return status ?? 1;
        const shown = [program, ...args, path].map((word) => `'${word}'`).join(" ");
        const reason = systemErrorReason(error);
        throw new FirnError("program-failed", `cannot run command ${shown}: ${reason}`, { cause: error });
      },
    }),
};

function splitPosition(text: string): [file: string, line: number] {
  if (!text.startsWith("/")) {
    throw new FirnError("no-position", `string '${text}' doesn't represent an absolute path`, {
      trace: [{ message: "while evaluating the 'meta.position' attribute of a derivation" }],
    });
  }
  const found = /^(.*):([0-9]+)$/s.exec(text);
  if (found === null) throw new FirnError("no-position", `cannot parse 'meta.position' attribute '${text}'`);
  return [found[1]!, Number(found[2])];
}

type Place = { readonly path: string; readonly line: number } | string | undefined;

function splitPlace(place: Place): [file: string | undefined, line: number] {
  return typeof place === "object" ? [place.path, place.line] : [undefined, 0];
}
