/**
 * URLs as flake references and fetchers read them: `scheme://authority/path?query#fragment`, percent-encoded, kept apart
 * so that printing gives the same text back (manual: "Flake references").
 */
import { FirnError, withoutPasswords } from "@firn/formats";

/** A parsed URL; path and query values are decoded. */
export interface Url {
  /** Transport and application layer as written, e.g. `git+https`. */
  readonly scheme: string;
  /** Host, port and user; undefined for `path:x`, empty for `file:///x`. */
  readonly authority: string | undefined;
  readonly path: string;
  /** The path as written, when it has escaped slashes that would look like separators after decoding. */
  readonly encodedPath?: string;
  readonly query: ReadonlyMap<string, string>;
  readonly fragment: string;
}

const pattern = /^([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** Parses a URL, and passes warnings about parts of its query that count for nothing; fails with `bad-url`. */
export function parseUrl(text: string, warn?: (text: string) => void): Url {
  const match = pattern.exec(text);
  if (match === null || /[\s\0]/.test(text))
    throw new FirnError("bad-url", `'${withoutPasswords(text)}' ${complaint(text)}`);
  const [, scheme = "", authority, path = "", query = "", fragment = ""] = match;
  return {
    scheme,
    authority,
    path: percentDecode(path),
    ...(/%2f/i.test(path) ? { encodedPath: path } : {}),
    query: parseQuery(query, warn),
    fragment: percentDecode(fragment),
  };
}

/** Returns the reference's error message for a text that is no URL. */
function complaint(text: string): string {
  if (/%(?![0-9a-fA-F]{2})|\[|^[0-9][a-zA-Z0-9+.-]*:/.test(text)) return "is not a valid URL: mismatch";
  if (/^[^\s\0:"<>\\^`{|}]+$/.test(text)) return "doesn't have a scheme";
  return "is not a valid URL: leftover";
}

/** Decodes a query string; later keys win. Parts without `=` are dropped with a warning. */
export function parseQuery(text: string, warn?: (text: string) => void): Map<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    const equals = part.indexOf("=");
    if (equals < 0 && part !== "") warn?.(`dubious URI query '${part}' is missing equal sign '=', ignoring`);
    if (equals > 0) query.set(percentDecode(part.slice(0, equals)), percentDecode(part.slice(equals + 1)));
  }
  return query;
}

/** Prints a URL with its query sorted by key. */
export function printUrl(url: Url): string {
  const authority = url.authority === undefined ? "" : `//${url.authority}`;
  const query = printQuery(url.query);
  const fragment = url.fragment === "" ? "" : `#${percentEncode(url.fragment, "")}`;
  const { encodedPath } = url;
  const path =
    encodedPath !== undefined && percentDecode(encodedPath) === url.path
      ? encodedPath
      : percentEncode(url.path, allowedInPath);
  return `${url.scheme}:${authority}${path}${query === "" ? "" : `?${query}`}${fragment}`;
}

/** Prints `a=b&c=d`, sorted by key. */
export function printQuery(query: ReadonlyMap<string, string>): string {
  return [...query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${percentEncode(key, allowedInQuery)}=${percentEncode(value, allowedInQuery)}`)
    .join("&");
}

const allowedInPath = "!$&'()*+,;=:@/";
const allowedInQuery = ":@/?";

/** Decodes `%xx`; fails with `bad-url` on a broken escape and on a null byte, which no path, name or variable can have. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%(.{0,2})/gs, (_, digits: string) => {
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw new FirnError("bad-url", `invalid URI parameter '${text}'`);
    if (digits === "00") throw new FirnError("bad-url", `'${text}' contains a null byte`);
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}

/** Encodes every byte that is neither unreserved nor in `keep`. */
export function percentEncode(text: string, keep: string): string {
  return text.replace(/[^a-zA-Z0-9\-._~]/gs, (char) => {
    if (keep.includes(char)) return char;
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** Returns the user before the host of a URL, decoded, and the URL without the password; undefined when it has no password. */
export function passwordIn(
  text: string,
): { readonly url: string; readonly user: string; readonly password: string } | undefined {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^/?#@:]*):([^/?#]*)@/.exec(text);
  if (match === null) return undefined;
  const [all, scheme = "", user = "", password = ""] = match;
  const rest = text.slice(all.length);
  return {
    url: `${scheme}${user === "" ? "" : `${user}@`}${rest}`,
    user: percentDecode(user),
    password: percentDecode(password),
  };
}
