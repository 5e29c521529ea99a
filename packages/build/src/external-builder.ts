/**
 * Builders that are programs of the user's: each runs the builds of certain systems, in a virtual machine for example. A builder is given
 * a description of the build, prints a line when its surroundings are ready, and from then on what the build prints.
 */
import { type Derivation, FirnError, type JsonValue, jsonNumber, printJson } from "@firn/formats";
import type { ExternalBuilder, Settings, StoreFiles } from "@firn/store";
import type { BuildLog } from "./log/build-log.ts";
import type { RunResult } from "./run-builder.ts";

/** The build directory as builds see it. */
export const externalBuildDir = "/build";

/** Returns the external builder for a derivation; undefined when there is none. */
export function externalBuilderOf(settings: Settings, { system }: Derivation): ExternalBuilder | undefined {
  return settings.get("external-builders").find(({ systems }) => systems.includes(system));
}

/** The facts of a build that an external builder is told. */
export interface ExternalBuild {
  readonly derivation: Derivation;
  readonly environment: ReadonlyMap<string, string>;
  /** The build directory and the directory around it, on this machine. */
  readonly directories: { readonly top: string; readonly build: string };
  readonly store: StoreFiles & { readonly storeDir: string };
  readonly inputs: ReadonlySet<string>;
  /** The path that the build writes each output to. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Returns the description of a build, as JSON. */
export function describeBuild({ derivation, environment, directories, store, inputs, outputs }: ExternalBuild): string {
  return printJson(
    new Map<string, JsonValue>([
      ["version", jsonNumber(1)],
      ["builder", derivation.builder],
      ["args", derivation.args],
      ["env", environment],
      ["topTmpDir", directories.top],
      ["tmpDir", directories.build],
      ["tmpDirInSandbox", externalBuildDir],
      ["storeDir", store.storeDir],
      ["realStoreDir", store.location.realStoreDir],
      ["system", derivation.system],
      ["inputPaths", [...inputs].sort()],
      ["outputs", outputs],
    ]),
  );
}

/** The line that ends the messages of a builder about its own surroundings. */
const begun = Buffer.from("\x02\n");
const newline = 10;
/** Limit of what a builder says before, in bytes. */
const maxMessages = 1 << 20;

/** Receives the output of an external builder and passes on what comes after the line that tells that the build begins. */
export class ExternalOutput implements Pick<BuildLog, "write" | "drained" | "size"> {
  readonly #log: BuildLog;
  #begun = false;
  #before = Buffer.alloc(0);

  constructor(log: BuildLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#log.size;
  }

  write(data: Buffer): boolean {
    if (this.#begun) return this.#log.write(data);
    const before = Buffer.concat([this.#before, data]);
    for (let start = 0; ; ) {
      const end = before.indexOf(newline, start);
      if (end < 0) break;
      if (before.subarray(start, end + 1).equals(begun)) {
        this.#begun = true;
        this.#before = before.subarray(0, start);
        return end + 1 === before.length || this.#log.write(before.subarray(end + 1));
      }
      start = end + 1;
    }
    this.#before = before.length > maxMessages ? before.subarray(-maxMessages) : before;
    return true;
  }

  drained(): Promise<void> {
    return this.#log.drained();
  }

  /** Throws `external-builder` when the builder has ended before the build began. */
  requireBegun(drvPath: string, result: RunResult): void {
    if (this.#begun) return;
    const status = result.ok ? "succeeded" : result.status;
    const said = this.#before.toString("latin1").split("\n").slice(0, -1).join("|");
    throw new FirnError("external-builder", "unexpected EOF reading a line", {
      trace: [
        {
          message: `while waiting for the build environment for '${drvPath}' to initialize (${status}, previous messages: ${said})`,
          always: true,
        },
      ],
    });
  }
}
