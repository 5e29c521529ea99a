/** `nix-store --generate-binary-cache-key`: makes a pair of keys for signing paths. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { printKey, publicKeyOf, secretKeyFromSeed } from "@firn/formats";
import { rmSync, writeFileSync } from "@firn/store/files";
import type { StoreOperation } from "./operation.ts";

/** `--generate-binary-cache-key`. */
export const keyOperation: StoreOperation = {
  flag: { name: "generate-binary-cache-key", description: "Make a pair of keys for signing paths." },
  flags: [],
  positionals: [
    { label: "key-name" },
    { label: "secret-key-file", kind: "path" },
    { label: "public-key-file", kind: "path" },
  ],
  wrongArguments: "three arguments expected",
  async run({ positionals: [name = "", secretFile = "", publicFile = ""] }, io) {
    const secret = secretKeyFromSeed(name, randomBytes(32));
    writeFileSync(resolve(io.cwd, publicFile), printKey(publicKeyOf(secret)));
    // Made anew, so that nobody who could read an older file of this name can read the key.
    rmSync(resolve(io.cwd, secretFile), { force: true });
    writeFileSync(resolve(io.cwd, secretFile), printKey(secret), { mode: 0o600, flag: "wx" });
    return 0;
  },
};
