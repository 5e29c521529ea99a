/** Fetchers: arguments are checked here, the host does the work. */
import { checkStorePathName, FirnError } from "@firn/formats";
import { coerceToString, force, forceAt, host, plainString } from "../code/interpret.ts";
import {
  bool,
  emptyString,
  isBoolean,
  isPath,
  isSet,
  isString,
  none,
  type Slot,
  trueValue,
  type Value,
} from "../heap/memory.ts";
import { integerOf, isInteger, makeInt64 } from "../heap/number.ts";
import { attribute, makeSet, positionOf, shapeOf, valueAt } from "../heap/set.ts";
import { keyAt, shapeSize } from "../heap/shape.ts";
import { contextIdOf, makeString, stringText } from "../heap/string.ts";
import { intern, nameOf } from "../heap/symbol.ts";
import type { FetchResult, FetchValue } from "../host.ts";
import { addFrame, EvaluationError } from "../value/evaluation-error.ts";
import { showType } from "../value/type.ts";
import { attrsArgument, type BuiltinTable, boolArgument, fail, plainArgument } from "./arguments.ts";
import { jsonTextOf } from "./json-writer.ts";
import { isStorePathText, realise, sha256Argument, storeString } from "./paths.ts";

function storeName(url: string, name: string, at: { who: string; isAttrs: boolean; named: boolean }): void {
  try {
    checkStorePathName(name);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    const advice = at.named
      ? `Please change the value for the 'name' attribute passed to '${at.who}', so that it can create a valid store path.`
      : at.isAttrs
        ? `Please add a valid 'name' attribute to the argument for '${at.who}', so that it can create a valid store path.`
        : `Please pass an attribute set with 'url' and 'name' attributes to '${at.who}',  so that it can create a valid store path.`;
    throw fail(`invalid store path name when fetching URL '${url}': ${error.message}. ${advice}`);
  }
}

function fetchFile(who: "fetchurl" | "fetchTarball", slot: Slot): Value {
  const argument = force(slot);
  const isAttrs = isSet(argument);
  let url: string | undefined;
  let sha256: string | undefined;
  let name = who === "fetchTarball" ? "source" : "";
  let named = false;
  if (isAttrs) {
    const shape = shapeOf(argument);
    for (let i = 0; i < shapeSize(shape); i++) {
      const key = nameOf(keyAt(shape, i));
      const value = valueAt(argument, i);
      const pos = positionOf(argument, keyAt(shape, i));
      if (key === "url") url = plainArgument(value, "while evaluating the url we should fetch", pos);
      else if (key === "sha256") {
        sha256 = sha256Argument(
          plainArgument(value, "while evaluating the sha256 of the content we should fetch", pos),
        );
      } else if (key === "name") {
        named = true;
        name = plainArgument(value, "while evaluating the name of the content we should fetch", pos);
      } else throw fail(`unsupported argument '${key}' to '${who}'`);
    }
    if (url === undefined) throw fail("'url' argument required");
  } else url = stringText(plainString(argument, 0, "while evaluating the url we should fetch"));
  if (who === "fetchTarball" && url.startsWith("channel:")) {
    url = `https://channels.nixos.org/${url.slice("channel:".length)}/nixexprs.tar.xz`;
  }
  host().checkUri(url);
  if (name === "") name = url.slice(url.lastIndexOf("/", url.endsWith("/") ? url.length - 2 : url.length) + 1);
  storeName(url, name, { who, isAttrs, named });
  if (host().mode.pure && sha256 === undefined) {
    throw fail(`in pure evaluation mode, '${who}' requires a 'sha256' argument`);
  }
  const kind = who === "fetchurl" ? "url" : "tarball";
  const result = host().fetch({ kind, url, name, ...(sha256 === undefined ? {} : { sha256 }) });
  host().allowPath(result.storePath);
  return storeString(result.storePath);
}

/** Returns a string, Boolean or integer as a value: an attribute of a fetched tree or of a flake reference. */
export function fetchedValue(value: FetchValue): Value {
  switch (typeof value) {
    case "string":
      return makeString(value);
    case "boolean":
      return bool(value);
    default:
      return makeInt64(value);
  }
}

