/** The part of a store's URL after `?`. */
import { FirnError } from "@firn/formats";

/**
 * Returns the parameters of a query as bytes; of two with one name the first counts. A `+` is no space, as in base64. Error
 * `unknown-store` for a `%` without two digits and for a null byte.
 */
export function unescapedQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split("&")) {
    const sign = part.indexOf("=");
    if (part === "") continue;
    const [name, value] = sign < 0 ? [part, ""] : [part.slice(0, sign), part.slice(sign + 1)];
    if (parameters.has(name)) continue;
    parameters.set(unescaped(name, query), unescaped(value, query));
  }
  return parameters;
}

/** Returns a part of a URL, named in errors by `query`, as bytes. Error `unknown-store` for a `%` without two digits and for a null byte. */
export function unescaped(text: string, query: string): string {
  if (/%(?!(?!00)[0-9a-f]{2})/i.test(text)) throw new FirnError("unknown-store", `invalid URI query '${query}'`);
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
