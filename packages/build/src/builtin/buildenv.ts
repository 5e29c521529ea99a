/** `builtin:buildenv`: one tree of links into several packages, as profiles are made. */
import { FirnError } from "@firn/formats";
import { disk } from "@firn/store";
import { attribute, type BuiltinContext } from "./context.ts";
import { type FarmPackage, linkPackages } from "./link-farm.ts";

/** Makes output `out` from the attributes `derivations` (active, priority, count, paths …) and `manifest`. Error `forbidden-path`. */
export async function buildEnvironment(context: BuiltinContext): Promise<void> {
  const out = context.output("out");
  disk.mkdirs(out);
  linkPackages(
    {
      store: context.store,
      allows: (path) => context.inputPaths.has(path),
      out,
      log: (text) => context.events({ kind: "message", level: "warn", text }),
    },
    readPackages(attribute(context, "derivations")),
  );
  disk.symlink(attribute(context, "manifest"), `${out}/manifest.nix`);
}

function readPackages(text: string): FarmPackage[] {
  const words = text.split(/[ \t\n\r]+/).filter((word) => word !== "");
  const packages: FarmPackage[] = [];
  for (let at = 0; at < words.length; ) {
    const active = words[at] !== "false";
    const priority = Number(words[at + 1]);
    const count = Number(words[at + 2]);
    if (!Number.isInteger(priority) || !Number.isInteger(count) || at + 3 + count > words.length) {
      throw new FirnError("bad-derivation", "attribute 'derivations' is malformed");
    }
    for (const path of words.slice(at + 3, at + 3 + count)) packages.push({ path, active, priority });
    at += 3 + count;
  }
  return packages;
}
