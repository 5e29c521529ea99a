/** The authority of `ssh://` (`user@host:port`), as words for ssh that it takes for nothing else. */
import { byteStringOf, FirnError, textOf } from "@firn/formats";

/** A machine in ssh's words. */
export interface SshAuthority {
  /** `host` or `user@host`. */
  readonly host: string;
  /** Words before the host. */
  readonly words: readonly string[];
}

const pattern = /^(?:([^@:]*)(?::[^@]*)?@)?(\[[0-9a-fA-F:.]+\]|[^@:/[\]]*)(?::(\d{1,5}))?$/s;

/** Reads an authority of a URL; a password in it is left out, since ssh asks for it itself. Error `unknown-store`. */
export function parseSshAuthority(text: string): SshAuthority {
  const match = pattern.exec(text);
  if (match === null) throw invalid(text, "it is not of the form 'user@host:port'");
  const [, user, host = "", port] = match;
  const name = decoded(text, host.replace(/^\[(.*)\]$/, "$1"));
  const destination = user === undefined ? name : `${decoded(text, user)}@${name}`;
  checkSshHost(destination, text);
  return { host: destination, words: port === undefined ? [] : ["-p", port] };
}

/**
 * Checks `user@host`; fails with `unknown-store` when ssh could take it for an option, or when a part of it is empty or no
 * single word.
 */
export function checkSshHost(destination: string, shown = destination): void {
  const at = destination.lastIndexOf("@");
  const parts = [["host", destination.slice(at + 1)], ...(at < 0 ? [] : [["user", destination.slice(0, at)]])];
  for (const [what, name = ""] of parts) {
    if (name === "") throw invalid(shown, `${what} name must not be empty`);
    if (name.startsWith("-")) throw invalid(shown, `${what} name '${name}' must not start with '-'`);
    if (/[\s\p{Cc}]/u.test(name)) throw invalid(shown, `${what} name has a space or a control character`);
  }
}

function decoded(text: string, part: string): string {
  try {
    return byteStringOf(decodeURIComponent(textOf(part)));
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    throw invalid(text, `'${part}' has an escape that is none`);
  }
}

function invalid(text: string, what: string): FirnError {
  return new FirnError("unknown-store", `invalid SSH authority: '${withoutPassword(text)}': ${what}`);
}

function withoutPassword(authority: string): string {
  return authority.replace(/:[^@]*@/, "@");
}
