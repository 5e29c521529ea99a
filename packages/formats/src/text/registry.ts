/** Flake registries (JSON version 2) and profile manifests (version 3; 1 and 2 are read). */
import { FirnError } from "../base/error.ts";
import { attributesFromJson, attributesToJson, type FlakeAttributes } from "./flake-lock.ts";
import { isJsonNumber, isJsonObject, type JsonValue, jsonNumber, parseJson, printJson } from "./json.ts";
import { naming } from "./named-text.ts";

/** One redirection. */
export interface RegistryEntry {
  readonly from: FlakeAttributes;
  readonly to: FlakeAttributes;
  /** True when the attributes of `to` stay as they are (`dir`). */
  readonly exact: boolean;
}

/** Reads a registry; `path` names it in errors (`bad-registry`). */
export function parseRegistry(text: string, path: string): RegistryEntry[] {
  const bad = (what: string): FirnError => new FirnError("bad-registry", `flake registry '${path}' ${what}`);
  const hint = "mend the file, or delete it to begin with an empty one";
  const named = <Result>(read: () => Result): Result => naming(`cannot parse flake registry '${path}'`, hint, read);
  const value = named(() => parseJson(text));
  if (!isJsonObject(value)) throw bad("is not an object");
  const version = value.get("version");
  if (!isJsonNumber(version) || version.number !== "2") {
    throw bad(`has unsupported version ${isJsonNumber(version) ? version.number : 0}`);
  }
  const flakes = value.get("flakes");
  if (!Array.isArray(flakes)) throw bad("lacks 'flakes'");
  return flakes.map((item: JsonValue) => {
    if (!isJsonObject(item)) throw bad("holds an entry that is not an object");
    return {
      from: named(() => attributesFromJson(item.get("from") ?? null)),
      to: named(() => attributesFromJson(item.get("to") ?? null)),
      exact: item.get("exact") === true,
    };
  });
}

/** Writes a registry: two spaces a level, without a newline at the end, as the reference does. */
export function printRegistry(entries: readonly RegistryEntry[]): string {
  const flakes = entries.map((entry) => {
    const members = new Map<string, JsonValue>([
      ["from", attributesToJson(entry.from)],
      ["to", attributesToJson(entry.to)],
    ]);
    if (entry.exact) members.set("exact", true);
    return members;
  });
  return printJson(
    new Map<string, JsonValue>([
      ["flakes", flakes],
      ["version", jsonNumber(2)],
    ]),
    { indent: 2 },
  );
}

/** One element of a profile. */
export interface ProfileElement {
  readonly storePaths: readonly string[];
  readonly active: boolean;
  readonly priority: number;
  readonly originalUrl?: string;
  readonly url?: string;
  readonly attrPath?: string;
  /** Names of the chosen outputs; absent means the default ones. */
  readonly outputs?: readonly string[];
}

const DEFAULT_PRIORITY = 5;

function texts(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value)) throw new FirnError("bad-manifest", "profile manifest holds a list that is none");
  return value.map((item: JsonValue) => {
    if (typeof item !== "string")
      throw new FirnError("bad-manifest", "profile manifest holds a list of other than strings");
    return item;
  });
}

/** Elements of `manifest.json`, by name; `nameOf` names those of versions 1 and 2, which have no names. */
export function parseProfileManifest(
  text: string,
  nameOf: (element: ProfileElement, taken: ReadonlyMap<string, ProfileElement>) => string = (_, { size }) =>
    String(size),
): Map<string, ProfileElement> {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new FirnError("bad-manifest", "profile manifest is not an object");
  const versionValue = value.get("version");
  const version = isJsonNumber(versionValue) ? Number(versionValue.number) : 0;
  if (version < 1 || version > 3) {
    throw new FirnError("bad-manifest", `profile manifest has unsupported version ${version}`);
  }
  const elements = value.get("elements");
  const named: [string | undefined, JsonValue][] = isJsonObject(elements)
    ? [...elements]
    : Array.isArray(elements)
      ? elements.map((item: JsonValue): [undefined, JsonValue] => [undefined, item])
      : [];
  const urlNames = version === 1 ? ["originalUri", "uri"] : ["originalUrl", "url"];
  const result = new Map<string, ProfileElement>();
  for (const [name, item] of named) {
    if (!isJsonObject(item))
      throw new FirnError("bad-manifest", "profile manifest holds an element that is not an object");
    const priority = item.get("priority");
    const text = (key: string): string | undefined => {
      const found = item.get(key);
      return typeof found === "string" && found !== "" ? found : undefined;
    };
    const originalUrl = text(urlNames[0]!);
    const url = text(urlNames[1]!);
    const attrPath = text("attrPath");
    const outputs = item.get("outputs");
    const element: ProfileElement = {
      storePaths: texts(item.get("storePaths")),
      active: item.get("active") !== false,
      priority: isJsonNumber(priority) ? Number(priority.number) : DEFAULT_PRIORITY,
      ...(originalUrl === undefined ? {} : { originalUrl }),
      ...(url === undefined ? {} : { url }),
      ...(attrPath === undefined ? {} : { attrPath }),
      ...(Array.isArray(outputs) ? { outputs: texts(outputs) } : {}),
    };
    result.set(name ?? nameOf(element, result), element);
  }
  return result;
}

/** Writes `manifest.json` version 3, one line, as the reference does. */
export function printProfileManifest(elements: ReadonlyMap<string, ProfileElement>): string {
  const members = new Map<string, JsonValue>();
  for (const [name, element] of elements) {
    const fields = new Map<string, JsonValue>([
      ["active", element.active],
      ["priority", jsonNumber(element.priority)],
      ["storePaths", element.storePaths],
    ]);
    if (element.originalUrl !== undefined) {
      fields.set("originalUrl", element.originalUrl);
      fields.set("url", element.url ?? "");
      fields.set("attrPath", element.attrPath ?? "");
      fields.set("outputs", element.outputs ?? null);
    }
    members.set(name, fields);
  }
  return printJson(
    new Map<string, JsonValue>([
      ["elements", members],
      ["version", jsonNumber(3)],
    ]),
  );
}
