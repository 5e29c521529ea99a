/** Every byte format of Nix, without any input or output of its own. */
export * from "./base/bytes.ts";
export {
  type ErrorDetails,
  FirnError,
  type SourceExcerpt,
  type SourcePosition,
  type TraceFrame,
} from "./base/error.ts";
export { type ErrorCode, errorCodes, isErrorCode } from "./base/error-codes.ts";
export { nixVersion } from "./base/nix-version.ts";
export { didYouMean, editDistance, nearNames } from "./base/suggest.ts";
export * from "./base/version.ts";
export * from "./derivation/compare.ts";
export * from "./derivation/derivation.ts";
export * from "./derivation/derived-path.ts";
export * from "./derivation/hash.ts";
export * from "./derivation/json.ts";
export * from "./derivation/parse.ts";
export * from "./derivation/print.ts";
export * from "./hash/algorithm.ts";
export * from "./hash/encoding.ts";
export * from "./hash/hash.ts";
export * from "./nar/encoder.ts";
export * from "./nar/listing.ts";
export * from "./nar/parser.ts";
export * from "./nar/tree.ts";
export * from "./narinfo/keys.ts";
export * from "./narinfo/narinfo.ts";
export * from "./narinfo/path-info.ts";
export * from "./store-path/content-address.ts";
export * from "./store-path/make.ts";
export * from "./store-path/name.ts";
export * from "./text/flake-lock.ts";
export * from "./text/json.ts";
export * from "./text/json-error.ts";
export { naming } from "./text/named-text.ts";
export * from "./text/nix-conf.ts";
export * from "./text/registry.ts";
export * as wire from "./wire/index.ts";
