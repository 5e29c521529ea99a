/**
 * Keeps names and passwords out of git's arguments, which every user of the machine can read and which errors show: they go in
 * variables of git's environment, from where a credential helper hands them out, to the host they were written for only.
 */
import { FirnError } from "@firn/formats";

/** Arguments without credentials, and the variables that have them instead. */
export interface CredentialFreeArguments {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const urlWithUser = /^(https?):\/\/([^/?#@]*(?:@[^/?#@]*)*)@([^/?#@]*)(.*)$/is;

/** Takes the credentials out of the URLs among git's arguments. Error `bad-url`. */
export function withoutCredentials(args: readonly string[], surroundings: NodeJS.ProcessEnv): CredentialFreeArguments {
  const environment: Record<string, string> = {};
  // Configuration that the user gives in this way stays.
  const before = Number(surroundings.GIT_CONFIG_COUNT ?? 0);
  let count = Number.isSafeInteger(before) && before >= 0 ? before : 0;
  let secrets = 0;
  const plain = args.map((argument) => {
    const match = urlWithUser.exec(argument);
    if (match === null) return argument;
    const [, scheme = "", user = "", host = "", rest = ""] = match;
    const colon = user.indexOf(":");
    const name = decoded(colon < 0 ? user : user.slice(0, colon), host);
    let script = `printf 'username=%s\\n' "$FIRN_GIT_USER_${secrets}"`;
    environment[`FIRN_GIT_USER_${secrets}`] = name;
    if (colon >= 0) {
      environment[`FIRN_GIT_PASSWORD_${secrets}`] = decoded(user.slice(colon + 1), host);
      script += `; printf 'password=%s\\n' "$FIRN_GIT_PASSWORD_${secrets}"`;
    }
    environment[`GIT_CONFIG_KEY_${count}`] = `credential.${scheme.toLowerCase()}://${host}.helper`;
    environment[`GIT_CONFIG_VALUE_${count}`] = `!f() { test "$1" = get && { ${script}; }; }; f`;
    count++;
    secrets++;
    return `${scheme}://${host}${rest}`;
  });
  if (secrets > 0) environment.GIT_CONFIG_COUNT = String(count);
  return { args: plain, environment };
}

function decoded(text: string, host: string): string {
  const plain = text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString());
  if (/[\0\r\n]/.test(plain)) {
    throw new FirnError("bad-url", `the credentials in the URL of '${host}' contain a line break or a null byte`);
  }
  return plain;
}