/** Returns the attributes of a fetched tree as a set; `emptyRev` fills in zeros for trees without a revision. */
function treeAttrs(result: FetchResult, emptyRev: boolean): Value {
  host().allowPath(result.storePath);
  const symbols = [intern("outPath")];
  const values: Slot[] = [storeString(result.storePath)];
  const known = new Map(Object.entries(result.attributes));
  if (emptyRev && !known.has("rev")) {
    known.set("rev", "0".repeat(40));
    known.set("shortRev", "0".repeat(7));
  }
  if (emptyRev && !known.has("revCount")) known.set("revCount", 0);
  for (const [name, value] of known) {
    symbols.push(intern(name));
    values.push(fetchedValue(value));
  }
  return makeSet(symbols, values, null);
}

function withoutContext(value: Value): string {
  return realise(stringText(value), contextIdOf(value));
}

function fetchAttribute(value: Value, at: { name: string; pos: number; who: string }): FetchValue {
  if (isPath(value) || isString(value)) return withoutContext(coerceToString(value, 0, "", at.pos));
  if (isBoolean(value)) return value === trueValue;
  if (isInteger(value)) {
    const integer = integerOf(value);
    if (integer < 0) {
      throw fail(`negative value given for '${at.who}' argument '${at.name}': ${integer}`);
    }
    return integer;
  }
  if (at.name === "publicKeys") return jsonTextOf(value);
  throw new EvaluationError(
    "type-error",
    `argument '${at.name}' to '${at.who}' is ${showType(value)} while a string, Boolean or integer is expected`,
  );
}

/** Returns `url` of fetchGit, which may be a path or an scp-like address, as a URL. */
function fixGitUrl(url: string): string {
  // The host writes a path as a URL.
  if (url.startsWith("/")) return url;
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(url)) return url;
  const scp = /^([^/:@]+@)?([^/:]+):(.*)$/s.exec(url);
  if (scp !== null) return `ssh://${scp[1] ?? ""}${scp[2]}/${scp[3]!.replace(/^\//, "")}`;
  return url.startsWith(".") ? url : `file://${url}`;
}

function fetchTree(slot: Slot, builtin: "fetchTree" | "fetchFinalTree" | "fetchGit"): Value {
  const isGit = builtin === "fetchGit";
  const who = isGit ? "fetchGit" : "fetchTree";
  const argument = force(slot);
  const attributes: { [name: string]: FetchValue } = {};
  let reference: string | undefined;
  if (isSet(argument)) {
    const attrs = attrsArgument(argument, `while evaluating the argument passed to '${who}'`);
    const typeSlot = attribute(attrs, intern("type"));
    if (typeSlot !== none) {
      if (isGit) throw fail("unexpected argument 'type'");
      attributes.type = plainArgument(typeSlot, `while evaluating the \`type\` argument passed to '${who}'`);
    } else if (!isGit) throw fail(`argument 'type' is missing in call to '${who}'`);
    else attributes.type = "git";
    const shape = shapeOf(attrs);
    for (let i = 0; i < shapeSize(shape); i++) {
      const name = nameOf(keyAt(shape, i));
      if (name === "type") continue;
      const pos = positionOf(attrs, keyAt(shape, i));
      const value = fetchAttribute(forceAt(valueAt(attrs, i), pos), { name, pos, who });
      attributes[name] =
        name === "url" && attributes.type === "git" && typeof value === "string" ? fixGitUrl(value) : value;
    }
    if (!isGit && attributes.type !== "indirect" && "name" in attributes && builtin === "fetchTree") {
      throw fail(`argument 'name' isn\xe2\x80\x99t supported in call to '${who}'`);
    }
  } else {
    if (!isGit && builtin === "fetchTree" && !host().mode.experimentalFeatures.includes("flakes")) {
      throw fail(`passing a string argument to '${who}' requires the 'flakes' experimental feature`);
    }
    const url = withoutContext(
      coerceToString(argument, 0, `while evaluating the first argument passed to '${who}'`, 0),
    );
    if (isGit) {
      attributes.type = "git";
      attributes.url = fixGitUrl(url);
    } else reference = url;
  }
  if (isGit && !("exportIgnore" in attributes) && attributes.submodules !== true) attributes.exportIgnore = true;
  const result = host().fetch({
    kind: "tree",
    attributes,
    builtin,
    ...(reference === undefined ? {} : { reference }),
  });
  return treeAttrs(result, isGit);
}

