/** `flake:` and bare names, which a registry resolves before anything can be fetched. */
import { FirnError } from "@firn/formats";
import {
  checkRef,
  checkRevision,
  type Input,
  type InputScheme,
  isRevision,
  requireString,
  stringAttribute,
} from "../input.ts";

const idPattern = /^[a-zA-Z][a-zA-Z0-9_-]*$/;

/** The scheme of registry names: `flake:`. */
export const indirectInputs: InputScheme = {
  type: "indirect",
  attributes: ["id", "ref", "rev", "narHash"],

  fromUrl(url) {
    if (url.scheme !== "flake") return undefined;
    const [id = "", second, third, ...more] = url.path.split("/");
    if (more.length > 0 || (second === "" && third === undefined)) {
      throw new FirnError("bad-input", `indirect URL 'flake:${url.path}' is invalid`);
    }
    return indirectInput(id, second, third);
  },

  check(input) {
    const id = requireString(input, "id");
    if (!idPattern.test(id)) throw new FirnError("bad-input", `'${id}' is not a valid flake ID`);
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
  if (!idPattern.test(id)) throw new FirnError("bad-input", `'${id}' is not a valid flake ID`);
  const input = new Map<string, string>([
    ["type", "indirect"],
    ["id", id],
  ]);
  if (third !== undefined) {
    if (!isRevision(third))
      throw new FirnError(
        "bad-input",
        `in flake URL 'flake:${id}/${second}/${third}', '${third}' is not a commit hash`,
      );
    input.set("rev", third);
  }
  if (second !== undefined) {
    if (third === undefined && isRevision(second)) input.set("rev", second);
    else {
      checkRef(second);
      input.set("ref", second);
    }
  }
  return input;
}
