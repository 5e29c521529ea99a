/** Verifies signatures of commits: attributes `verifyCommit`, `publicKey`, `keytype` and `publicKeys` of Git inputs. */
import { join } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, withTemporaryDirectory } from "@firn/store";
import { gitOutcome } from "./git-program.ts";
import type { GitRepository } from "./git-repository.ts";
import { booleanAttribute, type Input, stringAttribute } from "./input.ts";

const attributes = ["verifyCommit", "publicKey", "keytype", "publicKeys"];

const keyTypes = ["ssh-dsa", "ssh-ecdsa", "ssh-ecdsa-sk", "ssh-ed25519", "ssh-ed25519-sk", "ssh-rsa"];

interface PublicKey {
  readonly type: string;
  readonly key: string;
}

/** Tells whether an input has an attribute about signatures. */
export function asksForSignature(input: Input): boolean {
  return attributes.some((name) => input.has(name));
}

/** Tells whether a commit of an input must be signed: as `verifyCommit` says, or else when keys are given. */
export function needsSignature(input: Input): boolean {
  return input.has("verifyCommit") ? booleanAttribute(input, "verifyCommit") : publicKeysOf(input).length > 0;
}

function publicKeysOf(input: Input): PublicKey[] {
  const keys: PublicKey[] = [];
  const listed = stringAttribute(input, "publicKeys");
  if (listed !== undefined) {
    const parsed = parsedKeys(listed);
    for (const entry of parsed) keys.push(publicKeyOf(entry));
  }
  const key = stringAttribute(input, "publicKey");
  if (key !== undefined) keys.push({ type: stringAttribute(input, "keytype") ?? "ssh-ed25519", key });
  return keys;
}

function parsedKeys(text: string): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FirnError("bad-input", "input attribute 'publicKeys' is not JSON", { cause });
  }
  if (Array.isArray(parsed)) return parsed;
  throw new FirnError("bad-input", "input attribute 'publicKeys' is not a list of keys");
}

function publicKeyOf(entry: unknown): PublicKey {
  const shown = JSON.stringify(entry);
  if (typeof entry !== "object" || entry === null || !("key" in entry)) {
    throw new FirnError("bad-input", `Expected JSON object to contain key 'key' but it doesn't: ${shown}`);
  }
  const type = "type" in entry ? entry.type : "ssh-ed25519";
  for (const value of [entry.key, type]) {
    if (typeof value === "string") continue;
    const kind = value === null ? "null" : typeof value;
    throw new FirnError(
      "bad-input",
      `Expected JSON value to be of type 'string' but it is of type '${kind}': ${JSON.stringify(value)}`,
    );
  }
  return { type: String(type), key: String(entry.key) };
}

/** Returns the lines of an `allowed_signers` file. Fails for types and keys that would form other lines. */
function allowedSigners(keys: readonly PublicKey[]): string {
  return keys
    .map(({ type, key }) => {
      if (!keyTypes.includes(type)) {
        throw new FirnError(
          "bad-input",
          `Invalid SSH key type '${type}' in publicKeys.\nPlease use one of:\n${keyTypes.map((name) => `  ${name}`).join("\n")}`,
        );
      }
      if (/[\p{Cc}]/u.test(key)) throw new FirnError("bad-input", `the public key '${key}' is not one line`);
      return `* ${type} ${key}\n`;
    })
    .join("");
}

/**
 * Checks the signature of a commit for inputs that need one; fails with `bad-signature` unless it is an SSH signature by one
 * of the input's keys.
 */
export async function checkSignature(repository: GitRepository, rev: string, input: Input): Promise<void> {
  if (!needsSignature(input)) return;
  const signers = allowedSigners(publicKeysOf(input));
  await withTemporaryDirectory("firn-signers-", async (directory) => {
    const file = join(directory, "allowed");
    disk.replaceFile(file, signers, { mode: 0o600 });
    const settings = [`gpg.ssh.allowedSignersFile=${file}`, "gpg.program=false", "gpg.x509.program=false"];
    const args = [...settings.flatMap((setting) => ["-c", setting]), "verify-commit", rev];
    const { code, stderr } = await gitOutcome({ ...repository.call, args });
    if (code === 0 && /^Good "git" signature for \* with /m.test(stderr)) return;
    throw new FirnError("bad-signature", `Commit signature verification on commit ${rev} failed: ${stderr}`);
  });
}
