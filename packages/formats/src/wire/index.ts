/** The protocols between stores on different machines and processes, as bytes: codecs that both ends share. */
export * from "./build.ts";
export * from "./codec.ts";
export * from "./conversation.ts";
export * from "./derived-path.ts";
export * from "./framed.ts";
export * from "./input.ts";
export * from "./operation.ts";
export * from "./output.ts";
export * from "./path-info.ts";
export * from "./realisation.ts";
export * from "./serve-operations.ts";
export * from "./stderr.ts";
export * from "./store-values.ts";
export * from "./version.ts";
export * from "./worker-operations.ts";
