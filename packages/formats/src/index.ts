/** Every byte format of Nix, without any input or output of its own. */
export * from "./base/bytes.ts";
export {
  type ErrorDetails,
  FirnError,
  type SourceExcerpt,
  type SourcePosition,
  type TraceFrame,
} from "./base/error.ts";
export * from "./derivation/derivation.ts";
export * from "./derivation/hash.ts";
export * from "./derivation/json.ts";
export * from "./derivation/parse.ts";
export * from "./derivation/print.ts";
export * from "./hash/algorithm.ts";
export * from "./hash/encoding.ts";
export * from "./hash/hash.ts";
export * from "./store-path/content-address.ts";
export * from "./store-path/make.ts";
export * from "./store-path/name.ts";
export * from "./text/json.ts";
