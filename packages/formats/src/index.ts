export {
  type ErrorDetails,
  FirnError,
  type SourceExcerpt,
  type SourcePosition,
  type TraceFrame,
} from "./base/error.ts";
