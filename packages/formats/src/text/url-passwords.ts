/** Passwords in URLs, which are kept out of messages and out of the sight of other users. */

/** Returns the text without the passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^\s/?#@:]*):[^\s/?#]*@/g, "$1@");
}
