/** The builtins on hashes of strings and their notations. */
import {
  FirnError,
  type HashAlgorithm,
  type HashFormat,
  hashData,
  hashPlaceholder,
  parseHash,
  parseHashAlgorithm,
  printHash,
} from "@firn/formats";
import { host } from "../code/interpret.ts";
import { none } from "../heap/memory.ts";
import { attribute } from "../heap/set.ts";
import { makeString } from "../heap/string.ts";
import { intern } from "../heap/symbol.ts";
import {
  attrsArgument,
  type BuiltinTable,
  plainArgument,
  requiredAttr,
  requireFeature,
  textArgument,
} from "./arguments.ts";

function hashFormat(name: string): HashFormat {
  switch (name) {
    case "base16":
    case "nix32":
    case "base64":
    case "sri":
      return name;
    case "base32":
      host().report({ kind: "warning", text: '"base32" is a deprecated alias for hash format "nix32".' });
      return "nix32";
    default:
      throw new FirnError(
        "unknown-hash-format",
        `unknown hash format '${name}', expect 'base16', 'base32', 'base64', or 'sri'`,
      );
  }
}

/** Returns the hash algorithm of a builtin's argument. */
export function hashAlgorithm(name: string): HashAlgorithm {
  if (name === "blake3") requireFeature("blake3-hashes");
  return parseHashAlgorithm(name);
}

export const hashBuiltins: BuiltinTable = {
  hashString: {
    arity: 2,
    call: (a, b) => {
      const algorithm = plainArgument(a, "while evaluating the first argument passed to builtins.hashString");
      const known = hashAlgorithm(algorithm);
      const text = textArgument(b, "while evaluating the second argument passed to builtins.hashString");
      return makeString(printHash(hashData(known, text), "base16", false));
    },
  },
  convertHash: {
    arity: 1,
    call: (a) => {
      const attrs = attrsArgument(a, "while evaluating the first argument passed to builtins.convertHash");
      const hash = plainArgument(
        requiredAttr(attrs, "hash", "while locating the attribute 'hash'"),
        "while evaluating the attribute 'hash'",
      );
      const algorithmSlot = attribute(attrs, intern("hashAlgo"));
      const algorithm =
        algorithmSlot === none
          ? undefined
          : hashAlgorithm(plainArgument(algorithmSlot, "while evaluating the attribute 'hashAlgo'"));
      const format = hashFormat(
        plainArgument(
          requiredAttr(attrs, "toHashFormat", "while locating the attribute 'toHashFormat'"),
          "while evaluating the attribute 'toHashFormat'",
        ),
      );
      return makeString(printHash(parseHash(hash, algorithm), format, format === "sri"));
    },
  },
  placeholder: {
    arity: 1,
    global: true,
    call: (a) =>
      makeString(
        hashPlaceholder(plainArgument(a, "while evaluating the first argument passed to builtins.placeholder")),
      ),
  },
};
