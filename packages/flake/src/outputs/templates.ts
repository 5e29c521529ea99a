/** Templates of flakes, copied into directories of the user (manual: "nix flake init"). */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "@firn/store/files";

/** A step of copying a template. */
export interface TemplateStep {
  readonly kind: "wrote" | "identical" | "conflict";
  /** Path in the user's directory. */
  readonly path: string;
  /** Path in the template, as a store path. */
  readonly source: string;
}

/** The two trees of a copy. */
export interface TemplateCopy {
  /** The template on disk. */
  readonly from: string;
  /** The template as a store path, for messages. */
  readonly source: string;
  readonly to: string;
}

/**
 * Copies a template: files that are there already are left alone, and differ or not. Yields each step; directories come after what is
 * in them. Fails with `bad-template` for anything but files, directories and links.
 */
export function* copyTemplate({ from, source, to }: TemplateCopy): Generator<TemplateStep> {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).sort()) {
    const own: TemplateCopy = { from: join(from, name), source: `${source}/${name}`, to: join(to, name) };
    const status = lstatSync(own.from);
    if (status.isDirectory()) {
      yield* copyTemplate(own);
      yield { kind: "wrote", path: own.to, source: own.source };
    } else if (status.isFile() || status.isSymbolicLink()) yield { ...copyFile(own), path: own.to, source: own.source };
    else throw new FirnError("bad-template", `path '${own.source}' needs to be a symlink, file, or directory`);
  }
}

function copyFile({ from, to }: TemplateCopy): Pick<TemplateStep, "kind"> {
  const [wanted, there] = [contentOf(from), contentOf(to)];
  if (there !== undefined) return { kind: there.equals(wanted!) ? "identical" : "conflict" };
  if (lstatSync(from).isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else {
    writeFileSync(to, wanted!, { flag: "wx" });
    if ((lstatSync(from).mode & 0o100) !== 0) chmodSync(to, 0o777 & ~process.umask());
  }
  return { kind: "wrote" };
}

/** Returns the content of a file or the target of a link; undefined when nothing is there, empty for what is neither. */
function contentOf(path: string): Buffer | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  if (status.isSymbolicLink()) return Buffer.from(`link ${readlinkSync(path)}`, "latin1");
  return status.isFile() ? readFileSync(path) : Buffer.from("directory");
}
