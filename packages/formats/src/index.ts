export { type ErrorDetails, FirnError, type SourcePosition, type TraceFrame } from "./base/error.ts";
