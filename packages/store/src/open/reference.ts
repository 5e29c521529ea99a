/** Names of stores: `auto`, `local`, `daemon`, a path, or a URL with parameters. */
import path from "node:path";
import { FirnError } from "@firn/formats";
import { homeDirectory, workingDirectory } from "../surroundings.ts";
import { unescaped, unescapedQuery } from "./query.ts";

/** A parsed store name: scheme, rest, parameters as they stand in the URL. */
export interface StoreReference {
  readonly scheme: string;
  readonly target: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses `scheme://target?key=value`, or `scheme:/path`; a path, which has a slash, is scheme `local` with parameter `root`. Error
 * `unknown-store`.
 */
export function parseStoreReference(text: string): StoreReference {
  const question = text.indexOf("?");
  const parameters = question < 0 ? new Map<string, string>() : unescapedQuery(text.slice(question + 1));
  const name = question < 0 ? text : text.slice(0, question);
  if (name === "" || name === "auto") return { scheme: "auto", target: "", parameters };
  if (name === "local" || name === "daemon") return { scheme: name, target: "", parameters };
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(name);
  if (match !== null) {
    const [, scheme, target] = match;
    if (scheme === "local" && target !== "") parameters.set("root", unescaped(target!, text));
    return { scheme: scheme!, target: target!, parameters };
  }
  const short = /^([a-z][a-z0-9+.-]*):(\/.*)$/s.exec(name);
  if (short !== null) return { scheme: short[1]!, target: short[2]!, parameters };
  if (name.includes("/") && !/^[a-z][a-z0-9+.-]*:/i.test(name)) {
    const home = name.startsWith("~/") ? path.join(homeDirectory(), name.slice(2)) : name;
    parameters.set("root", path.resolve(workingDirectory(), home));
    return { scheme: "local", target: "", parameters };
  }
  throw new FirnError("unknown-store", `don't know how to open Nix store with reference '${text}'`);
}
