/** Finds in source text how it reaches the file system. */
import { type ImportDeclaration, type ParseResult, parseSync, Visitor } from "oxc-parser";

type Program = ParseResult["program"];
type Identifier = { readonly type: "Identifier"; readonly name: string };

/** Functions of `node:fs` that change what lies at a path, without `Sync`; making a directory changes nothing that is there. */
const changing = new Set([
  ...["rm", "rmdir", "unlink", "rename", "cp", "copyFile", "link", "symlink", "truncate", "createWriteStream"],
  ...["chmod", "lchmod", "chown", "lchown", "utimes", "lutimes", "writeFile", "appendFile", "mkdtempDisposable"],
]);

/** Functions of the store that read files or trees at a path. */
const reading = new Set([
  ...[
    "OpenDirectory",
    "TreeWriter",
    "dumpPath",
    "entriesIn",
    "hashTree",
    "readFileChunks",
    "readStoreFile",
    "withPlace",
  ],
]);

/** Functions of the store's seam that follow links. */
const following = new Set(["chmod", "chown", "setMtime"]);

/** Found where a text reaches the file system in a way that cannot be seen through. */
export const hidden = "a way other than importing names";

function parse(text: string): Program {
  const { program, errors } = parseSync("source.ts", text);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  return program;
}

function isIdentifier(node: { readonly type: string }): node is Identifier {
  return node.type === "Identifier";
}

interface Imported {
  /** Names there, by the local names that values imported from a module have. */
  readonly names: ReadonlyMap<string, string>;
  /** Local names of the whole module. */
  readonly wholes: ReadonlySet<string>;
  /** Whether the module is named elsewhere: imported at run time, required, exported again. */
  readonly elsewhere: boolean;
}

function importsFrom(program: Program, module: RegExp): Imported {
  const names = new Map<string, string>();
  const wholes = new Set<string>();
  const plain = new Set<object>();
  let elsewhere = false;
  const add = (declaration: ImportDeclaration): void => {
    for (const item of declaration.specifiers) {
      if (item.type !== "ImportSpecifier") wholes.add(item.local.name);
      else if (item.importKind !== "type") {
        names.set(item.local.name, item.imported.type === "Literal" ? item.imported.value : item.imported.name);
      }
    }
  };
  new Visitor({
    ImportDeclaration(node) {
      plain.add(node.source);
      if (module.test(node.source.value) && node.importKind !== "type") add(node);
    },
    Literal(node) {
      if (typeof node.value === "string" && module.test(node.value) && !plain.has(node)) elsewhere = true;
    },
    TemplateElement(node) {
      if (module.test(node.value.raw)) elsewhere = true;
    },
  }).visit(program);
  return { names, wholes, elsewhere };
}

/** One use of a variable: by itself, or by a member that is written as a name. */
interface Use {
  readonly name: string;
  readonly member?: string;
  /** The arguments, where it is called at once. */
  readonly call?: readonly { readonly type: string }[];
}

/** Uses of the variables of these names, whatever scope they are of. */
function usesOf(program: Program, names: { has(name: string): boolean }): Use[] {
  const uses: Use[] = [];
  const done = new Set<object>();
  const calls = new Map<object, readonly { readonly type: string }[]>();
  const key = (node: { readonly key: object; readonly computed: boolean }): void => {
    if (!node.computed) done.add(node.key);
  };
  const use = (node: object, name: string, member?: string): void => {
    const call = calls.get(node);
    uses.push({ name, ...(member === undefined ? {} : { member }), ...(call === undefined ? {} : { call }) });
  };
  const imported = (node: { readonly local: object }): void => {
    done.add(node.local);
    if ("imported" in node && typeof node.imported === "object" && node.imported !== null) done.add(node.imported);
  };
  new Visitor({
    ImportSpecifier: imported,
    ImportDefaultSpecifier: imported,
    ImportNamespaceSpecifier: imported,
    Property: key,
    MethodDefinition: key,
    PropertyDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    CallExpression(node) {
      calls.set(node.callee, node.arguments);
    },
    MemberExpression(node) {
      if (node.computed) return;
      done.add(node.property);
      if (!isIdentifier(node.object) || !names.has(node.object.name)) return;
      done.add(node.object);
      use(node, node.object.name, node.property.name);
    },
    TSQualifiedName(node) {
      done.add(node.right);
      if (!isIdentifier(node.left) || !names.has(node.left.name)) return;
      done.add(node.left);
      use(node, node.left.name, node.right.name);
    },
    Identifier(node) {
      if (!done.has(node) && names.has(node.name)) use(node, node.name);
    },
  }).visit(program);
  return uses;
}

