/** Passwords of remotes, which the programs that reach them get apart from their arguments: those every user of the machine can read. */
import { FirnError, textOf } from "@firn/formats";
import { passwordIn } from "./url.ts";

/** A user name and password for one server (`https://host:port`). */
export interface Login {
  readonly origin: string;
  readonly user: string;
  readonly password: string;
}

/** A URL for a program's arguments, and the login left out of it. */
export interface RemoteAddress {
  readonly url: string;
  readonly login: Login | undefined;
}

/** Splits the password off a URL. Error `bad-url` when name or password would be more than one line to a program. */
export function remoteAddress(url: string): RemoteAddress {
  const found = passwordIn(url);
  if (found === undefined) return { url, login: undefined };
  const { user, password } = found;
  const { origin } = new URL(textOf(found.url));
  const login = { origin, user, password };
  checkLogin(login);
  return { url: found.url, login };
}

/** Checks a login; fails with `bad-url` when a name or password would be more than one line to a program. */
export function checkLogin({ origin, user, password }: Login): void {
  if (!/[\n\r\0]/.test(user + password)) return;
  throw new FirnError("bad-url", `the user name or password for '${origin}' has a line break or a null byte`);
}
