import * as openpgp from "openpgp";
import { beforeAll, expect, test } from "vitest";
import { readRelease } from "./release.ts";

let signed: string;
let expired: string;
let keyring: Uint8Array;
let stranger: Uint8Array;

const body = (extra: string): string =>
  `Suite: stable\nCodename: test\nVersion: 1\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n${extra}SHA256:\n ${"a".repeat(64)} 12 main/binary-amd64/Packages.gz\n`;

beforeAll(async () => {
  const make = () => openpgp.generateKey({ userIDs: [{ name: "archive" }], format: "object" });
  const [key, other] = [await make(), await make()];
  const sign = async (text: string): Promise<string> =>
    openpgp.sign({ message: await openpgp.createCleartextMessage({ text }), signingKeys: key.privateKey });
  signed = await sign(body(""));
  expired = await sign(body("Valid-Until: Sun, 12 Jul 2026 10:16:37 UTC\n"));
  keyring = key.publicKey.write();
  stranger = other.publicKey.write();
});

const now = new Date("2026-11-22");

test("reads a release that a key of the keyring signed", async () => {
  const release = await readRelease(signed, { keyrings: [stranger, keyring], now });
  expect(release.codename).toBe("test");
  expect(release.files.get("main/binary-amd64/Packages.gz")).toEqual({ sha256: "a".repeat(64), size: 12 });
});

test("refuses a release that nobody known signed, was changed, or is not signed", async () => {
  await expect(readRelease(signed, { keyrings: [stranger], now })).rejects.toThrow("no good signature");
  await expect(
    readRelease(signed.replace("Codename: test", "Codename: evil"), { keyrings: [keyring], now }),
  ).rejects.toThrow("no good signature");
  await expect(readRelease(body(""), { keyrings: [keyring], now })).rejects.toThrow("not a signed message");
});

test("refuses an expired release unless told to accept it", async () => {
  await expect(readRelease(expired, { keyrings: [keyring], now })).rejects.toThrow("was valid until");
  expect((await readRelease(expired, { keyrings: [keyring], now, allowExpired: true })).codename).toBe("test");
});
