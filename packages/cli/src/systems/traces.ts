/**
 * Errors of a configuration in terms of its author's own files: frames inside the module system and its modules mean nothing
 * to the author and would fill the trace. `--show-trace` shows everything.
 */
import { FirnError, type TraceFrame } from "@firn/formats";
import type { Session } from "../session/session.ts";

/** Pattern of Firn's module system, modules and package set, and of the files of nixpkgs' lib that do the same work. */
const library =
  /\/os\/(?:lib|modules|pkgs)\/[^/].*\.nix$|\/lib\/(?:modules|types|options|attrsets|lists|trivial|customisation|fixed-points)\.nix$/;

/** A module that is a directory. */
const modules = /\/os\/modules\/[^/].*$/;

/** Runs `work`; an error's trace loses the frames of the library. */
export async function withOwnTraces<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FirnError) || session.settings.get("show-trace")) throw error;
    const { code, message, position, hint, suggestions, cause, exitStatus } = error;
    throw new FirnError(code, message, {
      trace: ownFrames(error.trace),
      suggestions,
      exitStatus,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
      ...(position === undefined || library.test(position.file) ? {} : { position }),
    });
  }
}

/**
 * Returns frames innermost first: those of the author's files, and the innermost option with its definitions. The frames of options
 * come from nixpkgs' lib by `addErrorContext`, which gives them a text and nothing else to know them by.
 */
function ownFrames(trace: readonly TraceFrame[]): TraceFrame[] {
  let option = false;
  let internal = false;
  return trace.filter(({ message, position }) => {
    if (position !== undefined) return !library.test(position.file);
    const derivation = /^while evaluating derivation '.*'\n *whose name attribute is located at (.*):\d+:\d+$/.exec(
      message,
    )?.[1];
    if (derivation !== undefined) return !library.test(derivation);
    if (/^while (calling the |evaluating the [a-z]+ argument passed to )/.test(message)) return false;
    const definitions = /^while evaluating definitions from `(.*)':$/.exec(message)?.[1];
    if (definitions !== undefined) {
      internal = library.test(definitions) || modules.test(definitions);
      return !option && !internal;
    }
    if (!message.startsWith("while evaluating the option ")) return true;
    if (internal && !option) {
      // An option that only modules define says nothing of what the author wrote.
      option = true;
      return false;
    }
    // The options further out only say for what the system needs it.
    const innermost = !option;
    option = true;
    return innermost;
  });
}
