/** The base that every program loads at its start: byte strings, errors, suggestions, versions. */
export * from "./bytes.ts";
export {
  type ErrorDetails,
  FirnError,
  interrupted,
  type SourceExcerpt,
  type SourcePosition,
  type TraceFrame,
  traced,
} from "./error.ts";
export { nixVersion } from "./nix-version.ts";
export { escapePattern } from "./pattern.ts";
export { showSize } from "./size.ts";
export { didYouMean, editDistance, nearNames } from "./suggest.ts";
export * from "./version.ts";