function fetchMercurial(slot: Slot): Value {
  const argument = force(slot);
  let url = "";
  const attributes: { [name: string]: FetchValue } = { type: "hg", name: "source" };
  if (isSet(argument)) {
    const shape = shapeOf(argument);
    for (let i = 0; i < shapeSize(shape); i++) {
      const key = nameOf(keyAt(shape, i));
      const pos = positionOf(argument, keyAt(shape, i));
      const value = valueAt(argument, i);
      const text = `while evaluating the \`${key}\` attribute passed to builtins.fetchMercurial`;
      if (key === "url") url = stringText(coerceToString(value, 0, text, pos));
      else if (key === "rev") {
        const revision = plainArgument(value, text, pos);
        attributes[/^[0-9a-fA-F]{40}$/.test(revision) ? "rev" : "ref"] = revision;
      } else if (key === "name") attributes.name = plainArgument(value, text, pos);
      else throw fail(`unsupported argument '${key}' to 'fetchMercurial'`, pos);
    }
    if (url === "") throw fail("'url' argument required");
  } else {
    const text = "while evaluating the first argument passed to builtins.fetchMercurial";
    url = stringText(coerceToString(argument, 0, text, 0));
  }
  host().checkUri(url);
  if (host().mode.pure && !("rev" in attributes)) {
    throw fail("in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision");
  }
  attributes.url = url.includes("://") ? url : `file://${url}`;
  return treeAttrs(host().fetch({ kind: "tree", attributes, builtin: "fetchMercurial" }), false);
}

/** Returns an attribute of fetchClosure as a path in the store. */
function storePathAttribute(slot: Slot, text: string, pos: number): string {
  const path = stringText(coerceToString(slot, 0, text, pos));
  if (isStorePathText(path)) return path;
  throw addFrame(fail(`path '${path}' is not in the Nix store`), pos, text);
}

function fetchClosure(a: Slot): Value {
  const attrs = attrsArgument(a, "while evaluating the argument passed to builtins.fetchClosure");
  let fromStore: string | undefined;
  let fromPath: string | undefined;
  let toPath: string | undefined;
  let inputAddressed = false;
  const shape = shapeOf(attrs);
  for (let i = 0; i < shapeSize(shape); i++) {
    const name = nameOf(keyAt(shape, i));
    const slot = valueAt(attrs, i);
    const pos = positionOf(attrs, keyAt(shape, i));
    const text = `while evaluating the attribute '${name}' passed to builtins.fetchClosure`;
    switch (name) {
      case "fromPath":
        fromPath = storePathAttribute(slot, text, pos);
        break;
      case "toPath":
        toPath = forceAt(slot, pos) === emptyString ? "" : storePathAttribute(slot, text, pos);
        break;
      case "fromStore":
        fromStore = plainArgument(slot, text, pos);
        break;
      case "inputAddressed":
        inputAddressed = boolArgument(slot, text, pos);
        break;
      default:
        throw fail(`attribute '${name}' isn't supported in call to 'fetchClosure'`);
    }
  }
  if (fromPath === undefined) throw fail("attribute 'fromPath' is missing in call to 'fetchClosure'");
  if (inputAddressed && toPath !== undefined) {
    throw fail("attribute 'inputAddressed' is set to true, but 'toPath' is also set. Please remove one of them");
  }
  if (fromStore === undefined) throw fail("attribute 'fromStore' is missing in call to 'fetchClosure'");
  const isFile = host().mode.allowFileClosures === true && fromStore.startsWith("file://");
  if (!isFile && !/^https?:\/\//.test(fromStore))
    throw fail("'fetchClosure' only supports http:// and https:// stores");
  if (fromStore.includes("?")) {
    throw fail(`'fetchClosure' does not support URL query parameters (in '${fromStore}')`);
  }
  const request = { kind: "closure" as const, fromStore, fromPath, inputAddressed };
  const { storePath } = host().fetch(toPath === undefined ? request : { ...request, toPath });
  host().allowPath(storePath);
  return storeString(storePath);
}

export const fetchBuiltins: BuiltinTable = {
  fetchClosure: { arity: 1, call: fetchClosure },
  fetchurl: { arity: 1, call: (a) => fetchFile("fetchurl", a) },
  fetchTarball: { arity: 1, global: true, call: (a) => fetchFile("fetchTarball", a) },
  fetchGit: { arity: 1, global: true, call: (a) => fetchTree(a, "fetchGit") },
  fetchTree: { arity: 1, global: true, call: (a) => fetchTree(a, "fetchTree") },
  fetchMercurial: { arity: 1, global: true, call: fetchMercurial },
};

/** The builtin `fetchFinalTree` for the flake code, which returns the tree of a locked input. */
export const finalTreeBuiltin: BuiltinTable = {
  fetchFinalTree: { arity: 1, internal: true, call: (a) => fetchTree(a, "fetchFinalTree") },
};
