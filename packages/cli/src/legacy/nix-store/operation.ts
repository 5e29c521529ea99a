/** The form of an operation of `nix-store`: its declaration, and the function that runs it. */
import { resolve } from "node:path";
import type { Flag, Operation } from "../../grammar/command.ts";
import type { Invocation } from "../../grammar/invocation.ts";
import type { Io } from "../../io.ts";
import type { OldSession } from "../../session/old-session.ts";

/** An operation of `nix-store`. */
export interface StoreOperation extends Operation {
  run(invocation: Invocation, io: Io): Promise<number>;
}

/** Flags of every operation. */
export const rootFlags: readonly Flag[] = [
  {
    name: "add-root",
    labels: ["path"],
    kinds: ["path"],
    description: "Make path a link to the result and register it as a root of the garbage collector.",
  },
  { name: "indirect", description: "Has no effect: every link outside the store's directories is an indirect root." },
  { name: "no-output", description: "Do not print the paths that were realised." },
];

/** Makes the roots of results, numbered as the reference does: `result`, `result-2`, `result-2-dev`. */
export class ResultRoots {
  private readonly session: OldSession;
  private count = 0;
  private warned = false;

  constructor(session: OldSession) {
    this.session = session;
  }

  /** Begins the roots of the next result. */
  next(): void {
    this.count++;
  }

  /** Returns the link that was made for an output of the result, or the path where none is wanted. */
  async add(path: string, output: string): Promise<string> {
    const { invocation, io } = this.session;
    const prefix = invocation.flags.value("add-root");
    if (prefix === undefined) {
      if (!this.warned && !invocation.flags.has("no-gc-warning")) {
        this.session.progress.warn(
          "you did not specify '--add-root'; the result might be removed by the garbage collector",
        );
      }
      this.warned = true;
      return path;
    }
    const number = this.count > 1 ? `-${this.count}` : "";
    const link = resolve(io.cwd, `${prefix}${number}${output === "out" ? "" : `-${output}`}`);
    return (await this.session.store()).addPermRoot(path, link);
  }
}
