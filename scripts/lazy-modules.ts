/**
 * Makes start-up of the bundle cheap. Node's own modules are taken with `process.getBuiltinModule`, because an `import`
 * of one touches every export (that of node:crypto loads WebCrypto, that of node:fs all streams); the heavy ones are
 * loaded when one of their functions is first called.
 */
import { builtinModules } from "node:module";
import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as RolldownPlugin } from "rolldown";

const heavy = new Set([
  "node:child_process",
  "node:crypto",
  "node:dns",
  "node:fs/promises",
  "node:http",
  "node:https",
  "node:net",
  "node:readline",
  "node:readline/promises",
  "node:sqlite",
  "node:stream/promises",
  "node:tls",
  "node:tty",
  "node:zlib",
]);

const identifier = /^[A-Za-z_$][\w$]*$/;
const reserved = new Set(["default", "constructor"]);

/** The text of a module that stands for `name`; what nobody uses of it is dropped. */
async function standIn(name: string): Promise<string> {
  const exports: Record<string, unknown> = await import(name);
  const names = Object.keys(exports).filter((key) => identifier.test(key) && !reserved.has(key));
  const lines = [`const load = () => process.getBuiltinModule(${JSON.stringify(name)});`];
  if (!heavy.has(name)) {
    lines.push("export default /* @__PURE__ */ load();");
    for (const key of names) lines.push(`export const ${key} = /* @__PURE__ */ (() => load().${key})();`);
    return lines.join("\n");
  }
  lines.push("export default /* @__PURE__ */ new Proxy({}, { get: (_, key) => load()[key] });");
  for (const key of names) {
    const value = exports[key];
    if (typeof value === "function" && /^[A-Z]/.test(key)) {
      // A class, of which values are instances and which others extend.
      lines.push(
        `export const ${key} = /* @__PURE__ */ new Proxy(function () {}, {`,
        `  apply: (_, self, args) => Reflect.apply(load().${key}, self, args),`,
        `  construct: (_, args) => new (load().${key})(...args),`,
        `  get: (_, name) => load().${key}[name],`,
        "});",
      );
    } else if (typeof value === "function") {
      lines.push(
        `export function ${key}(...args) { return new.target ? new (load().${key})(...args) : load().${key}(...args); }`,
      );
    } else if (typeof value === "object" && value !== null) {
      lines.push(`export const ${key} = /* @__PURE__ */ new Proxy({}, { get: (_, key) => load().${key}[key] });`);
    }
  }
  return lines.join("\n");
}

const builtins = new Set(builtinModules.map((name) => (name.startsWith("node:") ? name : `node:${name}`)));

// Signatures are rarely checked, and the curve's tables take milliseconds to make.
const curve = "@noble/curves/ed25519.js";

function curveStandIn(path: string): string {
  return `export const ed25519 = /* @__PURE__ */ new Proxy({}, { get: (_, key) => require(${JSON.stringify(path)}).ed25519[key] });`;
}

/** Replaces static imports of Node's modules, for esbuild. */
export const lazyModules: EsbuildPlugin = {
  name: "lazy-modules",
  setup(builder) {
    builder.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" && builtins.has(path) ? { path, namespace: "lazy", sideEffects: false } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "lazy" }, async ({ path }) => ({
      contents: await standIn(path),
      loader: "js",
    }));
    builder.onResolve({ filter: new RegExp(`^${curve}$`) }, ({ path, kind, resolveDir }) =>
      kind === "import-statement"
        ? { path, namespace: "curve", pluginData: resolveDir, sideEffects: false }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "curve" }, ({ path, pluginData }) => ({
      contents: curveStandIn(path),
      loader: "js",
      resolveDir: String(pluginData),
    }));
  },
};

const lazyPrefix = "\0lazy:";
const curvePrefix = "\0curve:";

/** The same for Rolldown. */
export const lazyModulesForRolldown: RolldownPlugin = {
  name: "lazy-modules",
  async resolveId(source, importer, { kind }) {
    if (kind !== "import-statement") return undefined;
    if (builtins.has(source)) return { id: lazyPrefix + source, moduleSideEffects: false };
    if (source !== curve) return undefined;
    const found = await this.resolve(source, importer, { skipSelf: true });
    return found === null ? undefined : { id: curvePrefix + found.id, moduleSideEffects: false };
  },
  load(id) {
    if (id.startsWith(lazyPrefix)) return standIn(id.slice(lazyPrefix.length));
    return id.startsWith(curvePrefix) ? curveStandIn(id.slice(curvePrefix.length)) : undefined;
  },
};
