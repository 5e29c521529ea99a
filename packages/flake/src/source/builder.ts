/** Building and substituting for evaluations and commands, over one store of this machine. */
import { makeStoreBuilder, type StoreBuilder, type StoreBuilderOptions } from "@firn/build";
import type { DerivedPath } from "@firn/formats";
import type { ContextElement } from "@firn/language";
import { copyClosure } from "@firn/store";

/** The surroundings of building. */
export type BuilderOptions = StoreBuilderOptions;

/** Builds, substitutes and plans; also for elements of string contexts. */
export interface Builder extends StoreBuilder {
  /** Realises the elements of a context; resolves to `drvPath!output` → path for every output. */
  realise(elements: readonly ContextElement[]): Promise<ReadonlyMap<string, string>>;
  /** Makes a path valid where evaluations read, by substitution if possible; resolves to true when it is valid afterwards. */
  obtain(path: string): Promise<boolean>;
}

/** Makes a builder; substituters are opened at their first use. */
export function makeBuilder(options: BuilderOptions): Builder {
  const { store, evalStore = store } = options;
  const builder = makeStoreBuilder(options);
  /** Lets an evaluation read a path that was built or fetched. */
  const take = async (path: string): Promise<void> => {
    if (evalStore !== store) await copyClosure([path], { from: store, to: evalStore });
    await evalStore.fetchFiles?.(path);
  };
  return {
    ...builder,
    get busy() {
      return builder.busy;
    },
    async obtain(path) {
      if (await evalStore.isValidPath(path)) return true;
      if (!(await builder.substitute(path))) return false;
      await take(path);
      return true;
    },
    async realise(elements) {
      const outputs = new Map<string, string>();
      const wanted: DerivedPath[] = [];
      for (const element of elements) {
        if (element.kind === "output") {
          wanted.push({ kind: "built", drvPath: element.drvPath, outputs: [element.output] });
          continue;
        }
        // Sources of flakes are valid nearly always: no cache is asked, nor even opened, for them.
        const path = element.kind === "deep" ? element.drvPath : element.path;
        if (!(await evalStore.isValidPath(path))) wanted.push({ kind: "opaque", path });
        else await evalStore.fetchFiles?.(path);
      }
      if (wanted.length === 0) return outputs;
      for (const result of await builder.build(wanted)) {
        if (result.path.kind === "opaque") {
          await take(result.path.path);
          continue;
        }
        for (const [name, path] of result.outputs) {
          outputs.set(`${result.path.drvPath}!${name}`, path);
          await take(path);
        }
      }
      return outputs;
    },
  };
}
