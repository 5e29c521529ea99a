/** The graph of references between store paths as text: a tree, and the languages of Graphviz and GraphML. */
import { isDerivationPath, storePathBaseName, storePathName } from "@firn/formats";
import { type PathFacts, requirePathInfo, sortByReferences } from "@firn/store";

/** Receives one line, a byte string without its end. */
type Line = (text: string) => void;

/** Prints the references of `roots` as trees; a path that comes again is only named. Error `invalid-path`. */
export async function printTrees(store: PathFacts, roots: readonly string[], line: Line): Promise<void> {
  const seen = new Set<string>();
  const print = async (path: string, first: string, tail: string): Promise<void> => {
    if (seen.has(path)) {
      line(`${first}${path} [...]`);
      return;
    }
    seen.add(path);
    line(`${first}${path}`);
    const { references } = await requirePathInfo(store, path);
    const sorted = await sortByReferences(store, references);
    for (const [index, reference] of sorted.entries()) {
      const last = index === sorted.length - 1;
      await print(reference, tail + bytes(last ? "└───" : "├───"), tail + bytes(last ? "    " : "│   "));
    }
  };
  for (const root of roots) await print(root, "", "");
}

function bytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Calls `visit` for each path of the closure of `roots` with its references to others, always the least path first. */
async function walkGraph(
  store: PathFacts,
  roots: readonly string[],
  visit: (path: string, node: { readonly narSize: number; readonly references: readonly string[] }) => void,
): Promise<void> {
  const todo = new Set(roots);
  const done = new Set<string>();
  while (todo.size > 0) {
    let least: string | undefined;
    for (const path of todo) if (least === undefined || path < least) least = path;
    if (least === undefined) return;
    todo.delete(least);
    if (done.has(least)) continue;
    done.add(least);
    const own = least;
    const { narSize, references } = await requirePathInfo(store, own);
    const others = references.filter((reference) => reference !== own).sort();
    for (const reference of others) todo.add(reference);
    visit(own, { narSize, references: others });
  }
}

const edgeColours = ["black", "red", "green", "blue", "magenta", "burlywood"];

/** Prints the references of the closure of `roots` in the language of Graphviz. Error `invalid-path`. */
export async function printDotGraph(store: PathFacts, roots: readonly string[], line: Line): Promise<void> {
  let edges = 0;
  line("digraph G {");
  await walkGraph(store, roots, (path, { references }) => {
    const node = storePathBaseName(path);
    line(`"${node}" [label = "${storePathName(path)}", shape = box, style = filled, fillcolor = "#ff0000"];`);
    for (const reference of references) {
      const colour = edgeColours[edges++ % edgeColours.length];
      line(`"${storePathBaseName(reference)}" -> "${node}" [color = "${colour}"];`);
    }
  });
  line("}");
}

/** Prints the references of the closure of `roots` as GraphML. Error `invalid-path`. */
export async function printGraphml(store: PathFacts, roots: readonly string[], line: Line): Promise<void> {
  line("<?xml version='1.0' encoding='utf-8'?>");
  line("<graphml xmlns='http://graphml.graphdrawing.org/xmlns'");
  line("    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'");
  line("    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>");
  const key = (name: string, type: string): string =>
    `<key id='${name}' for='node' attr.name='${name}' attr.type='${type}'/>`;
  const keys = [key("narSize", "long"), key("name", "string"), key("type", "string")];
  line(`${keys.join("")}<graph id='G' edgedefault='directed'>`);
  await walkGraph(store, roots, (path, { narSize, references }) => {
    const node = storePathBaseName(path);
    const name = storePathName(path);
    line(`  <node id="${node}">`);
    line(`    <data key="narSize">${narSize}</data>`);
    // The reference shows the name up to its first dash.
    line(`    <data key="name">${name.slice(0, name.indexOf("-") + 1)}</data>`);
    line(`    <data key="type">${isDerivationPath(path) ? "derivation" : "output-path"}</data>`);
    line("  </node>");
    for (const reference of references) {
      line(`  <edge source="${node}" target="${storePathBaseName(reference)}"/>`);
    }
  });
  line("</graph>");
  line("</graphml>");
}
