/** The input of a fetch in the language, checked against the evaluation's mode. */
import { type Input, inputFromAttributes, inputFromUrl, isLockedInput, printUrl, showInput } from "@firn/fetch";
import { FirnError } from "@firn/formats";
import type { FetchRequest } from "@firn/language";
import { asFetched } from "./tree-name.ts";

type TreeRequest = FetchRequest & { readonly kind: "tree" };

/** Returns the input of a request, before registries; fails as the scheme does. */
export function requestedInput(request: TreeRequest): Input {
  return request.reference === undefined ? inputOf(request) : inputFromUrl(request.reference, true);
}

/** Checks that pure evaluation fetches only locked inputs; one that only its NAR hash checks is warned about. */
export function checkPure(request: TreeRequest, input: Input, warn: (text: string) => void = () => {}): void {
  if (isLockedInput(input)) return;
  if (input.has("narHash")) {
    warn(
      `Input '${showInput(asFetched(input))}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared.`,
    );
    return;
  }
  if (request.builtin === "fetchFinalTree") return;
  throw new FirnError(
    "unlocked",
    `in pure evaluation mode, '${request.builtin}' doesn't fetch unlocked input '${showInput(input)}'`,
  );
}

function inputOf(request: TreeRequest): Input {
  const attributes = new Map<string, string | bigint | boolean>();
  for (const [name, value] of Object.entries(request.attributes)) {
    attributes.set(name, typeof value === "number" ? BigInt(value) : value);
  }
  // `fetchGit` takes plain paths and URLs; the scheme wants a URL.
  const url = attributes.get("url");
  if (attributes.get("type") === "git" && typeof url === "string" && url.startsWith("/"))
    attributes.set("url", printUrl({ scheme: "file", authority: "", path: url, query: new Map(), fragment: "" }));
  attributes.delete("__final");
  return inputFromAttributes(attributes);
}
