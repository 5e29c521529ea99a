/** Ed25519 keys and signatures in Nix's form `name:base64`. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesOf } from "../base/bytes.ts";
import { FirnError } from "../base/error.ts";
import { fromBase64, toBase64 } from "../hash/encoding.ts";
import { type PathInfo, pathInfoFingerprint } from "./path-info.ts";

const SECRET_SIZE = 64;
const PUBLIC_SIZE = 32;
const SIGNATURE_SIZE = 64;

/** A named key; 64 bytes (seed and public key) when secret, 32 when public. */
export interface SigningKey {
  readonly name: string;
  readonly key: Uint8Array;
}

/** Names are followed by other words and lines where signatures are kept and told: blanks and control characters are none of them. */
const keyName = /^[^\x00-\x20\x7f]+$/;

function split(text: string, what: string): SigningKey {
  const colon = text.indexOf(":");
  const key = colon > 0 ? fromBase64(text.slice(colon + 1)) : new Uint8Array(0);
  if (!keyName.test(text.slice(0, Math.max(colon, 0))) || key.length === 0)
    throw new FirnError("bad-key", `${what} is corrupt`);
  return { name: text.slice(0, colon), key };
}

/** Reads a secret key; the text never appears in an error. */
export function parseSecretKey(text: string): SigningKey {
  const key = split(text.trim(), "key");
  if (key.key.length !== SECRET_SIZE) throw new FirnError("bad-key", "secret key is not valid");
  return key;
}

/** Reads a public key. */
export function parsePublicKey(text: string): SigningKey {
  const key = split(text.trim(), "key");
  if (key.key.length !== PUBLIC_SIZE) throw new FirnError("bad-key", "public key is not valid");
  return key;
}

/** Reads a signature `name:base64`. */
export function parseSignature(text: string): SigningKey {
  return split(text, "signature");
}

/** Writes a key or signature. */
export function printKey(key: SigningKey): string {
  return `${key.name}:${toBase64(key.key)}`;
}

/** A new secret key from 32 random bytes. */
export function secretKeyFromSeed(name: string, seed: Uint8Array): SigningKey {
  const key = new Uint8Array(SECRET_SIZE);
  key.set(seed, 0);
  key.set(ed25519.getPublicKey(seed), PUBLIC_SIZE);
  return { name, key };
}

/** The public half of a secret key. */
export function publicKeyOf(secret: SigningKey): SigningKey {
  return { name: secret.name, key: secret.key.slice(PUBLIC_SIZE) };
}

/** Signs a byte string; returns `name:base64`. */
export function signText(text: string, secret: SigningKey): string {
  return printKey({ name: secret.name, key: ed25519.sign(bytesOf(text), secret.key.subarray(0, PUBLIC_SIZE)) });
}

/** Tells whether `signature` over `text` was made by one of `keys`. */
export function verifyText(text: string, signature: string, keys: Iterable<SigningKey>): boolean {
  const { name, key: bytes } = parseSignature(signature);
  for (const key of keys) {
    if (key.name !== name) continue;
    if (bytes.length !== SIGNATURE_SIZE) throw new FirnError("bad-signature", "signature is not valid");
    if (ed25519.verify(bytes, bytesOf(text), key.key)) return true;
  }
  return false;
}

/** Signs the facts about a path. */
export function signPathInfo(info: PathInfo, secret: SigningKey): string {
  return signText(pathInfoFingerprint(info), secret);
}

/** Returns the number of a path's signatures that are valid under these keys. */
export function countGoodSignatures(info: PathInfo, keys: Iterable<SigningKey>): number {
  const list = [...keys];
  if (list.length === 0 || info.signatures.length === 0) return 0;
  const text = pathInfoFingerprint(info);
  return info.signatures.filter((signature) => verifyText(text, signature, list)).length;
}
