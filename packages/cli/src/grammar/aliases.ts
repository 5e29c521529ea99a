/** Former names of commands, which still work and are deprecated. */

/** Commands by their former names. */
export const deprecatedNames: ReadonlyMap<string, readonly string[]> = new Map([
  ["add-to-store", ["store", "add-path"]],
  ["cat-nar", ["nar", "cat"]],
  ["cat-store", ["store", "cat"]],
  ["copy-sigs", ["store", "copy-sigs"]],
  ["dev-shell", ["develop"]],
  ["diff-closures", ["store", "diff-closures"]],
  ["doctor", ["config", "check"]],
  ["dump-path", ["store", "dump-path"]],
  ["hash-file", ["hash", "file"]],
  ["hash-path", ["hash", "path"]],
  ["ls-nar", ["nar", "ls"]],
  ["ls-store", ["store", "ls"]],
  ["make-content-addressable", ["store", "make-content-addressed"]],
  ["optimise-store", ["store", "optimise"]],
  ["ping-store", ["store", "info"]],
  ["show-config", ["config", "show"]],
  ["show-derivation", ["derivation", "show"]],
  ["sign-paths", ["store", "sign"]],
  ["to-base16", ["hash", "to-base16"]],
  ["to-base32", ["hash", "to-base32"]],
  ["to-base64", ["hash", "to-base64"]],
  ["to-sri", ["hash", "to-sri"]],
  ["verify", ["store", "verify"]],
]);
