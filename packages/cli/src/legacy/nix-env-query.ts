/** `nix-env --query`: packages as a table, as JSON or as XML. */
import { type Package, selectPackages } from "@firn/flake";
import { compareVersions, FirnError, type JsonValue, jsonNumber, parseDrvName, printJson, traced } from "@firn/formats";
import { formatFloat, formatJsonFloat, type MetaValue } from "@firn/language";
import { UsageError } from "../grammar/usage-error.ts";
import { painted } from "../render/colors.ts";
import { printLine } from "../render/output.ts";
import { XmlWriter } from "../render/xml-writer.ts";
import { availablePackages, type EnvironmentSession, installedIn, substitutable } from "./nix-env-session.ts";

/** Everything that a row tells, known before the rows are made. */
interface Query {
  readonly session: EnvironmentSession;
  /** The packages whose versions are compared with. */
  readonly others: readonly Package[];
  readonly installed: ReadonlySet<string>;
  readonly valid: ReadonlySet<string>;
  readonly substitutable: ReadonlySet<string>;
  has(flag: string): boolean;
}

/** Runs `nix-env --query`; resolves to the exit status. */
export async function queryPackages(session: EnvironmentSession): Promise<number> {
  const { flags, positionals } = session.invocation;
  const has = (flag: string): boolean => flags.has(flag);
  const available = flags.last("installed", "available") === "available";
  if (has("attr-path") && !available) throw new UsageError("--attr-path(-P) only works with --available");
  const compares = has("compare-versions");
  const inProfile = !available || compares || has("status") ? await installedIn(session, session.profile) : [];
  const offered = available || compares ? await availablePackages(session, flags.value("attr") ?? "") : [];
  const selected = await selectPackages(available ? offered : inProfile, positionals, {
    warn: (text) => session.progress.warn(text),
  });
  const sorted = selected.sort((a, b) => compareNames(a.name, b.name));
  const installed = new Set<string>();
  if (has("status")) for (const item of inProfile) installed.add(await item.outPath());
  const { packages, paths } = await outPaths(session, sorted);
  const store = await session.store();
  const query: Query = {
    session,
    has,
    others: available ? inProfile : offered,
    installed,
    valid: await store.queryValidPaths(paths),
    substitutable: await substitutable(session, paths),
  };
  session.progress.clear();
  if (has("json")) await printPackagesJson(query, packages);
  else if (has("xml")) await printPackagesXml(query, packages);
  else await printTable(query, packages);
  return 0;
}

