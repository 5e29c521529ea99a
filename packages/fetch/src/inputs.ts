/** Inputs as data: written, read and resolved, without fetching. Works without Node.js. */
export * from "./input.ts";
export * from "./input-forms.ts";
export * from "./resolve-input.ts";
export { indirectInput } from "./schemes/indirect.ts";
export { parseUrl, percentDecode, percentEncode, printUrl, type Url } from "./url.ts";
