/** Building and substituting for evaluations and commands, over one store of this machine. */
import { makeStoreBuilder, type StoreBuilder, type StoreBuilderOptions } from "@firn/build";
import type { DerivedPath } from "@firn/formats";
import type { ContextElement } from "@firn/language";

/** The surroundings of building. */
export type BuilderOptions = StoreBuilderOptions;

/** Builds, substitutes and plans; also for elements of string contexts. */
export interface Builder extends StoreBuilder {
  /** Realises the elements of a context; resolves to `drvPath!output` → path for every output. */
  realise(elements: readonly ContextElement[]): Promise<ReadonlyMap<string, string>>;
}

/** Makes a builder; substituters are opened at their first use. */
export function makeBuilder(options: BuilderOptions): Builder {
  const { store } = options;
  const builder = makeStoreBuilder(options);
  return {
    ...builder,
    get busy() {
      return builder.busy;
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
        if (!(await store.isValidPath(path))) wanted.push({ kind: "opaque", path });
      }
      if (wanted.length === 0) return outputs;
      for (const result of await builder.build(wanted)) {
        if (result.path.kind !== "built") continue;
        for (const [name, path] of result.outputs) outputs.set(`${result.path.drvPath}!${name}`, path);
      }
      return outputs;
    },
  };
}
