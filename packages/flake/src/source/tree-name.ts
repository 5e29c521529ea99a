/** Names of fetched trees in errors: pure evaluations know trees by their source, and not by the store path alone. */
import { type Input, showInput, withAttributes } from "@firn/fetch";
import { byteStringOf } from "@firn/formats";
import type { TreeName } from "../evaluator/shown-trees.ts";
import { workTreeOf } from "./work-tree.ts";

/** Returns the name of an input's tree; undefined where errors name its store path. `isFinal` is true for an entry of a lock file. */
export function treeName(input: Input, { isFinal = false }: { readonly isFinal?: boolean } = {}): TreeName | undefined {
  if (isFinal && input.has("narHash")) return { root: quoted(asFetched(input)), kind: "stored" };
  const type = input.get("type");
  if (type === "path" || type === "file") return undefined;
  const directory = workTreeOf({ input, dir: "" });
  if (directory !== undefined) return { root: directory, kind: "work-tree" };
  const found = withAttributes(input, { narHash: undefined, lastModified: undefined });
  return { root: quoted(isFinal ? asFetched(found) : found), kind: "revision" };
}

/** Returns an input as it is fetched: Git's without their history. */
export function asFetched(input: Input): Input {
  return input.get("type") === "git" ? new Map([...input, ["shallow", true]]) : input;
}

function quoted(input: Input): string {
  return `${byteStringOf("«")}${showInput(input)}${byteStringOf("»")}`;
}
