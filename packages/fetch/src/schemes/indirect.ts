/** `flake:` and bare names, which a registry resolves before anything can be fetched. */
import { FirnError } from "@firn/formats";
import {
  checkRevision,
  type Input,
  type InputScheme,
  isRef,
  isRevision,
  requireString,
  stringAttribute,
} from "../input.ts";
import { printUrl } from "../url.ts";

const idPattern = /^[a-zA-Z][a-zA-Z0-9_-]*$/;

/** The scheme of registry names: `flake:`. */
export const indirectInputs: InputScheme = {
  type: "indirect",
  attributes: ["id", "ref", "rev", "narHash"],

  fromUrl(url) {
    if (url.scheme !== "flake") return undefined;
    const [id = "", second, third, ...more] = url.path.split("/").filter((part) => part !== "");
    // The reference speaks of GitHub here as well.
    if (id === "" || more.length > 0) throw new FirnError("bad-url", `GitHub URL '${printUrl(url)}' is invalid`);
    return indirectInput(id, second, third);
  },

  check(input) {
    const id = requireString(input, "id");
    if (!idPattern.test(id)) throw new FirnError("bad-url", `'${id}' is not a valid flake ID`);
    const rev = stringAttribute(input, "rev");
    if (rev !== undefined) checkRevision(rev);
  },

  toUrl(input) {
    const parts = [requireString(input, "id"), stringAttribute(input, "ref"), stringAttribute(input, "rev")];
    const path = parts.filter((part) => part !== undefined).join("/");
    return { scheme: "flake", authority: undefined, path, query: new Map(), fragment: "" };
  },

  isLocked: () => false,
};

/** Returns the input of `id`, `id/ref`, `id/rev` or `id/ref/rev`. */
export function indirectInput(id: string, second: string | undefined, third: string | undefined): Input {
  if (!idPattern.test(id)) throw new FirnError("bad-url", `'${id}' is not a valid flake ID`);
  const input = new Map<string, string>([
    ["type", "indirect"],
    ["id", id],
  ]);
  const url = ["flake:", id, "/", second ?? "", third === undefined ? "" : `/${third}`].join("");
  const bad = (part: string, what: string): FirnError =>
    new FirnError("bad-url", `in flake URL '${url}', '${part}' is not ${what}`);
  if (second !== undefined) {
    if (third === undefined && isRevision(second)) input.set("rev", second);
    else if (isRef(second)) input.set("ref", second);
    else throw bad(second, third === undefined ? "a commit hash or branch/tag name" : "a branch/tag name");
  }
  if (third !== undefined) {
    if (!isRevision(third)) throw bad(third, "a commit hash");
    input.set("rev", third);
  }
  return input;
}
