import { join, resolve } from "node:path";
import { git, withRepository } from "@firn/fetch";
import { copyTemplate, parseInstallable } from "@firn/flake";
import { FirnError } from "@firn/formats";
import { existsSync, realpathSync } from "@firn/store/files";
import type { Command, Flag } from "../grammar/command.ts";
import { evaluationFlags } from "../grammar/flags.ts";
import type { Invocation } from "../grammar/invocation.ts";
import type { Io } from "../io.ts";
import { renderMarkdown } from "../render/markdown.ts";
import type { EvaluationSession } from "../session/evaluation-session.ts";
import { withEvaluation } from "../session/with-evaluation.ts";

const flags: readonly Flag[] = [
  ...evaluationFlags,
  {
    name: "template",
    short: "t",
    labels: ["template"],
    kinds: ["flake"],
    description: "The template to use.",
  },
];

/** `firn flake init`: copies a template into the current directory. */
export const initCommand: Command = {
  positionals: [],
  flags,
  run: (invocation, io) => copied(invocation, io, io.cwd),
};

/** `firn flake new`: copies a template into another directory. */
export const newCommand: Command = {
  positionals: [{ label: "dest-dir", kind: "directory" }],
  flags,
  run: (invocation, io) => copied(invocation, io, resolve(io.cwd, invocation.positionals[0]!)),
};

function copied(invocation: Invocation, io: Io, directory: string): Promise<number> {
  return withEvaluation(invocation, io, {
    body: async (session) => {
      const template = await findTemplate(session, invocation.flags.value("template") ?? "templates");
      const files: string[] = [];
      let conflicts = 0;
      for (const { kind, path, source } of copyTemplate({ ...template, to: directory })) {
        switch (kind) {
          case "wrote":
            session.progress.event({ kind: "message", level: "notice", text: `wrote: "${path}"` });
            files.push(path);
            break;
          case "identical":
            session.progress.event({ kind: "message", level: "notice", text: `skipping identical file: ${source}` });
            files.push(path);
            break;
          case "conflict":
            conflicts++;
            session.progress.clear();
            io.err(`refusing to overwrite existing file "${path}"\n please merge it manually with '${source}'\n`);
        }
      }
      await addToGit(directory, files);
      session.progress.clear();
      if (template.welcome !== undefined) {
        const text = renderMarkdown(template.welcome, { columns: process.stderr.columns ?? 80, colors: io.terminal });
        io.err(`\n\n${text.trimEnd()}\n\n`);
      }
      if (conflicts === 0) return 0;
      throw new FirnError("conflict", `encountered ${conflicts} conflicts - see above`);
    },
  });
}

interface Template {
  readonly from: string;
  readonly source: string;
  readonly welcome: string | undefined;
}

async function findTemplate(session: EvaluationSession, word: string): Promise<Template> {
  const store = await session.store();
  const { storeDir } = store;
  const installable = parseInstallable(word, {
    storeDir,
    attributes: false,
    baseDirectory: session.io.cwd,
    warn: () => undefined,
  });
  if (installable.kind !== "flake") throw new FirnError("usage", `'${word}' is no flake`);
  const found = await session.installables.find(installable, {
    defaults: ["templates.default", "defaultTemplate"],
    prefixes: ["templates."],
  });
  const path = await found.value.attribute("path");
  if (path === undefined) throw new FirnError("missing-attribute", `attribute '${found.attrPath}.path' does not exist`);
  const source = await path.pathOf();
  if (!source.startsWith(`${storeDir}/`)) throw new FirnError("bad-template", `'${source}' is not in the store`);
  const welcome = await (await found.value.attribute("welcomeText"))?.string();
  // A directory of the template may be a link out of it: what is copied is what it is in the store.
  const from = realpathSync(store.location.realStoreDir + source.slice(storeDir.length));
  if (!from.startsWith(`${realpathSync(store.location.realStoreDir)}/`)) {
    throw new FirnError("bad-template", `'${source}' leads out of the store`);
  }
  return { from, source, welcome: welcome?.text };
}

/** Adds the files to the repository that begins at the directory, so that the flake has them. */
async function addToGit(directory: string, files: readonly string[]): Promise<void> {
  if (files.length === 0 || !existsSync(join(directory, ".git"))) return;
  await withRepository(directory, async ({ call }) => {
    await git({ ...call, args: ["add", "--intent-to-add", "--force", "--", ...files] });
  });
}