/** Orders names without regard to case, as C's `toupper` sees it. */
function compareNames(a: string, b: string): number {
  const upper = (text: string): string => text.replaceAll(/[a-z]/g, (char) => char.toUpperCase());
  const [x, y] = [upper(a), upper(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Evaluates the paths of packages where they are needed; those that throw are left out. */
async function outPaths(
  session: EnvironmentSession,
  sorted: readonly Package[],
): Promise<{ readonly packages: readonly Package[]; readonly paths: readonly string[] }> {
  const { flags } = session.invocation;
  if (!flags.has("status") && !flags.has("prebuilt-only")) return { packages: sorted, paths: [] };
  const packages: Package[] = [];
  const paths: string[] = [];
  for (const item of sorted) {
    try {
      paths.push(await item.outPath());
      packages.push(item);
    } catch (error) {
      skip(session, item, error);
    }
  }
  return { packages, paths };
}

/** Leaves out a package that throws or fails an assertion; throws every other error again. */
function skip(session: EnvironmentSession, item: Package, error: unknown): void {
  if (!(error instanceof FirnError) || (error.code !== "assertion-failed" && error.code !== "thrown")) throw error;
  const text = `skipping derivation named '${item.name}' which gives an assertion failure`;
  session.progress.event({ kind: "message", level: "talkative", text });
}

/** Runs `show` for each package that `--prebuilt-only` lets pass. */
async function forEach(
  query: Query,
  packages: readonly Package[],
  show: (item: Package) => Promise<void>,
): Promise<void> {
  for (const item of packages) {
    try {
      await show(item);
    } catch (error) {
      const failed = error instanceof FirnError ? error : undefined;
      if (failed !== undefined && failed.code !== "assertion-failed" && failed.code !== "thrown")
        throw traced(failed, `while querying the derivation named '${item.name}'`);
      skip(query.session, item, error);
    }
  }
}

async function isHidden(query: Query, item: Package): Promise<boolean> {
  if (!query.has("prebuilt-only")) return false;
  const path = await item.outPath();
  return !query.valid.has(path) && !query.substitutable.has(path);
}

async function statusOf(
  query: Query,
  item: Package,
): Promise<readonly [installed: boolean, valid: boolean, cached: boolean]> {
  const path = await item.outPath();
  return [query.installed.has(path), query.valid.has(path), query.substitutable.has(path)];
}

/** The sign of a comparison with the versions of other packages of the same name, and the version that counts. */
function comparison(
  item: Package,
  others: readonly Package[],
): { readonly sign: ">" | "=" | "<" | "-"; readonly version: string } {
  const own = parseDrvName(item.name);
  let sign: ">" | "=" | "<" | "-" = "-";
  let version = "?";
  for (const other of others) {
    const { name, version: theirs } = parseDrvName(other.name);
    if (name !== own.name) continue;
    const order = compareVersions(own.version, theirs);
    if (order < 0) {
      sign = "<";
      version = theirs;
    } else if (sign !== "<" && order === 0) {
      sign = "=";
      version = theirs;
    } else if (sign !== "<" && sign !== "=" && order > 0) {
      sign = ">";
      if (version === "" || compareVersions(version, theirs) < 0) version = theirs;
    }
  }
  return { sign, version };
}

async function printTable(query: Query, packages: readonly Package[]): Promise<void> {
  const rows: string[][] = [];
  await forEach(query, packages, async (item) => {
    if (!(await isHidden(query, item))) rows.push(await columns(query, item));
  });
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  for (const row of rows) {
    const cells = row.map((cell, i) => {
      const text = cell.replaceAll("\n", " ");
      return i === row.length - 1 ? text : text.padEnd((widths[i] ?? 0) + 2);
    });
    printLine(query.session.io, cells.join(""));
  }
}

async function columns(query: Query, item: Package): Promise<string[]> {
  const { has } = query;
  const row: string[] = [];
  if (has("status")) {
    const [installed, valid, cached] = await statusOf(query, item);
    row.push(`${installed ? "I" : "-"}${valid ? "P" : "-"}${cached ? "S" : "-"}`);
  }
  if (has("attr-path")) row.push(item.attrPath);
  if (!has("no-name")) row.push(item.name);
  if (has("compare-versions")) {
    const { sign, version } = comparison(item, query.others);
    const text = `${sign} ${version}`;
    row.push(painted(text, "red", sign === "<" && process.stdout.isTTY === true));
  }
  if (has("system")) row.push(await item.system());
  if (has("drv-path")) row.push((await item.drvPath()) ?? "-");
  if (has("out-path")) {
    const outputs = await item.outputs({ paths: true });
    row.push(outputs.map(({ name, path = "" }) => (name === "out" ? path : `${name}=${path}`)).join(";"));
  }
  if (has("description")) row.push(await item.metaText("description"));
  return row;
}

async function printPackagesXml(query: Query, packages: readonly Package[]): Promise<void> {
  const { has, session } = query;
  const xml = new XmlWriter((text) => session.io.out(Buffer.from(text, "latin1")));
  await xml.element("items", {}, () =>
    forEach(query, packages, async (item) => {
      if (await isHidden(query, item)) return;
      const attributes = await xmlAttributes(query, item);
      await xml.element("item", attributes, async () => {
        for (const { name, path } of await item.outputs({ paths: has("out-path") }))
          xml.empty("output", { name, ...(path === undefined ? {} : { path }) });
        if (!has("meta")) return;
        for (const { name, value } of await item.meta()) {
          if (value === undefined) invalidMeta(session, item, name);
          else await writeMeta(xml, name, value);
        }
      });
    }),
  );
}

async function xmlAttributes(query: Query, item: Package): Promise<Record<string, string>> {
  const { has } = query;
  const { name, version } = parseDrvName(item.name);
  const attributes: Record<string, string> = { attrPath: item.attrPath, name: item.name, pname: name, version };
  if (has("status")) {
    const [installed, valid, cached] = (await statusOf(query, item)).map((flag) => (flag ? "1" : "0"));
    Object.assign(attributes, { installed, valid, substitutable: cached });
  }
  if (has("compare-versions")) {
    const { sign, version: compared } = comparison(item, query.others);
    if (sign !== "-") Object.assign(attributes, { versionDiff: sign, maxComparedVersion: compared });
  }
  const system = await item.system();
  if (system !== "") attributes.system = system;
  if (has("drv-path")) {
    const drvPath = await item.drvPath();
    if (drvPath !== undefined) attributes.drvPath = drvPath;
  }
  attributes.outputName = await item.outputName();
  if (has("description")) {
    const description = await item.metaText("description");
    if (description !== "") attributes.description = description;
  }
  return attributes;
}

async function writeMeta(xml: XmlWriter, name: string, value: MetaValue): Promise<void> {
  switch (value.kind) {
    case "string":
      return xml.empty("meta", { name, type: "string", value: value.text });
    case "int":
      return xml.empty("meta", { name, type: "int", value: String(value.value) });
    case "float":
      return xml.empty("meta", { name, type: "float", value: formatFloat(value.value) });
    case "bool":
      return xml.empty("meta", { name, type: "bool", value: String(value.value) });
    case "list":
      return xml.element("meta", { name, type: "strings" }, async () => {
        for (const item of value.items) if (item.kind === "string") xml.empty("string", { value: item.text });
      });
    case "set":
      return xml.element("meta", { name, type: "strings" }, async () => {
        for (const [member, item] of value.members)
          if (item.kind === "string") xml.empty("string", { type: member, value: item.text });
      });
  }
}

function invalidMeta(session: EnvironmentSession, item: Package, name: string): void {
  const text = `derivation '${item.name}' has invalid meta attribute '${name}'`;
  session.progress.event({ kind: "message", level: "error", text });
}

async function printPackagesJson(query: Query, packages: readonly Package[]): Promise<void> {
  const result = new Map<string, JsonValue>();
  await forEach(query, packages, async (item) => {
    // A package that throws on the way stays with what was known of it.
    result.set(item.attrPath, null);
    const { name, version } = parseDrvName(item.name);
    const entry = new Map<string, JsonValue>([
      ["name", item.name],
      ["pname", name],
      ["version", version],
      ["system", await item.system()],
      ["outputName", await item.outputName()],
    ]);
    result.set(item.attrPath, entry);
    const outputs = await item.outputs({ paths: query.has("out-path") });
    entry.set("outputs", new Map(outputs.map((output) => [output.name, output.path ?? null])));
    if (query.has("drv-path")) {
      const drvPath = await item.drvPath();
      if (drvPath !== undefined) entry.set("drvPath", drvPath);
    }
    if (query.has("meta")) entry.set("meta", await metaJson(query.session, item));
  });
  printLine(query.session.io, printJson(result, { indent: 2 }));
}

async function metaJson(session: EnvironmentSession, item: Package): Promise<JsonValue> {
  const members = new Map<string, JsonValue>();
  for (const { name, value } of await item.meta()) {
    if (value === undefined) invalidMeta(session, item, name);
    members.set(name, value === undefined ? null : jsonOf(value));
  }
  return members;
}

function jsonOf(value: MetaValue): JsonValue {
  switch (value.kind) {
    case "string":
      return value.text;
    case "int":
      return jsonNumber(value.value);
    case "float":
      return { number: formatJsonFloat(value.value) };
    case "bool":
      return value.value;
    case "list":
      return value.items.map(jsonOf);
    case "set":
      return new Map(value.members.map(([name, member]) => [name, jsonOf(member)]));
  }
}
