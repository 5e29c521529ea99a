/**
 * A Debian archive's signed table of contents: InRelease, its signature, its age and the hashes of the index files.
 * The chain of trust is: archive key → InRelease → SHA256 of an index → SHA256 of each file the index names.
 */
import { FirnError } from "@firn/formats";
import { parseParagraph } from "./control.ts";

/** The contents of a verified InRelease. */
export interface Release {
  readonly suite: string;
  readonly codename: string;
  readonly version: string;
  readonly date: string;
  readonly validUntil: Date | undefined;
  /** True when indices can be fetched by their hash. */
  readonly byHash: boolean;
  /** Index files by their path below `dists/SUITE`. */
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly size: number }>;
}

/** Options of checking an InRelease. */
export interface ReleaseCheck {
  /** OpenPGP keyrings: binary, as Debian's archive keyring package installs them, or armored text. */
  readonly keyrings: readonly (Uint8Array | string)[];
  readonly now: Date;
  /** True to accept a release whose Valid-Until has passed. */
  readonly allowExpired?: boolean;
}

/**
 * Verifies an InRelease and returns its contents. Fails with `deb-signature` when no key of the keyrings made a good
 * signature, and with `deb-expired` when its Valid-Until has passed.
 */
export async function readRelease(inRelease: string, check: ReleaseCheck): Promise<Release> {
  const release = parseRelease(await verifiedText(inRelease, check.keyrings));
  if (release.validUntil !== undefined && release.validUntil < check.now && check.allowExpired !== true) {
    throw new FirnError(
      "deb-expired",
      `the release file of Debian suite '${release.codename}' was valid until ${release.validUntil.toUTCString()}`,
      { hint: "the mirror may be stale; use another one, or pass --allow-expired to accept it" },
    );
  }
  return release;
}

async function verifiedText(inRelease: string, keyrings: ReleaseCheck["keyrings"]): Promise<string> {
  const openpgp = await import("openpgp");
  const keys = [];
  for (const ring of keyrings) {
    if (ring.length === 0) continue;
    const read =
      typeof ring === "string" ? openpgp.readKeys({ armoredKeys: ring }) : openpgp.readKeys({ binaryKeys: ring });
    keys.push(...(await read));
  }
  let text: string;
  let signatures: { verified: Promise<true> }[];
  try {
    const message = await openpgp.readCleartextMessage({ cleartextMessage: inRelease });
    text = message.getText();
    ({ signatures } = await openpgp.verify({ message, verificationKeys: keys }));
  } catch (cause) {
    throw new FirnError("deb-signature", "the InRelease file is not a signed message", { cause });
  }
  const results = await Promise.allSettled(signatures.map((signature) => signature.verified));
  if (!results.some((result) => result.status === "fulfilled")) {
    throw new FirnError("deb-signature", "the InRelease file has no good signature by a key of the Debian keyring", {
      hint: "install the package debian-archive-keyring, or name a keyring with the setting deb-keyring",
    });
  }
  return text;
}

/** Parses the contents of a verified InRelease. Errors `deb-control`, `deb-release`. */
export function parseRelease(text: string): Release {
  const fields = parseParagraph(text);
  const validUntil = fields.get("Valid-Until");
  const files = new Map<string, { sha256: string; size: number }>();
  for (const line of (fields.get("SHA256") ?? "").split("\n")) {
    const match = /^([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/.exec(line.trim());
    if (match?.[1] !== undefined && match[3] !== undefined) {
      files.set(match[3], { sha256: match[1], size: Number(match[2]) });
    }
  }
  const expires = validUntil === undefined ? undefined : new Date(validUntil);
  if (expires !== undefined && Number.isNaN(expires.getTime())) {
    throw new FirnError("deb-release", `the InRelease file is valid until '${validUntil}', which is no date`);
  }
  if (files.size === 0) throw new FirnError("deb-release", "the InRelease file lists no SHA256 hashes");
  return {
    suite: fields.get("Suite") ?? "",
    codename: fields.get("Codename") ?? "",
    version: fields.get("Version") ?? "",
    date: fields.get("Date") ?? "",
    validUntil: expires,
    byHash: fields.get("Acquire-By-Hash") === "yes",
    files,
  };
}

/** Returns the public keys of a file as armored text: one that is armored already, or binary. Error `bad-key`. */
export async function armoredKey(bytes: Uint8Array): Promise<string> {
  const openpgp = await import("openpgp");
  const text = new TextDecoder("latin1").decode(bytes);
  try {
    if (text.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
      await openpgp.readKeys({ armoredKeys: text });
      return text;
    }
    await openpgp.readKeys({ binaryKeys: bytes });
    return openpgp.armor(openpgp.enums.armor.publicKey, bytes);
  } catch (cause) {
    throw new FirnError("bad-key", "the file has no public keys of OpenPGP", { cause });
  }
}