/** What a text uses of `node:fs`: its names there, `hidden` where that cannot be told, and how they are called. */
function usedOfFs(program: Program): { readonly name: string; readonly call?: Use["call"] }[] {
  const { names, wholes, elsewhere } = importsFrom(program, /^(?:node:)?fs(?:\/promises)?$|^@firn\/store\/files$/);
  const found: { name: string; call?: Use["call"] }[] = [...names.values()].map((name) => ({ name, call: [] }));
  if (elsewhere || usesBuiltins(program)) found.push({ name: hidden });
  for (const { name, call } of usesOf(program, names)) found.push({ name: names.get(name)!, call });
  for (const { member, call } of usesOf(program, wholes)) found.push({ name: member ?? hidden, call });
  return found.map((each) => (["promises", "default"].includes(each.name) ? { name: hidden } : each));
}

/** Whether a text asks the process for a module of Node's. */
function usesBuiltins(program: Program): boolean {
  let found = false;
  const look = (text: unknown): void => {
    if (text === "getBuiltinModule") found = true;
  };
  new Visitor({
    Identifier: (node) => look(node.name),
    Literal: (node) => look(node.value),
    TemplateElement: (node) => look(node.value.raw),
  }).visit(program);
  return found;
}

/** Names that an expression of flags is made of, and `undefined` for anything else in it. */
function flagNames(node: object): (string | undefined)[] {
  const { type, operator, left, right, name, property, computed } = node as Record<string, unknown>;
  if (type === "BinaryExpression" && operator === "|")
    return [...flagNames(left as object), ...flagNames(right as object)];
  if (type === "MemberExpression" && computed === false) return flagNames(property as object);
  return [type === "Identifier" ? (name as string) : undefined];
}

/** Whether a call of `open` only reads. */
function onlyReads(call: Use["call"]): boolean {
  if (call === undefined || call.slice(0, 2).some(({ type }) => type === "SpreadElement")) return false;
  const flags = call[1];
  if (flags === undefined) return true;
  if ("value" in flags) return flags.value === "r" || flags.value === "rs";
  const names = flagNames(flags);
  const writing = /^O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)$/;
  return names.includes("O_RDONLY") && names.every((name) => name?.startsWith("O_") === true && !writing.test(name));
}

/** How a text changes what lies at paths, by other means than the store's: names of `node:fs`, and of `disk` those that follow links. */
export function changesByPath(source: string): string[] {
  const program = parse(source);
  const found: string[] = [];
  for (const { name, call } of usedOfFs(program)) {
    if (name === hidden || changing.has(name.replace(/Sync$/, ""))) found.push(name);
    if (/^open(?:Sync)?$/.test(name) && !onlyReads(call)) found.push(`${name} for writing`);
  }
  const seams = new Set(["disk"]);
  for (const [local, name] of importsFrom(program, /./).names) if (name === "disk") seams.add(local);
  for (const { member } of usesOf(program, seams)) {
    if (member === undefined) found.push(hidden);
    else if (following.has(member)) found.push(`disk.${member}`);
  }
  return [...new Set(found)].sort();
}

/** What a text uses that could read files: names of `node:fs`, and functions of the store that read by path. */
export function readsFiles(source: string): string[] {
  const program = parse(source);
  const store = importsFrom(program, /^@firn\/store$/);
  const found = usedOfFs(program).map(({ name }) => name);
  found.push(...[...store.names.values()].filter((name) => reading.has(name)));
  if (store.wholes.size > 0 || store.elsewhere) found.push(hidden);
  return [...new Set(found)].sort();
}
