/**
 * The protocol between this program and those of the setting `build-hook`, which build in place of it (the reference's hook `nix
 * __build-remote`): settings, then questions for derivations until one is accepted, its inputs and outputs, and the end.
 */
import { wire } from "@firn/formats";

/** The answer of a hook to a question: not this one, none at all, not now, or the machine that builds it. */
export type HookAnswer =
  | { readonly kind: "decline" | "decline-permanently" | "postpone" }
  | { readonly kind: "accept"; readonly machine: string };

/** The values that the asker writes to the standard input of the hook. */
export const hookCodecs = {
  /** True before each setting, false after the last one. */
  more: wire.flag,
  setting: wire.record({ name: wire.string, value: wire.string }),
  /** `willing` tells that the asker has room for the build itself. */
  question: wire.record({
    word: wire.string,
    willing: wire.flag,
    system: wire.string,
    drvPath: wire.string,
    features: wire.strings,
  }),
  /** Paths of the inputs, closed over references, and names of the outputs that are missing. */
  build: wire.record({ inputs: wire.strings, outputs: wire.strings }),
};

/** The word that begins a question. */
export const questionWord = "try";

/** The beginning of a line of standard error that is an answer. */
export const answerMark = "# ";

/** The beginning of a line of standard error that is a JSON object of the log. */
export const logMark = "@nix ";

/** The descriptor of the hook to which it writes the log of the build. */
export const logDescriptor = 4;

/** A peer of the protocol, which has no versions. */
export function hookPeer(storeDir: string): wire.WirePeer {
  return { storeDir, version: wire.workerProtocol.newest, features: new Set() };
}
