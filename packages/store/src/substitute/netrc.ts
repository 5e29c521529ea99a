/** Reads netrc files: users and passwords of hosts. */

/** A user name and its password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Returns the words of a netrc file; in double quotes a word may hold blanks, and `\"`, `\\`, `
 * `, `\r` and `\t`.
 */
function wordsOf(text: string): string[] {
  const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
  const words: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/gs)) {
    words.push(plain ?? (quoted ?? "").replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char));
  }
  return words;
}

/** Returns logins by host; `""` is the entry `default`. The first of a host counts. */
export function parseNetrc(text: string): Map<string, Login> {
  const logins = new Map<string, Login>();
  const words = wordsOf(text.replace(/^\s*#.*$/gm, ""));
  let host: string | undefined;
  let user = "";
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "machine" || word === "default") {
      host = word === "default" ? "" : (words[++i] ?? "");
      user = "";
    } else if (word === "login") user = words[++i] ?? "";
    else if (word === "password" && host !== undefined) {
      const password = words[++i] ?? "";
      if (!logins.has(host)) logins.set(host, { user, password });
    }
  }
  return logins;
}
