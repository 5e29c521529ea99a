/** Passwords in URLs, which stay out of messages and out of what other users can read. */

/** The text with the passwords of the URLs in it left out. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^\s/?#@:]*):[^\s/?#]*@/g, "$1@");
}
